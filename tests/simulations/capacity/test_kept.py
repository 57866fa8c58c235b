"""What was found is kept cell by cell, whatever becomes of the process that found it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import SettingsError
from simulations.capacity.kept import Kept, keep, program
from tests.simulations.capacity.tables import found, job


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    """Under its own key and no other."""
    path = tmp_path / "cells.jsonl"
    assert Kept(path).get(job().key("p")) is None
    keep(path, found(9), key=job().key("p"))
    keep(path, found(3, clear=False), key=job("mid").key("p"))
    kept = Kept(path)
    assert kept.get(job().key("p")) == found(9)
    assert kept.get(job("mid").key("p")) == found(3, clear=False)
    assert kept.get(job("slow").key("p")) is None
    assert kept.get(job().key("another program")) is None


def test_a_torn_line_costs_its_own_cell_only(tmp_path: Path) -> None:
    """The program was killed while it wrote: what was kept before is there, and what comes after is readable."""
    path = tmp_path / "cells.jsonl"
    keep(path, found(9), key=job().key("p"))
    keep(path, found(3), key=job("mid").key("p"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    keep(path, found(1), key=job("slow").key("p"))
    kept = Kept(path)
    assert [kept.get(job(name).key("p")) for name in ("fast", "mid", "slow")] == [found(9), None, found(1)]
    path.write_bytes(whole[:60])
    assert Kept(path).get(job().key("p")) is None


def test_somebody_elses_file_is_refused(tmp_path: Path) -> None:
    """It is named, and nothing is written into it."""
    path = tmp_path / "notes.txt"
    path.write_text("milk\nbread\n")
    with pytest.raises(SettingsError, match=r"--cache .*notes\.txt: is no cache"):
        Kept(path)


def test_the_program_has_one_name() -> None:
    """The same each time: sources do not change while they are tested (unless somebody is at work on them)."""
    assert len(program()) == 16

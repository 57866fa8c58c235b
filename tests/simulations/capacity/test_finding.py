"""A cell's search: right where runs are, its runs kept, its progress told."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from simulations.capacity import finding
from simulations.capacity.cells import CapacityRun, CellJob
from simulations.capacity.finding import Assignment, find, search
from simulations.capacity.kept import Kept
from tests.simulations.capacity.tables import job, run


def fits(limit: int) -> finding.Measure:
    """Return runs of a world into which `limit` calls fit."""
    return lambda _job, calls: run(calls, limit=limit)


@pytest.mark.parametrize("limit", [0, 1, 2, 7, 9, 30])
def test_it_finds_what_fits_and_shows_the_runs(limit: int) -> None:
    """The number, and in the runs the verdicts on it and on the next."""
    found = search(job(), fits(limit))
    assert found.calls == limit
    verdicts = {run.calls: run.inside for run in found.runs}
    assert verdicts.get(limit, True)
    assert verdicts[limit + 1] is False


def test_without_coordination_it_begins_with_one_call_a_slot() -> None:
    """So that no time is lost on crowds."""
    found = search(attrs.evolve(job(slots=2), policy="retry"), fits(2))
    assert [run.calls for run in found.runs] == [2, 3]


def test_there_is_a_most() -> None:
    """A provider that takes no time at all would take any number."""
    assert search(job(), fits(10**9), most=100).calls == 100


def test_what_is_found_is_told_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for each run, and the number in the file before the job counts as done."""

    def quick(job: CellJob, calls: int) -> CapacityRun:
        return run(calls, limit=7)

    monkeypatch.setattr(finding, "run_calls_until_clear", quick)
    cache = tmp_path / "cells.jsonl"
    found = find(Assignment(job=job(), cache=cache, program="p"), lambda _part: None)
    assert found.calls == 7
    assert Kept(cache).get(job().key("p")) == found
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(found.runs) + 1
    assert lines[0].startswith("fast, talk share 0.57, 1 slot, deadline: 9 calls are outside after 20 minutes")
    assert lines[-1] == "fast, talk share 0.57, 1 slot, deadline: calls that fit: 7"

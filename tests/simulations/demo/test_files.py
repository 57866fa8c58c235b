"""Claims about a run's directory: nothing that is not a run's is touched, and nothing at all before the run begins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.errors import SettingsError
from orchestrator.events import RunEnded, RunStarted
from simulations.demo.files import RunFiles

STARTED = RunStarted(at=0.0, wall="2026-11-21T00:00:00.000+00:00", seed=1, calls=4, profile="fast")


@contextmanager
def run_in(folder: Path) -> Iterator[RunFiles]:
    """Begin a run there."""
    files = RunFiles(folder)
    files.add(STARTED)
    files.open()
    try:
        yield files
    finally:
        files.close()


def test_what_happened_before_the_files_began_is_in_them(tmp_path: Path) -> None:
    """In order, a line each."""
    with run_in(tmp_path / "deep" / "out") as files:
        files.add(RunEnded(at=1.0, reason="finished"))
    lines = (tmp_path / "deep" / "out" / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["RunStarted", "RunEnded"]
    assert files.failed == []


def test_the_last_run_stays_until_the_next_one_begins(tmp_path: Path) -> None:
    """A start that fails must not cost the recordings of the run before; other files stay in any case."""
    with run_in(tmp_path):
        pass
    ours, theirs = tmp_path / "call-3.wav", tmp_path / "call-notes.md"
    ours.write_bytes(b"sound")
    theirs.write_text("mine")
    RunFiles(tmp_path)
    assert ours.exists()
    with run_in(tmp_path):
        assert not ours.exists()
    assert theirs.read_text() == "mine"


@pytest.mark.parametrize("name", ["summary.json", "report.html", "call-1.json", "events.jsonl"])
def test_files_that_are_no_runs_are_never_overwritten(tmp_path: Path, name: str) -> None:
    """The directory is refused, by the name of what is there."""
    (tmp_path / name).write_text("{}")
    with pytest.raises(SettingsError, match=name):
        RunFiles(tmp_path)
    assert (tmp_path / name).read_text() == "{}"


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    """The option is named."""
    (tmp_path / "out").write_text("")
    with pytest.raises(SettingsError, match=r"--out .*is a file"):
        RunFiles(tmp_path / "out")


def test_a_run_that_never_began_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C before the provider answered: no file, and the directory is as free as before."""
    files = RunFiles(tmp_path)
    files.add(STARTED)
    files.finish({"turns": 0})
    assert list(tmp_path.iterdir()) == []
    assert not files.begun


def test_a_run_that_was_killed_at_its_very_beginning_does_not_block_the_next(tmp_path: Path) -> None:
    """Its event log is there before anything else, if only empty."""
    (tmp_path / "events.jsonl").write_text("")
    (tmp_path / "report.html").write_text("")
    with run_in(tmp_path):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["events.jsonl", "log.jsonl"]

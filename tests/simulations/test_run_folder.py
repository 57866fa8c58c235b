"""The directory of a run: what an earlier run left goes, what is somebody else's stays and is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.errors import SettingsError
from orchestrator.events import RunStarted
from simulations.run_folder import EventLog, prepare, write_summary
from simulations.scenario import Scenario
from simulations.world import run_world

STARTED = RunStarted(at=0.0, wall="virtual", seed=1, calls=4, profile=None)


def leave(folder: Path) -> None:
    """Leave what a run leaves."""
    with EventLog(folder) as log:
        log.add(STARTED)
    assert write_summary(folder, {"schema": 1}) == []


def names(folder: Path) -> list[str]:
    """Return what is there, directories and their files."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_directory_is_made_with_its_parents(tmp_path: Path) -> None:
    """One for the run, or one a seed."""
    assert prepare(tmp_path / "a/b", seeds=None) == [tmp_path / "a/b"]
    assert prepare(tmp_path / "c", seeds=range(-1, 1)) == [tmp_path / "c/seed--1", tmp_path / "c/seed-0"]
    assert names(tmp_path) == ["a", "a/b", "c", "c/seed--1", "c/seed-0"]


def test_what_earlier_runs_left_goes_and_nothing_else(tmp_path: Path) -> None:
    """Also the seeds that are not run again."""
    for folder in (tmp_path, *prepare(tmp_path, seeds=range(1, 4))):
        leave(folder)
    (tmp_path / "seed-2/notes.txt").write_text("mine")
    (tmp_path / "seed-mine").mkdir()
    assert prepare(tmp_path, seeds=[1]) == [tmp_path / "seed-1"]
    assert names(tmp_path) == ["seed-1", "seed-2", "seed-2/notes.txt", "seed-mine"]
    assert prepare(tmp_path, seeds=None) == [tmp_path]
    assert names(tmp_path) == ["seed-2", "seed-2/notes.txt", "seed-mine"]


def test_the_summary_of_many_runs_is_known_as_ours(tmp_path: Path) -> None:
    """It stands there without an event log."""
    write_summary(tmp_path, {"schema": 1, "runs": []})
    prepare(tmp_path, seeds=None)
    assert names(tmp_path) == []


def test_a_log_that_is_empty_was_about_to_be_a_runs(tmp_path: Path) -> None:
    """As an interrupted run leaves it."""
    (tmp_path / "events.jsonl").touch()
    prepare(tmp_path, seeds=None)
    assert names(tmp_path) == []


@pytest.mark.parametrize("place", [".", "seed-7"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("events.jsonl", "my own notes"),
        ("events.jsonl", '{"event": "click"}\n'),
        ("events.jsonl", json.dumps({"at": 0.0, "event": "RunStarted", "wall": "2026-11-01T10:00:00"}) + "\n"),
        ("summary.json", '{"mine": 1}'),
        ("summary.json", "[1]"),
        ("summary.json", "\xff"),
    ],
)
def test_files_that_are_no_simulations_are_named_and_left_alone(
    tmp_path: Path, place: str, name: str, text: str
) -> None:
    """Notes, another program's log, a demo's: nothing at all is removed then."""
    leave(tmp_path)
    folder = tmp_path / place
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    (folder / name).write_text(text, "latin-1")
    before = names(tmp_path)
    with pytest.raises(SettingsError) as caught:
        prepare(tmp_path, seeds=None)
    assert str(caught.value) == f"--out {folder}: {name} is there and is not a simulation's; choose another directory"
    assert names(tmp_path) == before


def test_a_file_in_the_place_of_the_directory_is_named(tmp_path: Path) -> None:
    """Rather than an error of the operating system."""
    (tmp_path / "f").touch()
    with pytest.raises(SettingsError, match="is a file; expected a directory"):
        prepare(tmp_path / "f", seeds=None)


def test_a_real_run_is_known_as_one(tmp_path: Path) -> None:
    """By the first event that a world emits."""
    with EventLog(tmp_path) as log:
        run_world(Scenario(name="test", hours=0.001, wire=False), seed=1, sinks=[log.add])
    prepare(tmp_path, seeds=None)
    assert names(tmp_path) == []


def test_an_event_that_cannot_be_written_is_kept_and_the_run_goes_on(tmp_path: Path) -> None:
    """A full disk, a directory that is gone."""
    (tmp_path / "events.jsonl").symlink_to("/dev/full")
    with EventLog(tmp_path) as log:
        for _ in range(2000):
            log.add(STARTED)
    assert log.failed == [f"{tmp_path / 'events.jsonl'}: No space left on device"]
    with EventLog(tmp_path / "gone") as log:
        log.add(STARTED)
    assert log.failed == [f"{tmp_path / 'gone/events.jsonl'}: No such file or directory"]
    assert write_summary(tmp_path / "gone", {}) == [f"{tmp_path / 'gone/summary.json'}: No such file or directory"]

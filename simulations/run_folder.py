"""What a simulated run leaves in a directory: events.jsonl and summary.json, and whose files may be overwritten."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.errors import SettingsError
from orchestrator.events import Event
from simulations.event_lines import EventLines

EVENTS, SUMMARY = "events.jsonl", "summary.json"
_WALL = "virtual"
"""The wall clock of a run in virtual time, in its first event: demos have a real one."""
_SEED = re.compile(r"seed-(-?\d+)")


def prepare(folder: Path, *, seeds: Sequence[int] | None) -> list[Path]:
    """Make the directory ready and return that of each run: itself, or one for each of `seeds`.

    What an earlier run left is removed. Raises SettingsError where files that are no simulation's have the names, and
    OSError where nothing can be made there.
    """
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"--out {folder}: is a file; expected a directory")
    folder.mkdir(parents=True, exist_ok=True)
    earlier = [path for place in _runs_in(folder) for path in _earlier(place)]
    for path in earlier:
        path.unlink()
    for place in _runs_in(folder)[1:]:
        if not any(place.iterdir()):
            place.rmdir()
    places = [folder] if seeds is None else [folder / f"seed-{seed}" for seed in seeds]
    for place in places:
        place.mkdir(exist_ok=True)
    return places


def write_summary(folder: Path, summary: Mapping[str, Any]) -> list[str]:
    """Write a summary; return a line about it if that fails."""
    path = folder / SUMMARY
    try:
        path.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        return [f"{path}: {error.strerror}"]
    return []


class EventLog:
    """The event log as a sink and a context. What cannot be written (a full disk) is in `failed`; the run goes on."""

    def __init__(self, folder: Path) -> None:
        self.failed: list[str] = []
        self._path = folder / EVENTS
        self._lines: EventLines | None = None

    def __enter__(self) -> EventLog:
        try:
            self._lines = EventLines(self._path)
        except OSError as error:
            self._fail(error)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._lines is not None:
                self._lines.close()
        except OSError as error:
            self._fail(error)

    def add(self, event: Event) -> None:
        """Write an event as a line of JSON."""
        if self._lines is None:
            return
        try:
            self._lines.write(event)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.failed = [f"{self._path}: {error.strerror}"]


def _runs_in(folder: Path) -> list[Path]:
    seeds = (path for path in folder.iterdir() if path.is_dir() and _SEED.fullmatch(path.name))
    return [folder, *sorted(seeds)]


def _earlier(folder: Path) -> list[Path]:
    """Return the files of an earlier run there. Raises SettingsError where they are somebody else's."""
    there = [folder / name for name in (EVENTS, SUMMARY) if (folder / name).exists()]
    if there and not _is_a_simulations(there[0]):
        raise SettingsError(
            f"--out {folder}: {there[0].name} is there and is not a simulation's; choose another directory"
        )
    return there


def _is_a_simulations(path: Path) -> bool:
    """A run is known by its first event, many of them by their summary; an empty file was about to be one."""
    try:
        with path.open(encoding="utf-8") as file:
            first = json.loads((file.readline() if path.name == EVENTS else file.read()) or "null")
    except (OSError, ValueError):
        return False
    if first is None:
        return True
    if not isinstance(first, dict):
        return False
    if path.name == EVENTS:
        return bool(first.get("event") == "RunStarted" and first.get("wall") == _WALL)
    return "runs" in first and "schema" in first

"""What a demo leaves in its directory, and the sinks that write it while the demo runs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from orchestrator.dialogue.transcript import Transcript
from orchestrator.dialogue.transcript_files import CallHeader, transcript_json, write_transcript
from orchestrator.errors import SettingsError
from orchestrator.events import Event
from simulations.event_lines import EventLines
from simulations.reports.report import write_report

_OURS = re.compile(r"call-\d+\.(wav|json|md|json\.part|md\.part)|events\.jsonl|log\.jsonl|summary\.json|report\.html")
"""The names of what a run leaves, and of what one leaves that is killed."""


class RunFiles:
    """The directory of one run. Nothing is touched in it before `open`, which removes what an earlier run left there.

    Raises SettingsError where files that are no run's have the names, OSError where the directory cannot be made. An
    event that cannot be written later (a full disk) is kept in `failed`, and the run goes on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.failed: list[str] = []
        self.happened: list[Event] = []
        self._events: EventLines | None = None
        self._log: TextIO | None = None
        self._transcripts: list[dict[str, Any]] = []
        if folder.exists() and not folder.is_dir():
            raise SettingsError(f"--out {folder}: is a file; expected a directory")
        folder.mkdir(parents=True, exist_ok=True)
        _earlier(folder)

    def open(self) -> TextIO:
        """Begin the run's files: the event log with what has happened so far, and the log, which is returned."""
        earlier = _earlier(self.folder)
        self._events = EventLines(self.folder / "events.jsonl")  # first of all: by it a run is known
        for event in self.happened:
            self._write(event, self._events)
        for path in earlier:
            if path.name != "events.jsonl":
                path.unlink()
        self._log = (self.folder / "log.jsonl").open("w", encoding="utf-8", buffering=1)
        return self._log

    @property
    def begun(self) -> bool:
        """Whether the files were opened."""
        return self._events is not None

    def add(self, event: Event) -> None:
        """Write an event to the event log, and keep it for the report."""
        self.happened.append(event)
        if self._events is not None:
            self._write(event, self._events)

    def add_call(self, name: str, *, header: CallHeader, transcript: Transcript) -> None:
        """Write a call's transcript, and keep it for the report."""
        self._transcripts.append(transcript_json(header, transcript))
        try:
            write_transcript(self.folder, name, header=header, transcript=transcript)
        except OSError as error:
            self._fail(f"{self.folder / name}: {error.strerror}")

    def fail(self, error: OSError) -> None:
        """Note that something could not be written."""
        self._fail(f"{error.filename or self.folder}: {error.strerror or error}")

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write the summary and the report, and close the logs; nothing for a run that never began."""
        if not self.begun:
            return
        self._transcripts.sort(key=lambda call: (len(call["call"]), call["call"]))  # "10" comes after "9"
        try:
            (self.folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
            write_report(
                self.folder / "report.html", events=self.happened, transcripts=self._transcripts, summary=summary
            )
        except OSError as error:
            self.fail(error)
        self.close()

    def close(self) -> None:
        """Close the logs; harmless a second time."""
        for stream in (self._events, self._log):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _write(self, event: Event, events: EventLines) -> None:
        try:
            events.write(event)
        except OSError as error:
            self._fail(f"{self.folder / 'events.jsonl'}: {error.strerror}")

    def _fail(self, told: str) -> None:
        if told not in self.failed:
            self.failed.append(told)


def _earlier(folder: Path) -> list[Path]:
    ours = [path for path in sorted(folder.iterdir()) if _OURS.fullmatch(path.name)]
    if ours and not _is_a_runs(folder / "events.jsonl"):
        raise SettingsError(f"--out {folder}: {ours[0].name} is there and is not a demo's; choose another directory")
    return ours


def _is_a_runs(events: Path) -> bool:
    try:
        with events.open(encoding="utf-8") as lines:
            line = lines.readline()
        first = json.loads(line or '{"event": "RunStarted"}')  # an empty one was about to be a run's
    except (OSError, ValueError):
        return False
    return isinstance(first, dict) and first.get("event") == "RunStarted"

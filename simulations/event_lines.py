"""Owns a file of events, a line of JSON each, that is readable whatever ends the process or fills the disk."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

from orchestrator.events import Event, to_json


class EventLines:
    """The file at `path`, made anew. Raises OSError where that or a later write fails.

    Each line is handed to the system by one call at once, whole or not at all: 5 us an event. So whoever kills the
    process leaves whole lines, up to the last event.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._length = 0

    def write(self, event: Event) -> None:
        """Write an event as a line."""
        line = json.dumps(to_json(event)).encode() + b"\n"
        if self._file.write(line) == len(line):
            self._length += len(line)
            return
        self._file.truncate(self._length)
        self._file.seek(self._length)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._file.name)

    def close(self) -> None:
        """Close the file; harmless a second time."""
        self._file.close()

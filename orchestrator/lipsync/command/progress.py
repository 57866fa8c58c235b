"""Writes on standard error how far a command is: on a terminal in one line that is rewritten; decides no words."""

from __future__ import annotations

import shutil
import sys
from typing import TextIO

from attrs import define, field

from orchestrator.lipsync.telling import Told
from orchestrator.redaction import redacted

_LINE_EVERY = 5.0
"""Seconds between two lines about many jobs, where there is no terminal."""


@define(eq=False)
class Progress:
    """How far a command is. A reader that is gone does no harm."""

    stream: TextIO = field(factory=lambda: sys.stderr)
    _mark: str = field(default="", init=False)
    _told_at: float = field(default=float("-inf"), init=False)
    _shown: str = field(default="", init=False)

    def tell(self, line: str) -> None:
        """Write a line that stays."""
        self.clear()
        self._write(redacted(line) + "\n")

    def show(self, told: Told, *, now: float, many: bool = False) -> None:
        """Write how far it is now: on a terminal in place of what was written before, elsewhere when it changed."""
        if self.stream.isatty():
            line = redacted(told.words)[: self._width()]
            if line != self._shown:
                self._shown = line
                self._write(f"\r{line}\x1b[K")
        elif told.mark != self._mark and not (many and now - self._told_at < _LINE_EVERY):
            self._mark, self._told_at = told.mark, now
            self._write(redacted(told.words) + "\n")

    def clear(self) -> None:
        """Take the line off the terminal that would be rewritten."""
        if self._shown:
            self._shown = ""
            self._write("\r\x1b[K")

    def _width(self) -> int:
        """Return what fits into a line: a longer one could not be rewritten."""
        return shutil.get_terminal_size().columns - 1

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            return

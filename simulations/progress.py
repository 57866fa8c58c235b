"""Tells on standard error how far a long command is and how fast it goes; it knows nothing of what is computed."""

from __future__ import annotations

import sys
import time  # how long it takes is a matter of the real clock: no simulated story depends on it
from collections.abc import Callable
from typing import TextIO

_REWRITE_EVERY = 0.25
_LINE_EVERY = 10.0


class Progress:
    """How far `jobs` jobs are, each of so many `seconds` of virtual time: call it with a job's place and its part done.

    On a terminal it is one line that is rewritten, anywhere else a line every ten seconds. A reader that is gone does
    no harm. Call `close` at the end.
    """

    def __init__(
        self, *, jobs: int, seconds: float, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._parts = [0.0] * jobs
        self._seconds = seconds
        self._stream = stream or sys.stderr
        self._clock = clock
        self._began = self._told = clock()
        self._terminal = self._stream.isatty()
        self._shown = False

    def __call__(self, index: int, part: float) -> None:
        """Note that the job at `index` is done to `part` (0 to 1)."""
        self._parts[index] = part
        now = self._clock()
        if now - self._told >= (_REWRITE_EVERY if self._terminal else _LINE_EVERY):
            self._told = now
            self._shown = True
            self._write(f"\r{self._line(now)}\x1b[K" if self._terminal else self._line(now) + "\n")

    def close(self) -> None:
        """Take the line off the terminal."""
        if self._terminal and self._shown:
            self._write("\r\x1b[K")

    def _line(self, now: float) -> str:
        done = sum(self._parts)
        speed = done * self._seconds / max(now - self._began, 1e-9)
        runs = f", {sum(part >= 1 for part in self._parts)} of {len(self._parts)} runs" if len(self._parts) > 1 else ""
        return f"{100 * done / len(self._parts):3.0f} %{runs}, {speed:.0f} times as fast as real time"

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            return

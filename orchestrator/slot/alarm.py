"""Rings at a time that may be changed while it is waited for; what is done then is its owner's."""

from __future__ import annotations

from collections.abc import Callable

import trio

from orchestrator.ports import Now

_LATE = 1e-6
"""Seconds by which it is late: clocks round, and a hair too early is too early."""


class Alarm:
    """One time of the clock `now`, infinite for never. Run `run` in a nursery."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._at = float("inf")
        self._changed = trio.Event()

    def set(self, at: float) -> None:
        """Ring then, and at no other time."""
        if at != self._at:
            self._at = at
            self._changed.set()

    async def run(self, ring: Callable[[], None]) -> None:
        """Call `ring` whenever it is time, or that was changed; runs until cancelled."""
        while True:
            with trio.move_on_after(max(0.0, self._at - self._now() + _LATE)):
                await self._changed.wait()
            if self._at <= self._now():
                self._at = float("inf")
            self._changed = trio.Event()
            ring()

"""One task that gives every line its 20 ms: wake-ups are shared by all calls, not one a call and frame."""

from __future__ import annotations

from array import array
from collections.abc import Callable

import trio

from simulations.carriers.carrier import FRAME_SECONDS

_SLOTS = 10
"""Calls are spread over so many moments of a frame: no burst of all of them at once, 500 wake-ups a second at most."""
_STEP = FRAME_SECONDS / _SLOTS

Tick = Callable[[float], None]


class Pacer:
    """Calls each line's tick every 20 ms by the absolute clock; late wake-ups are caught up, none is left out.

    `lateness` are seconds between when a wake-up was due and when it came: how much to believe of what is measured.
    """

    def __init__(self) -> None:
        self.lateness = array("d")
        self._slots: list[list[Tick]] = [[] for _ in range(_SLOTS)]
        self._filled = trio.Event()

    def add(self, tick: Tick) -> None:
        """Begin to tick, within 20 ms."""
        min(self._slots, key=len).append(tick)
        self._filled.set()

    def remove(self, tick: Tick) -> None:
        """End it; harmless where it was ended."""
        for slot in self._slots:
            if tick in slot:
                slot.remove(tick)

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            if not any(self._slots):
                self._filled = trio.Event()
                await self._filled.wait()
            await self._tick_all()

    async def _tick_all(self) -> None:
        began, step = trio.current_time(), 0
        while any(self._slots):
            if slot := self._slots[step % _SLOTS]:
                due = began + step * _STEP
                await trio.sleep_until(due)
                now = trio.current_time()
                self.lateness.append(max(0.0, now - due))
                for tick in list(slot):
                    tick(now)
            step += 1

"""Owns the turn to write to the store: one at a time, and what can't be written (a full disk) again until it can.

What is written is books.py's and the steps'. While something waits to be written `stopped` says that nothing new may
begin.
"""

from __future__ import annotations

import random  # full jitter between two tries to write; the generator is passed in
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import trio
from attrs import field, frozen

from orchestrator.events import QueueStopped
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.ports import Emit, Lane, Now

T = TypeVar("T")
_SET = 1.0
"""Seconds by which two clocks differ if one was set: less is how they go."""
_LONGEST = 10.0
"""Seconds between two tries to write, at most."""


@frozen(kw_only=True)
class Place:
    """Where books are kept, and who is told. `now` is the run's clock, `wall` gives Unix seconds: jobs go by it."""

    lane: Lane
    emit: Emit
    now: Now
    wall: Now
    rng: random.Random
    _began: float = field(init=False)

    @_began.default
    def _anchor(self) -> float:
        return self.wall() - self.now()

    def steady(self) -> float:
        """Return the Unix seconds of a clock that nobody sets: windows, rests and polls go by it."""
        return self._began + self.now()

    @property
    def ahead(self) -> float:
        """Seconds that the wall clock was set back by since we began; negative: set forward."""
        ahead = self.steady() - self.wall()
        return ahead if abs(ahead) >= _SET else 0.0


class Writer:
    """Reads and writes one store in its lane, and wakes who waits for a change."""

    def __init__(self, place: Place) -> None:
        self.changed = trio.Event()
        self.stopped = 0
        """Changes that wait until they can be written."""
        self._place = place
        self._turn = trio.Lock()

    def wake(self) -> None:
        """Let who waits for a change look again."""
        self.changed.set()
        self.changed = trio.Event()

    async def read(self, work: Callable[..., T], *args: Any) -> T:
        """Run work of the store. Raises LipsyncStoreError."""
        return await self._place.lane.run(work, *args)

    async def write(self, work: Callable[..., T], *args: Any) -> T:
        """Run work of the store that writes. Raises LipsyncStoreError."""
        async with self.turn():
            return await self.read(work, *args)

    async def persist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Carry out what writes, alone, again and again until it is written."""
        failures = 0
        try:
            while True:
                try:
                    async with self.turn():
                        return await attempt()
                except LipsyncStoreError as error:
                    failures += 1
                    self._stop(error, first=failures == 1)
                await trio.sleep(self._place.rng.random() * min(_LONGEST, 0.5 * 2.0**failures))
        finally:
            if failures:
                self.stopped -= 1
                self.wake()

    def _stop(self, error: LipsyncStoreError, *, first: bool) -> None:
        if first and not self.stopped:
            self._place.emit(QueueStopped(at=self._place.now(), error=str(error)))
        self.stopped += first

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One write at a time, so that memory follows in the store's order; never left half-way: it takes no longer
        than the store's own patience."""
        async with self._turn:
            with trio.CancelScope(shield=True):
                yield

"""Other users of an account: they hold a slot as soon as one is free, before any client that asks for it.

For how long, and how often, is the engine's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from attrs import define, field

from simulations.waves.books import Books

_AFTER_RATE = 5.0
"""Seconds until somebody asks again who was refused for the rate."""


@define(eq=False)
class _User:
    """One of them, and the use of a slot that it has."""

    use: int | None = None


@define(eq=False)
class OtherUsers:
    """Those of the account of `books`. `settle` is how long its requests count after their links are gone, in seconds.

    They look for a free slot when one is given back, when it has settled, and when a client asks for one.
    """

    _books: Books
    _settle: float
    _waiting: deque[_User] = field(factory=deque, init=False)
    _look_at: float = field(default=0.0, init=False)
    _seizing: bool = field(default=False, init=False)
    _stirred: trio.lowlevel.ParkingLot = field(factory=trio.lowlevel.ParkingLot, init=False)

    @asynccontextmanager
    async def holding(self) -> AsyncIterator[None]:
        """Hold a slot inside; waits for it."""
        user = _User()
        self._waiting.append(user)
        try:
            await self._wait_granted(user)
            yield
        finally:
            if user.use is None:
                self._waiting.remove(user)
            else:
                self._books.free_slot(user.use, now=trio.current_time())

    def note_freed(self) -> None:
        """A slot was given back, or more are allowed: take it, or wait until it has settled."""
        if self._waiting:
            self._look_at = trio.current_time() + self._settle
            self.seize()

    def seize(self) -> None:
        """Take what is free for those who wait. Harmless while it is being done: the books ask, too."""
        if self._seizing or not self._waiting:
            return
        now = trio.current_time()
        self._seizing = True
        while self._waiting and self._books.in_flight(now) < self._books.slots:
            use = self._books.take_slot(now)
            if not isinstance(use, int):
                self._look_at = now + _AFTER_RATE
                break
            self._waiting.popleft().use = use
        self._seizing = False
        self._stirred.unpark_all()

    @property
    def seizing(self) -> bool:
        """One of them asks for a slot right now, and no client."""
        return self._seizing

    async def _wait_granted(self, user: _User) -> None:
        self.seize()
        while user.use is None:
            if self._look_at > trio.current_time():
                await trio.sleep_until(self._look_at)
                self.seize()
            else:
                await self._stirred.park()

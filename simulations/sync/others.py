"""Other users of an account: they take a place as soon as one is free, before any client that asks for it."""

from __future__ import annotations

from collections.abc import Callable

import trio
from attrs import define, field

from simulations.sync.account import Account

Begin = Callable[[float], None]
"""Begins a generation of another user that lives so long."""


@define(eq=False)
class Others:
    """Those of one account; `begin` has a generation begun for them."""

    _account: Account
    _begin: Begin
    _waiting: dict[int, float] = field(factory=dict, init=False)
    _number: int = field(default=0, init=False)
    _stirred: trio.Event = field(factory=trio.Event, init=False)

    async def live(self, seconds: float) -> None:
        """Have one live so long, from when there is a place for it; return at its end."""
        self._number += 1
        number = self._number
        self._waiting[number] = seconds
        try:
            while number in self._waiting:
                self.seize()
                if number in self._waiting:
                    await self._wait_place()
        finally:
            self._waiting.pop(number, None)
        await trio.sleep(seconds)

    def seize(self) -> None:
        """Take the places that are free for those who wait."""
        now = trio.current_time()
        while self._waiting and self._account.live(now) < self._account.plan.generations:
            number = next(iter(self._waiting))
            self._begin(self._waiting.pop(number))
            self._stirred.set()
            self._stirred = trio.Event()

    async def _wait_place(self) -> None:
        with trio.move_on_at(self._account.next_end(trio.current_time())):
            await self._stirred.wait()

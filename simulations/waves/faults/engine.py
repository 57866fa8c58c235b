"""Carries out the faults that strike by themselves, each at its time; those of requests strike where the requests are.

What they shut is gates.py's, how slots are taken other_users.py's.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio
from attrs import define, field

from simulations.waves.books import Books
from simulations.waves.faults.catalogue import ENGINE_FAULTS
from simulations.waves.faults.fault import Fault
from simulations.waves.faults.other_users import OtherUsers
from simulations.waves.provider import Provider


@asynccontextmanager
async def striking(provider: Provider, faults: Sequence[Fault]) -> AsyncIterator[None]:
    """Have `faults`, their times counting from now, strike at the provider inside; afterwards nothing does any more.

    Without faults it is nothing at all: in a virtual world one task more would be another story.
    """
    if not faults:
        yield
        return
    async with trio.open_nursery() as nursery:
        for fault in faults:
            provider.faults.order(fault)
        nursery.start_soon(run, provider)
        yield
        nursery.cancel_scope.cancel()
    provider.faults.clear()


async def run(provider: Provider) -> None:
    """Carry out each fault until cancelled; then, as when the faults are cleared, everything is as it was.

    To be run once for a provider, where faults may be ordered while it serves.
    """
    engine = _Engine(provider)
    try:
        await engine.run()
    finally:
        engine.let_go()


@define(eq=False)
class _Engine:
    """Listens to the faults that are ordered and to the books of every account."""

    _provider: Provider
    _others: list[tuple[Books, OtherUsers]] = field(factory=list, init=False)
    _ordered: trio.Event = field(factory=trio.Event, init=False)

    async def run(self) -> None:
        """Run until cancelled; clearing the faults ends what lasts."""
        faults = self._provider.faults
        faults.ordered = self._provider.accounts.opened = self._note_ordered
        while True:
            async with trio.open_nursery() as lasting:
                faults.cleared = lasting.cancel_scope.cancel
                await self._strike_in_time(lasting)

    def let_go(self) -> None:
        """Listen no more."""
        self._provider.faults.ordered = self._provider.faults.cleared = self._provider.accounts.opened = _nothing
        for books, _ in self._others:
            books.refuses, books.freed = _never, _nothing

    async def _strike_in_time(self, lasting: trio.Nursery) -> None:
        faults = self._provider.faults
        while True:
            self._watch_books()
            self._ordered = trio.Event()
            while (fault := faults.strike(*ENGINE_FAULTS)) is not None:
                lasting.start_soon(self._carry_out, fault)
            with trio.move_on_at(faults.next_at(*ENGINE_FAULTS)):
                await self._ordered.wait()

    def _note_ordered(self) -> None:
        self._watch_books()  # now: the next request may be the one to refuse
        self._ordered.set()

    def _watch_books(self) -> None:
        """Have a say at the books of every account, new ones among them."""
        for account in self._provider.accounts.all[len(self._others) :]:
            others = OtherUsers(account.books, settle=self._provider.options.settle)
            self._others.append((account.books, others))
            account.books.refuses = _Doorman(self._provider, others).refuses
            account.books.freed = others.note_freed

    async def _carry_out(self, fault: Fault) -> None:
        lasting = self._provider.faults.lasting
        lasting[fault.name] += 1
        try:
            await self._do(fault)
        finally:
            lasting[fault.name] -= 1

    async def _do(self, fault: Fault) -> None:
        gates = self._provider.faults.gates
        match fault.name:
            case "stop_reading":
                with gates.stop_reading():
                    await trio.sleep(fault.seconds)
            case "unauthorized":
                with gates.lock():
                    await trio.sleep(fault.seconds or float("inf"))
            case "gone":
                async with gates.be_gone():
                    await trio.sleep(fault.seconds)
            case "restart":
                self._provider.synthesizer.restart()
                async with gates.restart():
                    await trio.sleep(fault.seconds)
            case "other_user":
                await self._hold_slots(fault)

    async def _hold_slots(self, fault: Fault) -> None:
        """Have another user of the first account hold a slot, once or for a share of the time."""
        _, others = self._others[0]
        rng = random.Random(fault.noise)
        while True:
            async with others.holding():
                await trio.sleep(rng.expovariate(1 / fault.seconds) if fault.random else fault.seconds)
            if fault.share is None:
                return
            await trio.sleep(rng.expovariate(fault.share / (fault.seconds * (1.0 - fault.share))))
            self._provider.faults.note(fault.name)


@define(eq=False)
class _Doorman:
    """Asked by the books of one account whether a request is refused although there is a slot."""

    _provider: Provider
    _others: OtherUsers

    def refuses(self) -> bool:
        """Say so; other users go first, and are not refused."""
        if self._others.seizing:
            return False
        self._others.seize()
        return self._provider.faults.strike("refuse") is not None


def _never() -> bool:
    return False


def _nothing() -> None:
    pass

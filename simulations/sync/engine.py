"""Carries out the faults that strike by themselves, each at its time: other users, keys that are no good, an outage."""

from __future__ import annotations

import random

import trio
from attrs import define, field

from simulations.sync.faults import BY_THEMSELVES
from simulations.sync.others import Others
from simulations.waves.faults.fault import Fault
from simulations.waves.faults.faults import Faults


@define(eq=False)
class Engine:
    """Listens to the faults that are ordered. Clearing them ends what lasts."""

    _faults: Faults
    _others: Others
    _ordered: trio.Event = field(factory=trio.Event, init=False)

    async def run(self) -> None:
        """Run until cancelled."""
        self._faults.ordered = self._note_ordered
        while True:
            async with trio.open_nursery() as lasting:
                self._faults.cleared = lasting.cancel_scope.cancel
                await self._strike_in_time(lasting)

    def _note_ordered(self) -> None:
        self._ordered.set()

    async def _strike_in_time(self, lasting: trio.Nursery) -> None:
        while True:
            self._ordered = trio.Event()
            while (fault := self._faults.strike(*BY_THEMSELVES)) is not None:
                lasting.start_soon(self._carry_out, fault)
            with trio.move_on_at(self._faults.next_at(*BY_THEMSELVES)):
                await self._ordered.wait()

    async def _carry_out(self, fault: Fault) -> None:
        self._faults.lasting[fault.name] += 1
        try:
            await self._do(fault)
        finally:
            self._faults.lasting[fault.name] -= 1

    async def _do(self, fault: Fault) -> None:
        gates = self._faults.gates
        if fault.name == "other_user":
            await self._use_account(fault)
        elif fault.name == "revoked":
            with gates.lock():
                await trio.sleep(fault.seconds or float("inf"))
        else:
            async with gates.be_gone():
                await trio.sleep(fault.seconds)

    async def _use_account(self, fault: Fault) -> None:
        """Have another user's generations live, one or for a share of the time."""
        rng = random.Random(fault.noise)
        while True:
            await self._others.live(rng.expovariate(1 / fault.seconds) if fault.random else fault.seconds)
            if fault.share is None:
                return
            await trio.sleep(rng.expovariate(fault.share / (fault.seconds * (1.0 - fault.share))))
            self._faults.note(fault.name)

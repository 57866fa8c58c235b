"""Who borrows which link, and what a borrower is told when there is none; how many there are is fleet.py's."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Emit, Now, Slots, Standing
from orchestrator.speech.fleet import Fleet
from orchestrator.speech.keeper import Provider
from orchestrator.speech.lending import Borrower, Lease

_LINK_WITHIN = 6.0
"""Seconds that a borrower, who holds the slot, waits for a link before it gives the slot back."""
_NO_LINK = ProviderFault(FaultKind.LINKS, "no link to the provider was free in time")


class Pool:
    """Lends the account's links. Run `run` in a nursery; its cancellation closes every link.

    `draw` gives a number in [0, 1) for the jitter of back-offs.
    """

    def __init__(
        self, provider: Provider, *, slots: Slots, emit: Emit, now: Now, draw: Callable[[], float] = lambda: 0.5
    ) -> None:
        self._fleet = Fleet(provider, slots=slots, emit=emit, now=now, draw=draw)
        self._fleet.changed = self._settle
        self._borrowers: deque[Borrower] = deque()

    async def run(self) -> None:
        """Keep the links; runs until cancelled."""
        await self._fleet.run()

    @property
    def standing(self) -> Standing:
        """How the provider stands, as far as is known."""
        return self._fleet.health.standing

    async def wait_standing_changed(self) -> None:
        """Wait until the provider stands otherwise."""
        await self._fleet.wait_standing_changed()

    @property
    def fault(self) -> ProviderFault | None:
        """Why no link is open just now; None while one is, or nobody has tried yet."""
        return None if self._fleet.any_open else self._fleet.fault or self._fleet.health.fault

    async def wait_ready(self) -> None:
        """Wait for the first link. Raises ProviderFault when it cannot be opened."""
        await self._fleet.first_news.wait()
        if self._fleet.opened == 0 and (fault := self._fleet.fault):
            raise _again(fault)

    def allow(self, *, slots: int, links: int) -> None:
        """So many requests and sockets at a time are allowed from now on; the slots are told by themselves."""
        self._fleet.allow(slots=slots, links=links)

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Lease]:
        """Borrow a link for one piece. Raises ProviderFault when none can be had: at once while the provider is out."""
        borrower = Borrower()
        lease: Lease | None = None
        self._borrowers.append(borrower)
        try:
            self._settle()
            if not borrower.answered.is_set():
                with trio.move_on_after(_LINK_WITHIN):
                    await borrower.answered.wait()
            await trio.lowlevel.checkpoint_if_cancelled()  # lent and cut in one tick: ask for nothing
            if borrower.keeper is None:
                raise _again(self._fleet.health.fault or self._fleet.fault or _NO_LINK)
            lease = Lease(borrower.keeper)
            yield lease
        finally:
            if lease is not None:
                lease.end()
            elif borrower.keeper is not None:  # lent and cancelled in the same tick
                borrower.keeper.give_back(None)
            elif borrower in self._borrowers:
                self._borrowers.remove(borrower)

    def _settle(self) -> None:
        """Called after every change: answer whom we can, then keep the links as they should be."""
        while self._borrowers and self.standing in (Standing.OUT, Standing.FINAL):
            self._borrowers.popleft().answered.set()
        while self._borrowers and self._may_lend() and (keeper := self._fleet.lendable()):
            borrower = self._borrowers.popleft()
            borrower.keeper = keeper
            keeper.lend()
            borrower.answered.set()
        self._fleet.settle()

    def _may_lend(self) -> bool:
        """While the provider is in doubt one request at a time finds out."""
        return self.standing is Standing.UP or not self._fleet.any_in_use


def _again(fault: ProviderFault) -> ProviderFault:
    """A copy: an exception that many tasks raise would keep all their tracebacks."""
    return ProviderFault(fault.kind, fault.message, retry_after=fault.retry_after)

"""How many links are open, who borrows which, and what is known of their reuse; each link's life is its keeper's."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio
from attrs import Factory, define

from orchestrator import events
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Emit, Grant, Now, Slots, SpeechRequest, VoiceFrame
from orchestrator.speech.job import Job
from orchestrator.speech.keeper import Keeper, LinkState, Provider

_REST = 0.5
"""Seconds a link rests after a `complete` while it is unknown whether the provider closes it then."""
_SHORTEST_REDIAL, _LONGEST_REDIAL = 0.2, 5.0
_LINK_WITHIN = 6.0
"""Seconds that a borrower, who holds the slot, waits for a link before it gives the slot back."""


@define(eq=False)
class Borrower:
    """A task that waits for a link."""

    keeper: Keeper | None = None
    ready: trio.Event = Factory(trio.Event)


class Lease:
    """A borrower's use of one link for one piece."""

    def __init__(self, keeper: Keeper) -> None:
        self.link = keeper.number
        self._keeper = keeper
        self._job: Job | None = None

    def ask(self, request: SpeechRequest, grant: Grant) -> trio.MemoryReceiveChannel[VoiceFrame]:
        """Send the request; its frames end with Complete or Failed. The keeper returns the slot from here on."""
        self._job, frames = self._keeper.ask(request, grant)
        return frames

    def end(self) -> None:
        """Give the link back; harmless when the request is complete."""
        self._keeper.give_back(self._job)


class Pool:
    """The account's links: one more than slots kept open and warm, one place of the limit left free.

    With links that serve a single request, the next is dialled when a lease begins. Run `run` in a nursery; its
    cancellation closes every link. `draw` gives a number in [0, 1) for the jitter of back-offs.
    """

    def __init__(
        self, provider: Provider, *, slots: Slots, emit: Emit, now: Now, draw: Callable[[], float] = lambda: 0.5
    ) -> None:
        self._provider = provider
        self._slots = slots
        self._emit = emit
        self._now = now
        self._draw = draw
        self._keepers: list[Keeper] = []
        self._borrowers: deque[Borrower] = deque()
        self._reusable: bool | None = False if provider.settings.link_reuse == "never" else None
        self._failures = 0
        self._opened = 0
        self._dialled = 0
        self._last_fault: ProviderFault | None = None
        self._first_news = trio.Event()
        self._nursery: trio.Nursery | None = None

    async def run(self) -> None:
        """Keep the links; runs until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                self._settle()
                await trio.sleep_forever()
            finally:
                self._nursery = None  # from here on no closed link is replaced

    async def wait_ready(self) -> None:
        """Wait for the first link. Raises ProviderFault when it cannot be opened."""
        await self._first_news.wait()
        if self._opened == 0 and self._last_fault is not None:
            raise self._last_fault

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Lease]:
        """Borrow a link for one piece. Raises ProviderFault when none can be had."""
        borrower = Borrower()
        lease: Lease | None = None
        self._borrowers.append(borrower)
        try:
            self._settle()
            if self._last_fault is not None and self._last_fault.kind is FaultKind.FINAL:
                raise self._last_fault
            with trio.move_on_after(_LINK_WITHIN):
                await borrower.ready.wait()
            await trio.lowlevel.checkpoint_if_cancelled()  # lent and cut in one tick: ask for nothing
            if borrower.keeper is None:
                raise self._last_fault or ProviderFault(FaultKind.LINKS, "no link to the provider was free in time")
            lease = Lease(borrower.keeper)
            yield lease
        finally:
            if lease is not None:
                lease.end()
            elif borrower.keeper is not None:  # lent and cancelled in the same tick
                borrower.keeper.give_back(None)
            elif borrower in self._borrowers:
                self._borrowers.remove(borrower)

    # --- what the keepers tell ---

    def link_opened(self, keeper: Keeper, after: float) -> None:
        """A link is open, `after` seconds of dialling."""
        self._opened += 1
        self._failures = 0
        self._last_fault = None
        self._emit(events.LinkOpened(at=self._now(), link=keeper.number, after=after))
        self._first_news.set()

    def link_closed(self, keeper: Keeper) -> None:
        """An open link is gone, its close complete."""
        self._emit(events.LinkClosed(at=self._now(), link=keeper.number, reason=keeper.reason))

    def link_changed(self, keeper: Keeper) -> None:
        """A link is in another state."""
        if keeper.state is LinkState.CLOSED:
            self._keepers.remove(keeper)
        elif keeper.state is LinkState.IDLE and keeper.used and self._reusable is None and self._nursery is not None:
            self._nursery.start_soon(self._settle_rested)
        self._settle()

    def link_refused(self, fault: ProviderFault) -> None:
        """The account refused a request: nobody asks before the back-off, with full jitter, is over."""
        self._emit(events.ProviderRefused(at=self._now(), kind=fault.kind.value, error=fault.message))
        if fault.kind in (FaultKind.CONCURRENCY, FaultKind.RATE):
            shortest = max(fault.retry_after or 0.0, self._provider.settings.settle)
            self._slots.back_off(shortest + self._provider.settings.backoff * self._draw())

    def link_failed(self, fault: ProviderFault) -> float:
        """A link could not be opened: return for how long its place is not to be tried again."""
        self._failures += 1
        self._last_fault = fault
        self._emit(events.LinkFailed(at=self._now(), kind=fault.kind.value, error=fault.message))
        self._first_news.set()
        longest = min(_SHORTEST_REDIAL * 2.0**self._failures, _LONGEST_REDIAL)
        return max(fault.retry_after or 0.0, longest * (0.5 + self._draw() / 2))

    def link_used_up(self) -> bool:
        """Whether a link is to be closed after its `complete`."""
        return self._reusable is False

    def link_closed_after_complete(self) -> None:
        """The provider closed a link right after a `complete`: from now on each serves one request."""
        self._learn_reuse(False)

    # --- one settle function: called after every change ---

    def _settle(self) -> None:
        """Lend what can be lent, then dial what is missing."""
        while self._borrowers and (keeper := self._lendable()):
            borrower = self._borrowers.popleft()
            borrower.keeper = keeper
            if keeper.used and self._reusable is None:
                self._learn_reuse(True)
            keeper.lend()
            borrower.ready.set()
        while self._nursery is not None and self._missing() > 0:
            self._dialled += 1
            keeper = Keeper(self, self._provider, number=self._dialled)
            self._keepers.append(keeper)
            self._nursery.start_soon(keeper.run)

    def _lendable(self) -> Keeper | None:
        rested = trio.current_time() - _REST
        idle = (keeper for keeper in self._keepers if keeper.state is LinkState.IDLE)
        return next((k for k in idle if self._reusable or not k.used or k.completed_at <= rested), None)

    def _missing(self) -> int:
        settings = self._provider.settings
        coming = {LinkState.IDLE, LinkState.DIALLING}
        if self._reusable:
            coming |= {LinkState.LENT, LinkState.ASKED, LinkState.DRAINING}
        wanted = settings.slots + 1 - sum(keeper.state in coming for keeper in self._keepers)
        return min(wanted, max(1, settings.links - 1) - len(self._keepers))

    async def _settle_rested(self) -> None:
        await trio.sleep(_REST)
        self._settle()

    def _learn_reuse(self, reusable: bool) -> None:
        if self._reusable is not reusable and self._provider.settings.link_reuse == "auto":
            self._reusable = reusable
            self._emit(events.LinkReuseLearned(at=self._now(), reusable=reusable))

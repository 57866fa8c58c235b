"""How many links are open, who borrows which, and what is known of their reuse; each link's life is its keeper's."""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio
from attrs import Factory, define, field

from orchestrator import events
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Emit, Grant, Now, Slots, SpeechRequest, VoiceFrame
from orchestrator.speech.job import Job
from orchestrator.speech.keeper import Keeper, LinkState, Provider

_REST = 0.5
"""Seconds a link rests after a `complete` while it is unknown whether the provider closes it then."""
_SHORTEST_REDIAL, _LONGEST_REDIAL = 0.2, 5.0
_DOUBLINGS = 5
"""After so many failures in a row the wait before a dial is the longest."""
_LINK_WITHIN = 6.0
"""Seconds that a borrower, who holds the slot, waits for a link before it gives the slot back."""
_TO_COME = (LinkState.IDLE, LinkState.DIALLING)
"""States of links that can be lent now or soon; where links are reused, those in use will be, too."""
_TO_COME_AGAIN = (*_TO_COME, LinkState.LENT, LinkState.ASKED, LinkState.DRAINING)
_NO_LINK = ProviderFault(FaultKind.LINKS, "no link to the provider was free in time")


@define(eq=False)
class Borrower:
    """A task that waits for a link."""

    keeper: Keeper | None = None
    ready: trio.Event = Factory(trio.Event)


@define
class Reuse:
    """Whether the provider keeps a link after a `complete`, as far as is known: None until it was seen."""

    known: bool | None
    _closes: int = field(default=0, init=False)

    def survived(self) -> bool:
        """A link outlived a `complete`; return whether that is news."""
        self._closes = 0
        news = self.known is None
        if news:
            self.known = True
        return news

    def closed(self) -> bool:
        """A link was closed right after a `complete`; return whether that is news.

        Where links were kept, a single one may be chance.
        """
        self._closes += 1
        news = self.known is None or (self.known and self._closes > 1)
        if news:
            self.known = False
        return news


@define
class Outage:
    """How many links failed in a row, and how the last one did."""

    fault: ProviderFault | None = None
    _failures: int = field(default=0, init=False)

    def raise_if_final(self) -> None:
        """Raise the last fault if no further try will help."""
        if self.fault is not None and self.fault.kind is FaultKind.FINAL:
            raise _again(self.fault)

    def wait_after(self, fault: ProviderFault, *, draw: float) -> float:
        """Note a failure; return how long the link's place waits for the next dial, `draw` in [0, 1) its jitter."""
        self.fault = fault
        self._failures += 1
        longest = min(_SHORTEST_REDIAL * 2.0 ** min(self._failures, _DOUBLINGS), _LONGEST_REDIAL)
        return max(fault.retry_after or 0.0, longest * (0.5 + draw / 2))


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
        self._reuse = Reuse(False if provider.settings.link_reuse == "never" else None)
        self._outage = Outage()
        self._opened = 0
        self._dialled = 0
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

    @property
    def fault(self) -> ProviderFault | None:
        """Why no link is open just now; None while one is, or nobody has tried yet."""
        return self._outage.fault if not any(keeper.state.is_open for keeper in self._keepers) else None

    async def wait_ready(self) -> None:
        """Wait for the first link. Raises ProviderFault when it cannot be opened."""
        await self._first_news.wait()
        if self._opened == 0 and (fault := self._outage.fault):
            raise _again(fault)

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Lease]:
        """Borrow a link for one piece. Raises ProviderFault when none can be had."""
        borrower = Borrower()
        lease: Lease | None = None
        self._borrowers.append(borrower)
        try:
            self._settle()
            self._outage.raise_if_final()
            if borrower.keeper is None:
                with trio.move_on_after(_LINK_WITHIN):
                    await borrower.ready.wait()
            await trio.lowlevel.checkpoint_if_cancelled()  # lent and cut in one tick: ask for nothing
            if borrower.keeper is None:
                raise _again(self._outage.fault or _NO_LINK)
            lease = Lease(borrower.keeper)
            yield lease
        finally:
            if lease is not None:
                lease.end()
            elif borrower.keeper is not None:  # lent and cancelled in the same tick
                borrower.keeper.give_back(None)
            elif borrower in self._borrowers:
                self._borrowers.remove(borrower)

    def link_opened(self, keeper: Keeper, after: float) -> None:
        """A link is open, `after` seconds of dialling."""
        self._opened += 1
        self._outage = Outage()
        self._emit(events.LinkOpened(at=self._now(), link=keeper.number, after=after))
        self._first_news.set()

    def link_closed(self, keeper: Keeper) -> None:
        """An open link is gone, its close complete."""
        self._emit(events.LinkClosed(at=self._now(), link=keeper.number, reason=keeper.reason))

    def link_changed(self, keeper: Keeper) -> None:
        """A link is in another state."""
        if keeper.state is LinkState.CLOSED:
            self._keepers.remove(keeper)
        elif keeper.state is LinkState.IDLE and keeper.completed:
            if keeper.completed > 1:
                self._learn(self._reuse.survived())
            if self._reuse.known is None and self._nursery is not None:
                self._nursery.start_soon(self._settle_at, keeper.completed_at + _REST)
        self._settle()

    def link_refused(self, fault: ProviderFault, *, call: str) -> None:
        """The account refused a call's request: nobody asks before the back-off, with full jitter, is over."""
        self._emit(events.ProviderRefused(at=self._now(), kind=fault.kind.value, error=fault.message, call=call))
        if fault.kind in (FaultKind.CONCURRENCY, FaultKind.RATE):
            self._slots.refused(fault, draw=self._draw())

    def link_failed(self, error: Exception) -> float:
        """A link could not be opened or kept: return for how long its place is not to be tried again."""
        fault = _fault_of(error)
        kind, trace = (fault.kind.value, "") if fault is error else ("bug", "".join(traceback.format_exception(error)))
        self._emit(events.LinkFailed(at=self._now(), kind=kind, error=fault.message, traceback=trace))
        self._first_news.set()
        return self._outage.wait_after(fault, draw=self._draw())

    def link_used_up(self) -> bool:
        """Whether a link is to be closed after its `complete`."""
        return self._reuse.known is False

    def link_closed_after_complete(self) -> None:
        """The provider closed a link right after a `complete`."""
        self._learn(self._reuse.closed())

    # --- one settle function: called after every change ---

    def _settle(self) -> None:
        """Lend what can be lent, then dial what is missing."""
        while self._borrowers and (keeper := self._lendable()):
            borrower = self._borrowers.popleft()
            borrower.keeper = keeper
            if keeper.completed and _has_rested(keeper):
                self._learn(self._reuse.survived())
            keeper.lend()
            borrower.ready.set()
        while self._nursery is not None and self._missing() > 0:
            self._dialled += 1
            keeper = Keeper(self, self._provider, number=self._dialled)
            self._keepers.append(keeper)
            self._nursery.start_soon(keeper.run)

    def _lendable(self) -> Keeper | None:
        return next((k for k in self._keepers if k.lendable and (self._reuse.known or _has_rested(k))), None)

    def _missing(self) -> int:
        settings = self._provider.settings
        coming = _TO_COME_AGAIN if self._reuse.known else _TO_COME
        wanted = settings.slots + 1 - sum(keeper.state in coming for keeper in self._keepers)
        return min(wanted, max(1, settings.links - 1) - len(self._keepers))

    async def _settle_at(self, time: float) -> None:
        await trio.sleep_until(time)
        self._settle()

    def _learn(self, news: bool) -> None:
        if news and self._reuse.known is not None:
            self._emit(events.LinkReuseLearned(at=self._now(), reusable=self._reuse.known))


def _has_rested(keeper: Keeper) -> bool:
    # The same sum as the wake-up's: a difference could be rounded to a moment before it.
    return keeper.completed_at + _REST <= trio.current_time()


def _fault_of(error: Exception) -> ProviderFault:
    if isinstance(error, ProviderFault):
        return error
    return ProviderFault(FaultKind.RETRY, f"a bug: {type(error).__name__}: {error}")


def _again(fault: ProviderFault) -> ProviderFault:
    """A copy: an exception that many tasks raise would keep all their tracebacks."""
    return ProviderFault(fault.kind, fault.message, retry_after=fault.retry_after)

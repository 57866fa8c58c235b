"""Owns the slots of the policy `retry`: every call for itself, backing off after each refusal; what a reply asks for is
policies.py's.
"""

from __future__ import annotations

import random
import sys
from types import TracebackType

import trio
from attrs import define

from orchestrator.errors import ProviderFault
from orchestrator.ports import Ask, Emit, Now
from orchestrator.slot import telling
from orchestrator.slot.queue import SlotQueue, Ticket, TicketState

_FIRST_BACK_OFF = 0.5
_DOUBLINGS = 4
"""After so many the back-off is the longest: 8 s."""


@define
class _Refusals:
    """How often in a row the provider refused one call, and until when (run clock) that call backs off."""

    in_a_row: int = 0
    until: float = float("-inf")


class Try:
    """One try of one call, granted when the call's back-off is over, whoever else asks: a Place and its Grant."""

    room = float("inf")

    def __init__(self, tries: Tries, *, ask: Ask, ticket: Ticket, refusals: _Refusals) -> None:
        self.number = ticket.number
        self.ask = ask
        self.ticket = ticket
        self.refusals = refusals
        self.joined_at = tries.now()
        self.occupied_at: float | None = None
        self._tries = tries
        self._resumed: trio.Event | None = None
        """There is one while the place is held."""

    async def __aenter__(self) -> Try:
        try:
            await trio.sleep(max(0.0, self.refusals.until - self._tries.now()))
            while self._resumed is not None:
                await self._resumed.wait()
        except BaseException:
            self._tries.leave(self)
            raise
        self._tries.grant(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.occupied_at is None:
            self.free("failed" if isinstance(error, ProviderFault) else "unused")

    def revise(self, need_in: float) -> None:
        """Without effect: nobody goes first."""

    def wait_ahead(self) -> float:
        """Return what is left of the call's back-off."""
        return max(0.0, self.refusals.until - self._tries.now())

    def hold(self) -> None:
        """Keep from trying, also when the back-off is over; without effect once it was tried."""
        if self.ticket.state is TicketState.HELD and self._resumed is None:
            self._resumed = trio.Event()

    def resume(self, need_in: float) -> None:
        """End a hold."""
        if self._resumed is not None:
            self._resumed.set()
            self._resumed = None

    def occupy(self) -> None:
        """The request is on its way: from here on the call uses the account."""
        self.occupied_at = self._tries.now()

    def free(self, cause: str) -> None:
        """The try is over; harmless when it is already."""
        self._tries.free(self, cause)


class Tries:
    """No coordination: implements the `Slots` port; every call tries when it likes and heeds only its own refusals.

    After n refusals in a row a call backs off for a time drawn evenly from 0 to 0.5 s * 2 ** (n - 1), 8 s at most, from
    the refusal on ("exponential back-off with full jitter"). The queue has slots for all and only keeps the accounts.
    """

    def __init__(self, *, bound: float, rng: random.Random, emit: Emit, now: Now) -> None:
        self.queue = SlotQueue(slots=sys.maxsize, bound=bound)
        self.now = now
        self._rng = rng
        self._emit = emit
        self._refusals: dict[str, _Refusals] = {}

    async def run(self) -> None:
        """Wait to be cancelled: each call minds its own time."""
        await trio.sleep_forever()

    def begin_reply(self, call: str, *, weight: float) -> None:
        """Start a reply's accounting; a back-off goes on."""
        self.queue.begin_reply(call, weight=weight)

    def expect(self, call: str, *, need_in: float | None = None) -> None:
        """Nothing is kept for a call that has not asked."""

    def unexpect(self, call: str) -> None:
        """Nothing was kept."""

    def leisure(self) -> float:
        """Nobody knows whether all is calm."""
        return 0.0

    def join(self, ask: Ask) -> Try:
        """Make a try; use the result in `async with`."""
        ticket = self.queue.join(ask.call, need_by=self.now() + ask.need_in, expected=ask.expected)
        self.queue.hold(ticket)
        place = Try(self, ask=ask, ticket=ticket, refusals=self._refusals.setdefault(ask.call, _Refusals()))
        self._emit(telling.joined(place))
        return place

    settle = 0.1
    crowded = False

    def wait_ahead(self) -> float:
        """Nobody knows."""
        return 0.0

    def idle_for(self) -> float:
        """Nobody knows whether anybody will ask."""
        return 0.0

    def allow(self, slots: int) -> None:
        """Without effect: nobody keeps the limit."""

    def refused(self, fault: ProviderFault, *, draw: float) -> None:
        """Without effect: nobody hears of another's refusal."""

    def close(self, call: str) -> None:
        """Forget a call that is over."""
        self.queue.close(call)
        self._refusals.pop(call, None)

    def grant(self, place: Try) -> None:
        """Let a place try."""
        self.queue.resume(place.ticket, need_by=place.ticket.need_by)
        self.queue.settle(self.now())
        self._emit(telling.granted(place, self.now()))

    def leave(self, place: Try) -> None:
        """Forget a place that has not tried; harmless for any other."""
        if self.queue.leave(place.ticket):
            self._emit(telling.left(place, self.now()))

    def free(self, place: Try, cause: str) -> None:
        """End a try; harmless when it is over already. What counts as held begins with the request."""
        at = self.now()
        held = 0.0 if place.occupied_at is None else at - place.occupied_at
        if self.queue.free(place.ticket, seconds=held):
            self._learn(place.refusals, cause)
            self._emit(telling.freed(place, at, held=held, cause=cause))

    def _learn(self, refusals: _Refusals, cause: str) -> None:
        if cause in ("refused", "failed"):
            longest = _FIRST_BACK_OFF * 2.0 ** min(refusals.in_a_row, _DOUBLINGS)
            refusals.in_a_row += 1
            refusals.until = self.now() + self._rng.uniform(0.0, longest)
        elif cause != "unused":  # it was let in, if only to be cut
            refusals.in_a_row = 0

"""Waits for the slot and keeps its books in step with time; who gets it is decided in queue.py alone."""

from __future__ import annotations

from itertools import islice
from types import TracebackType

import trio

from orchestrator.errors import ProviderFault
from orchestrator.ports import Ask, Emit, Now
from orchestrator.slot import telling
from orchestrator.slot.outlook import Outlook
from orchestrator.slot.queue import SlotQueue, Ticket, TicketState

_WORD_WITHIN = 0.05
"""Seconds within which a call whose piece is complete says whether it wants the next one; it always does, at once: so
no task watches over this."""

_MOST_URGENT = 64
"""So many tickets are looked at when a piece's length is chosen: the slack is gone long before that."""


class LocalPlace:
    """A place in this process's queue, and the grant it becomes.

    Grant and cancel can fall into one tick of the scheduler: leaving covers a waiting and a granted ticket alike, and
    does nothing the second time.
    """

    def __init__(self, scheduler: Scheduler, *, ask: Ask, ticket: Ticket) -> None:
        self.number = ticket.number
        self.ask = ask
        self.ticket = ticket
        self.joined_at = scheduler.now()
        self.granted_at = 0.0
        self.room = float("inf")
        self.granted = trio.Event()
        self.deserted = False
        """Whether the borrower has gone while the keeper still holds the slot: nobody says what comes next."""
        self._scheduler = scheduler
        self._occupied = False

    async def __aenter__(self) -> LocalPlace:
        try:
            await self.granted.wait()
            await trio.lowlevel.checkpoint_if_cancelled()  # granted and cut in one tick: ask for nothing
        except BaseException:
            self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def revise(self, need_in: float) -> None:
        """Change when the slot is needed, in seconds from now."""
        self._scheduler.queue.revise(self.ticket, need_by=self._scheduler.now() + need_in)

    def wait_ahead(self) -> float:
        """Predict in how many seconds it is granted; 0 once it is."""
        return 0.0 if self.granted.is_set() else self._scheduler.wait_ahead()

    def hold(self) -> None:
        """Keep the place without being granted the slot."""
        self._scheduler.queue.hold(self.ticket)

    def resume(self, need_in: float) -> None:
        """End a hold."""
        self._scheduler.queue.resume(self.ticket, need_by=self._scheduler.now() + need_in)
        self._scheduler.settle_queue()

    def occupy(self) -> None:
        """Pass the duty to return the slot from the borrower to the keeper of the link."""
        self._occupied = True

    def free(self, cause: str) -> None:
        """Return the slot; harmless when it is back already."""
        self._scheduler.free(self, cause)

    def _leave(self) -> None:
        if self.ticket.state is TicketState.GRANTED and not self._occupied:
            self.free("unused")
        else:
            self.deserted = True
            self._scheduler.leave(self)


class Scheduler:
    """This process's slots: implements the `Slots` port over one SlotQueue. Run `run` in a nursery beside it.

    Without an `outlook` it is told when a piece is needed and believes it, and any piece may be as long as it likes.
    """

    def __init__(self, queue: SlotQueue, *, emit: Emit, now: Now, outlook: Outlook | None = None) -> None:
        self.queue = queue
        self._outlook = outlook
        self.now = now
        self._emit = emit
        self._places: dict[Ticket, LocalPlace] = {}
        self._resume_at = float("-inf")
        self._backed_off = trio.Event()
        self._awaited = ""
        """The call whose word is awaited before the slot that it gave back is granted, until `_word_by` at most."""
        self._word_by = float("-inf")

    async def run(self) -> None:
        """Grant again when a back-off is over; runs until cancelled."""
        while True:
            await self._backed_off.wait()
            self._backed_off = trio.Event()
            resume_at = self._resume_at
            await trio.sleep(max(0.0, resume_at - self.now()))
            if self._resume_at == resume_at:  # else a longer back-off came meanwhile, and has set the event again
                self._resume_at = float("-inf")  # rounded times may still be a hair before it
            self.settle_queue()

    def begin_reply(self, call: str, *, weight: float) -> None:
        """Start a reply's accounting."""
        self.queue.begin_reply(call, weight=weight)

    def expect(self, call: str, *, need_in: float | None = None) -> None:
        """The call will ask: by `need_in` seconds from now, or some time after its caller fell silent just now."""
        if self._outlook is not None:
            self._outlook.expect(call, self.now(), need_in=need_in)
            self._hear_from(call)

    def unexpect(self, call: str) -> None:
        """The call will not ask for anything in the near future."""
        if self._outlook is not None:
            self._outlook.unexpect(call)
            self._hear_from(call)

    def leisure(self) -> float:
        """For how many seconds a first piece should wait for the rest of its sentence; above 0 all is calm."""
        return 0.0 if self._outlook is None else self._outlook.leisure(self.now())

    def join(self, ask: Ask) -> LocalPlace:
        """Queue up for `ask`; use the result in `async with`."""
        need_by = self._need_by(ask)
        ticket = self.queue.join(ask.call, need_by=need_by, expected=ask.expected, first=ask.first)
        place = self._places[ticket] = LocalPlace(self, ask=ask, ticket=ticket)
        if ask.call == self._awaited:
            self._awaited = ""
        self._emit(telling.joined(place))
        self.settle_queue()
        return place

    @property
    def settle(self) -> float:
        """Seconds for which the provider still counts a request after its link is gone, as far as is known."""
        return 0.1

    def wait_ahead(self) -> float:
        """Predict for how many seconds a first piece would wait that is asked for now."""
        return max(0.0, self._resume_at - self.now())

    def idle_for(self) -> float:
        """For how many seconds nobody will need a slot, as far as is known: 0 while a caller speaks or a bot thinks."""
        return 0.0

    def allow(self, slots: int) -> None:
        """So many requests at a time are allowed from now on."""
        self.queue.slots = slots
        self.settle_queue()

    def refused(self, fault: ProviderFault, *, draw: float) -> None:
        """Grant nothing for a while: the account refused, and nobody else should run into the same wall."""
        seconds = max(fault.retry_after or 0.0, 0.1) + 0.5 * draw
        self._resume_at = max(self._resume_at, self.now() + seconds)
        self._backed_off.set()

    def close(self, call: str) -> None:
        """Forget a call that is over."""
        self.unexpect(call)
        if self._outlook is not None:
            self._outlook.forget(call)
        self.queue.close(call)

    def leave(self, place: LocalPlace) -> None:
        """Take a place that was not granted out of the queue; harmless for any other."""
        if self.queue.leave(place.ticket):
            del self._places[place.ticket]
            self._emit(telling.left(place, self.now()))
            self.settle_queue()

    def free(self, place: LocalPlace, cause: str) -> None:
        """Take a granted slot back; harmless when it is back already."""
        held = self.now() - place.granted_at
        if self.queue.free(place.ticket, seconds=held):
            del self._places[place.ticket]
            if self._outlook is not None:
                self._outlook.used(held, self.now())
            self._emit(telling.freed(place, self.now(), held=held, cause=cause))
            if cause == "complete" and not place.deserted:
                self._await_word(place.ask.call)
            self.settle_queue()

    def settle_queue(self) -> None:
        """Grant what can be granted: called after every change."""
        if self.now() < self._resume_at or (self._awaited and self.now() < self._word_by):
            return
        for ticket in self.queue.settle(self.now()):
            place = self._places[ticket]
            place.granted_at = self.now()
            place.room = self._room(place.ask)
            place.granted.set()
            self._emit(telling.granted(place, place.granted_at))

    def _await_word(self, call: str) -> None:
        """Grant nothing until a call that goes on has said if it wants the next piece: it may need it before all."""
        if self._outlook is not None and self._outlook.will_need(call):
            self._awaited = call
            self._word_by = self.now() + _WORD_WITHIN

    def _hear_from(self, call: str) -> None:
        if call == self._awaited:
            self._awaited = ""
            self.settle_queue()

    def _need_by(self, ask: Ask) -> float:
        now = self.now()
        if self._outlook is None:
            return now + ask.need_in
        self._outlook.asked(ask.call, ready_at=now - ask.since_ready if ask.first else None)
        if ask.first:
            return now - ask.since_ready + self._outlook.patience_now()
        return now + ask.need_in - self._outlook.pace.ttfb

    def _room(self, ask: Ask) -> float:
        if self._outlook is None:
            return float("inf")
        urgent = islice(self.queue.in_order(), _MOST_URGENT)
        return self._outlook.room(
            ask.call,
            first=ask.first,
            now=self.now(),
            free=self.queue.slots - self.queue.granted,
            waiting=[(ticket.need_by, ticket.first, ticket.account.call) for ticket in urgent],
        )

"""Waits for the slot and keeps its books in step with time; who gets it is decided in queue.py alone."""

from __future__ import annotations

from types import TracebackType

import trio

from orchestrator import events
from orchestrator.ports import Ask, Emit, Now
from orchestrator.slot.queue import SlotQueue, Ticket, TicketState


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
        self.slack = float("inf")
        self.granted = trio.Event()
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

    def hold(self) -> None:
        """Keep the place without being granted the slot."""
        self._scheduler.queue.hold(self.ticket)

    def resume(self, need_in: float) -> None:
        """End a hold."""
        self._scheduler.queue.resume(self.ticket, need_by=self._scheduler.now() + need_in)
        self._scheduler.settle()

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
            self._scheduler.leave(self)


class Scheduler:
    """This process's slots: implements the `Slots` port over one SlotQueue. Run `run` in a nursery beside it."""

    def __init__(self, queue: SlotQueue, *, emit: Emit, now: Now) -> None:
        self.queue = queue
        self.now = now
        self._emit = emit
        self._places: dict[Ticket, LocalPlace] = {}
        self._resume_at = float("-inf")
        self._backed_off = trio.Event()

    async def run(self) -> None:
        """Grant again when a back-off is over; runs until cancelled."""
        while True:
            await self._backed_off.wait()
            self._backed_off = trio.Event()
            resume_at = self._resume_at
            await trio.sleep(max(0.0, resume_at - self.now()))
            if self._resume_at == resume_at:  # else a longer back-off came meanwhile, and has set the event again
                self._resume_at = float("-inf")  # rounded times may still be a hair before it
            self.settle()

    def begin_reply(self, call: str, *, weight: float) -> None:
        """Start a reply's accounting."""
        self.queue.begin_reply(call, weight=weight)

    def expect(self, call: str) -> None:
        """A call whose caller has just fallen silent will ask soon."""

    def unexpect(self, call: str) -> None:
        """The call will not ask soon after all."""

    def join(self, ask: Ask) -> LocalPlace:
        """Queue up for `ask`; use the result in `async with`."""
        ticket = self.queue.join(ask.call, need_by=self.now() + ask.need_in, expected=ask.expected)
        place = self._places[ticket] = LocalPlace(self, ask=ask, ticket=ticket)
        self._emit(
            events.TicketJoined(
                at=self.now(),
                call=ask.call,
                reply=ask.reply,
                ticket=ticket.number,
                need_by=ticket.need_by,
                first=ask.first,
            )
        )
        self.settle()
        return place

    def back_off(self, seconds: float) -> None:
        """Grant nothing for `seconds`: the account refused, and nobody else should run into the same wall."""
        self._resume_at = max(self._resume_at, self.now() + seconds)
        self._backed_off.set()

    def close(self, call: str) -> None:
        """Forget a call that is over."""
        self.queue.close(call)

    def leave(self, place: LocalPlace) -> None:
        """Take a place that was not granted out of the queue; harmless for any other."""
        if self.queue.leave(place.ticket):
            del self._places[place.ticket]
            ask, waited = place.ask, self.now() - place.joined_at
            self._emit(
                events.TicketLeft(
                    at=self.now(), call=ask.call, reply=ask.reply, ticket=place.number, first=ask.first, waited=waited
                )
            )
            self.settle()

    def free(self, place: LocalPlace, cause: str) -> None:
        """Take a granted slot back; harmless when it is back already."""
        held = self.now() - place.granted_at
        if self.queue.free(place.ticket, seconds=held):
            del self._places[place.ticket]
            self._emit(
                events.SlotFreed(at=self.now(), call=place.ask.call, ticket=place.number, held=held, cause=cause)
            )
            self.settle()

    def settle(self) -> None:
        """Grant what can be granted: called after every change."""
        if self.now() < self._resume_at:
            return
        for ticket in self.queue.settle():
            place = self._places[ticket]
            place.granted_at = self.now()
            place.granted.set()
            self._emit(self._granted_event(place))

    def _granted_event(self, place: LocalPlace) -> events.SlotGranted:
        ask, waited = place.ask, place.granted_at - place.joined_at
        return events.SlotGranted(
            at=place.granted_at,
            call=ask.call,
            reply=ask.reply,
            ticket=place.number,
            first=ask.first,
            waited=waited,
            wait=ask.since_ready + waited if ask.first else None,
            account=self.queue.account_of(ask.call),
        )

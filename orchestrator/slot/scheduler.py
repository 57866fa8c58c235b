"""Waits for the slots and keeps their books in step with time; who gets one is decided in queue.py alone, when the
account may be asked in account.py."""

from __future__ import annotations

from orchestrator.errors import ProviderFault
from orchestrator.ports import Ask, Emit, Now
from orchestrator.settings import ProviderSettings
from orchestrator.slot import telling
from orchestrator.slot.account import Account
from orchestrator.slot.alarm import Alarm
from orchestrator.slot.outlook import Outlook
from orchestrator.slot.place import LocalPlace
from orchestrator.slot.queue import SlotQueue, Ticket
from orchestrator.slot.trusting import Trusting
from orchestrator.slot.waits import Waits
from orchestrator.slot.word import AwaitedWord

_MOST_URGENT = 64
"""So many tickets are looked at when a piece's length is chosen: the slack is gone long before that."""


class Scheduler:
    """This process's slots: implements the `Slots` port over one SlotQueue. Run `run` in a nursery beside it.

    Without an `outlook` it is told when a piece is needed and believes it, and any piece may be as long as it likes.
    Without an `account` nothing is known of that but the defaults.
    """

    def __init__(
        self, queue: SlotQueue, *, emit: Emit, now: Now, outlook: Outlook | None = None, account: Account | None = None
    ) -> None:
        self.queue = queue
        self.account = account or Account.of(ProviderSettings())
        self.now = now
        self._outlook = outlook or Trusting()
        self._waits = Waits(queue)
        self._emit = emit
        self._places: dict[Ticket, LocalPlace] = {}
        self._alarm = Alarm(now)
        self._word = AwaitedWord()

    async def run(self) -> None:
        """Grant again when the account may be asked; runs until cancelled."""
        await self._alarm.run(self.settle_queue)

    def begin_reply(self, call: str, *, weight: float) -> None:
        """Start a reply's accounting."""
        self.queue.begin_reply(call, weight=weight)

    def expect(self, call: str, *, need_in: float | None = None) -> None:
        """The call will ask: by `need_in` seconds from now, or some time after its caller fell silent just now."""
        self._outlook.expect(call, self.now(), need_in=need_in)
        self._hear_from(call)

    def unexpect(self, call: str) -> None:
        """The call will not ask for anything in the near future."""
        self._outlook.unexpect(call)
        self._hear_from(call)

    def leisure(self) -> float:
        """For how many seconds a first piece should wait for the rest of its sentence; above 0 all is calm."""
        return self._outlook.leisure(self.now())

    def wait_ahead(self, ticket: Ticket | None = None) -> float:
        """Predict for how many seconds a first piece would wait that is asked for now, or this `ticket` still will."""
        now = self.now()
        need_by = now + self._outlook.patience_now()
        return self.account.delay(self._waits.ahead(ticket, need_by=need_by, now=now), now)

    def idle_for(self) -> float:
        """For how many seconds nobody will need a slot, as far as is known: 0 while a caller speaks or a bot thinks."""
        now = self.now()
        busy = self._places or self.account.may_ask_at(now) > now
        return 0.0 if busy else self._outlook.idle_for(now)

    @property
    def settle(self) -> float:
        """Seconds for which the provider still counts a request after its link is gone, as far as is known."""
        return self.account.settle(self.now())

    @property
    def crowded(self) -> bool:
        """Whether there is more to say than time to say it: first pieces are late on the average."""
        return self._outlook.crowded

    def join(self, ask: Ask) -> LocalPlace:
        """Queue up for `ask`; use the result in `async with`."""
        now = self.now()
        need_by, behind = self._outlook.asks(ask, now)
        ticket = self.queue.join(ask.call, need_by=need_by - behind, expected=ask.expected, first=ask.first)
        place = self._places[ticket] = LocalPlace(self, ask=ask, ticket=ticket, behind=behind)
        self._word.heard(ask.call)
        self._emit(telling.joined(place))
        self._waits.joined(ticket, now)
        self.settle_queue()
        return place

    def refused(self, fault: ProviderFault, *, draw: float) -> None:
        """The account itself refused: nobody asks before its back-off is over; `draw` in [0, 1) is the jitter."""
        now = self.now()
        if in_a_row := self.account.refused(fault, draw=draw, now=now):
            self._emit(telling.backed_off(fault, now, seconds=self.account.until - now, in_a_row=in_a_row))
            self.settle_queue()

    def allow(self, slots: int) -> None:
        """So many requests at a time are allowed from now on; what is in flight beyond that is waited for."""
        self.queue.slots = slots
        self._outlook.allow(slots)
        self.settle_queue()

    def close(self, call: str) -> None:
        """Forget a call that is over."""
        self.unexpect(call)
        self._outlook.forget(call)
        self.queue.close(call)

    def leave(self, place: LocalPlace) -> None:
        """Take a place that was not granted out of the queue; harmless for any other."""
        if self.queue.leave(place.ticket):
            del self._places[place.ticket]
            self._waits.left(place.ticket)
            self._emit(telling.left(place, self.now()))
            self.settle_queue()

    def free(self, place: LocalPlace, cause: str) -> None:
        """Take a granted slot back; harmless when it is back already."""
        now = self.now()
        held = now - place.granted_at
        if self.queue.free(place.ticket, seconds=held):
            del self._places[place.ticket]
            self.account.gave_back(cause, asked_at=place.occupied_at, now=now)
            self._waits.ended(place.ticket)
            self._outlook.gave_back(place.ask.call, held, now=now, interrupted=cause == "settled")
            self._emit(telling.freed(place, now, held=held, cause=cause))
            if cause == "complete" and not place.deserted and self._outlook.will_need(place.ask.call):
                self._word.wait_for(place.ask.call, now)
            self.settle_queue()

    def settle_queue(self) -> None:
        """Grant what can be granted: called after every change."""
        now = self.now()
        if self._word.is_awaited(now):
            return
        may_ask_at = self.account.may_ask_at(now)
        while may_ask_at <= now and (tickets := self.queue.settle(now, most=1)):
            self._grant(self._places[tickets[0]], now)
            may_ask_at = self.account.may_ask_at(now)
        wanted = self.queue.waiting and self.queue.granted < self.queue.slots
        self._alarm.set(may_ask_at if wanted and may_ask_at > now else float("inf"))

    def _grant(self, place: LocalPlace, now: float) -> None:
        alone = self.account.until <= place.joined_at  # else it waited for other programs as well
        self._outlook.granted(place.ask, late=now - place.ticket.need_by - place.behind, alone=alone)
        self.queue.crowded = self._outlook.crowded
        self.account.granted(now)
        place.granted_at = now
        place.room = self._outlook.room(
            place.ask.call,
            first=place.ask.first,
            now=now,
            free=self.queue.slots - self.queue.granted,
            waiting=[(other.need_by, other.first, other.account.call) for other in self.queue.in_order(_MOST_URGENT)],
        )
        self._waits.began(place.ticket, now, lasts=place.lasts, waited=now - place.joined_at if alone else None)
        place.granted.set()
        self._emit(telling.granted(place, now))

    def _hear_from(self, call: str) -> None:
        if self._word.heard(call):
            self.settle_queue()

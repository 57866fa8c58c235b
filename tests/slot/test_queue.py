"""Who gets the slot next: order, books and fairness of the queue, whatever is done to it and in whichever order."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from orchestrator.slot.queue import SlotQueue, Ticket, TicketState
from tests.slot.model import QueueModel

CALLS = ("a", "b", "c", "d")
times = st.floats(0, 30)
pieces = st.floats(0, 8)


class QueueMachine(RuleBasedStateMachine):
    """Anything in any order, against a model that is nothing but a list of tickets and a sorted search."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = SlotQueue(slots=1, bound=2.0)
        self.model = QueueModel(slots=1, bound=2.0)
        self.tickets: list[Ticket] = []

    def drawn(self, data: st.DataObject) -> Ticket:
        """Draw any ticket there ever was: what is done twice or too late must do nothing."""
        return data.draw(st.sampled_from(self.tickets))

    @rule(call=st.sampled_from(CALLS), weight=st.sampled_from((0.5, 1.0, 3.0)))
    def begin_reply(self, call: str, weight: float) -> None:
        self.queue.begin_reply(call, weight=weight)
        self.model.begin_reply(call, weight)

    @rule(call=st.sampled_from(CALLS), need_by=times, expected=pieces, first=st.booleans())
    def join(self, call: str, need_by: float, expected: float, first: bool) -> None:
        ticket = self.queue.join(call, need_by=need_by, expected=expected, first=first)
        assert ticket.number == len(self.tickets) + 1
        self.tickets.append(ticket)
        self.model.join(call, need_by=need_by, expected=expected, first=first)

    @rule(crowded=st.booleans())
    def crowd(self, crowded: bool) -> None:
        self.queue.crowded = self.model.crowded = crowded

    @precondition(lambda self: self.tickets)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        ticket = self.drawn(data)
        assert self.queue.leave(ticket) is self.model.leave(ticket.number)

    @precondition(lambda self: self.tickets)
    @rule(data=st.data(), seconds=pieces)
    def free(self, data: st.DataObject, seconds: float) -> None:
        ticket = self.drawn(data)
        assert self.queue.free(ticket, seconds=seconds) is self.model.free(ticket.number, seconds)

    @precondition(lambda self: self.tickets)
    @rule(data=st.data())
    def hold(self, data: st.DataObject) -> None:
        ticket = self.drawn(data)
        self.queue.hold(ticket)
        self.model.move(ticket.number, "waiting", "held")

    @precondition(lambda self: self.tickets)
    @rule(data=st.data(), need_by=times)
    def resume(self, data: st.DataObject, need_by: float) -> None:
        ticket = self.drawn(data)
        self.queue.resume(ticket, need_by=need_by)
        if self.model.move(ticket.number, "held", "waiting"):
            self.model.revise(ticket.number, need_by)

    @precondition(lambda self: self.tickets)
    @rule(data=st.data(), need_by=times)
    def revise(self, data: st.DataObject, need_by: float) -> None:
        ticket = self.drawn(data)
        self.queue.revise(ticket, need_by=need_by)
        self.model.revise(ticket.number, need_by)

    @rule(call=st.sampled_from(CALLS))
    def close(self, call: str) -> None:
        """A call is over: its tickets leave first; a granted one may come back later."""
        for ticket in self.tickets:
            if ticket.account.call == call:
                assert self.queue.leave(ticket) is self.model.leave(ticket.number)
        self.queue.close(call)
        self.model.close(call)

    @rule(slots=st.integers(0, 4))
    def resize(self, slots: int) -> None:
        """The plan changed: fewer slots than are taken grant nothing until enough came back."""
        self.queue.slots = self.model.slots = slots

    @rule(now=times)
    def settle(self, now: float) -> None:
        granted = self.queue.settle(now)
        assert all(ticket.state is TicketState.GRANTED for ticket in granted)
        self.model.check_grants([ticket.number for ticket in granted], now)
        assert self.queue.granted <= self.queue.slots or not granted

    @invariant()
    def the_books_agree(self) -> None:
        """Every ticket is where the model has it, and the counts are theirs."""
        assert [ticket.state.value for ticket in self.tickets] == [entry.state for entry in self.model.entries]
        assert self.queue.waiting == self.model.count("waiting")
        assert self.queue.granted == self.model.count("granted")
        assert [ticket.number for ticket in self.queue.in_order()] == [entry.number for entry in self.model.waiting()]
        for ticket, entry in zip(self.tickets, self.model.entries, strict=True):
            assert abs(ticket.account.seconds - entry.account.seconds) < 1e-6


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


@given(st.lists(times, min_size=1, max_size=12), st.integers(1, 3))
def test_inside_the_bound_the_earliest_need_by_goes_first_and_ties_go_by_number(need_bys: list[float], n: int) -> None:
    """Among later pieces of calls whose accounts are near each other, only need-by, then the order of joining count."""
    queue = SlotQueue(slots=n, bound=2.0)
    tickets = [queue.join(f"call {number}", need_by=need_by) for number, need_by in enumerate(need_bys)]
    order: list[Ticket] = []
    while granted := queue.settle(0.0):
        order += granted
        for ticket in granted:
            queue.free(ticket, seconds=0.1)
    assert order == sorted(tickets, key=lambda ticket: (ticket.need_by, ticket.number))


def test_a_call_too_far_behind_goes_before_an_earlier_need_by() -> None:
    """Just inside the bound need-by rules, just outside the account does."""
    for had, first in ((2.0, "greedy"), (2.01, "patient")):
        queue = SlotQueue(slots=1, bound=2.0)
        queue.join("greedy", need_by=0.0)
        (ticket,) = queue.settle(0.0)
        queue.free(ticket, seconds=had)
        queue.join("patient", need_by=9.0)
        queue.join("greedy", need_by=1.0)
        assert [ticket.account.call for ticket in queue.settle(0.0)] == [first]


def test_a_reply_begins_near_the_others_accounts() -> None:
    """Silence banks no credit (up to V), earlier talk is no debt (down to V + bound)."""
    queue = SlotQueue(slots=1, bound=2.0)
    for seconds in (3.0, 50.0):
        queue.join("busy", need_by=0.0)
        (ticket,) = queue.settle(0.0)
        queue.free(ticket, seconds=seconds)
    queue.begin_reply("quiet")
    queue.begin_reply("busy")
    assert (queue.account_of("quiet"), queue.account_of("busy")) == (3.0, 5.0)


def test_a_piece_still_in_flight_when_a_reply_begins_is_charged_as_what_it_was() -> None:
    """However wrong its prediction was, the account ends in [V, V + bound] plus what the piece really took."""
    for expected in (0.0, 100.0):
        queue = SlotQueue(slots=1, bound=2.0)
        queue.join("cut", need_by=0.0, expected=expected)
        (ticket,) = queue.settle(0.0)
        queue.begin_reply("cut", weight=2.0)
        queue.free(ticket, seconds=1.0)
        assert queue.account_of("cut") == 0.5


@given(st.lists(st.tuples(times, st.booleans()), min_size=1, max_size=12), times)
def test_late_first_pieces_go_before_all_others(wishes: list[tuple[float, bool]], now: float) -> None:
    """A caller who hears nothing at all comes before any whose reply has begun, however late that one is."""
    queue = SlotQueue(slots=1, bound=2.0)
    for number, (need_by, first) in enumerate(wishes):
        queue.join(f"call {number}", need_by=need_by, first=first)
    order: list[Ticket] = []
    while granted := queue.settle(now):
        order += granted
        queue.free(granted[0], seconds=0.01)
    assert order == sorted(
        order, key=lambda ticket: (not (ticket.first and ticket.need_by < now), ticket.need_by, ticket.number)
    )
    assert len(order) == len(wishes)


def test_a_first_piece_is_late_after_its_need_by_not_at_it() -> None:
    """Until then a later piece that is needed sooner goes first; a ticket is also late that was held, or revised."""
    for now, first in ((3.0, False), (3.001, True)):
        queue = SlotQueue(slots=1, bound=2.0)
        queue.join("later", need_by=2.0)
        ticket = queue.join("new", need_by=9.0, first=True)
        queue.hold(ticket)
        queue.resume(ticket, need_by=8.0)
        queue.revise(ticket, need_by=3.0)
        assert [granted.first for granted in queue.settle(now)] == [first]


def test_the_bound_holds_against_a_late_first_piece() -> None:
    """A call too far behind goes first even then, or one that begins a reply after the other could starve it."""
    for behind, next_one in ((2.0, "new"), (2.01, "behind")):
        queue = SlotQueue(slots=1, bound=2.0)
        queue.join("new", need_by=0.0)
        (ticket,) = queue.settle(0.0)
        queue.free(ticket, seconds=behind)
        queue.join("new", need_by=1.0, first=True)
        queue.join("behind", need_by=9.0)
        assert [granted.account.call for granted in queue.settle(5.0)] == [next_one]


def test_sound_in_hand_banks_no_credit() -> None:
    """A call that is granted half a second before its need loses what it was behind the highest account at a grant: no
    less, no more; later than that, or for a first piece, it keeps as much as the bound. An account that is higher
    stays."""
    for need_by, first, account in ((5.51, False, 6.0), (5.51, True, 4.0), (5.5, False, 4.0), (0.0, False, 4.0)):
        queue = SlotQueue(slots=1, bound=2.0)
        for call, seconds in (("patient", 1.0), ("busy", 6.0), ("busy", 3.0), ("patient", 0.0), ("busy", 0.0)):
            queue.join(call, need_by=0.0 if seconds else need_by, first=first)
            (ticket,) = queue.settle(0.0 if seconds else 5.0)
            queue.free(ticket, seconds=seconds)
        assert (queue.account_of("patient"), queue.account_of("busy")) == (account, 9.0)


def test_what_a_call_fell_behind_while_it_did_not_ask_is_no_credit() -> None:
    """Beyond the bound, that is; and for sound in hand it is put no further than that above those who still wait."""
    queue = SlotQueue(slots=1, bound=2.0)
    held = [queue.join(call, need_by=0.0) for call in ("patient", "low")]
    for ticket in held:
        queue.hold(ticket)
    for seconds in (9.0, 0.0):
        queue.join("busy", need_by=0.0)
        queue.free(queue.settle(0.0)[0], seconds=seconds)
    assert queue.join("new", need_by=99.0).account.seconds == 7.0
    for ticket in held:
        queue.resume(ticket, need_by=50.0)
    assert queue.settle(0.0) == held[:1]
    assert (queue.account_of("patient"), queue.account_of("low")) == (2.0, 0.0)


def test_a_repr_tells_where_a_ticket_stands() -> None:
    """Number, call, state and need-by."""
    ticket = SlotQueue(slots=1, bound=2.0).join("a", need_by=1.5)
    assert repr(ticket) == "<Ticket 1 of a, waiting, need by 1.500>"

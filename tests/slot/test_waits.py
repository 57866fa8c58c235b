"""When a slot is free for the next, as far as can be seen, and what was learned of those who join later."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.slot.queue import SlotQueue
from orchestrator.slot.waits import Waits, free_in, rest_of

pieces = st.lists(st.floats(0, 5), max_size=6)


@given(pieces, pieces, st.integers(1, 4))
def test_a_slot_is_free_when_all_before_are_served(running: list[float], ahead: list[float], slots: int) -> None:
    """Each at the slot that is free first: never later than one after the other, never sooner than in equal shares."""
    seconds = free_in(running, ahead, slots=slots)
    assert seconds <= sum(running) + sum(ahead) + 1e-9
    assert seconds >= 0
    assert free_in(running, [*ahead, 1.0], slots=slots) >= seconds
    assert free_in(running, ahead, slots=slots + 1) <= seconds + 1e-9
    if slots == 1 and len(running) <= 1:
        assert seconds == pytest.approx(sum(running) + sum(ahead))


def test_more_may_be_in_flight_than_there_are_slots() -> None:
    """After a plan was lowered: only what leaves fewer than that counts."""
    assert free_in([3.0, 1.0, 2.0], [], slots=1) == 3.0
    assert free_in([3.0, 1.0, 2.0], [], slots=2) == 2.0


def test_an_overdue_piece_is_about_to_end() -> None:
    """It never takes less than nothing."""
    assert rest_of(1.0, 0.25) == 0.75
    assert 0 < rest_of(1.0, 9.0) < 0.1


def test_waits_for_those_who_join_later_are_learned() -> None:
    """Where waits are twice what was queued they are predicted so; later pieces and others' holds say nothing."""
    queue = SlotQueue(slots=1, bound=2.0)
    waits, now = Waits(queue), 0.0
    for number in range(120):
        first = number % 2 == 0
        held = queue.join("holder", need_by=now, expected=1.0)
        assert queue.settle(now) == [held]
        waits.began(held, now, lasts=1.0, waited=None)
        ticket = queue.join("a", need_by=now, first=first)
        waits.joined(ticket, now)
        now += 2.0
        queue.free(held, seconds=2.0)
        waits.ended(held)
        queue.settle(now)
        waits.began(ticket, now, lasts=0.0, waited=(2.0 if number % 4 == 0 else None) if first else 9.0)
        queue.free(ticket, seconds=0.0)
        waits.ended(ticket)
    held = queue.join("holder", need_by=now, expected=1.0)
    queue.settle(now)
    waits.began(held, now, lasts=1.0, waited=None)
    assert waits.queued(None, need_by=now, now=now) == pytest.approx(1.0)
    assert waits.ahead(None, need_by=now, now=now) == pytest.approx(2.0, rel=0.15)


def test_late_first_pieces_go_before_later_ones_in_a_prediction_too() -> None:
    """As the queue will do it; in a crowd by need alone."""
    queue = SlotQueue(slots=1, bound=2.0)
    first = queue.join("a", need_by=1.0, expected=0.3, first=True)
    later = queue.join("b", need_by=0.5, expected=0.5)
    assert list(queue.before(later, need_by=0.0, now=2.0)) == [first]
    assert list(queue.before(None, need_by=3.0, now=2.0)) == [first, later]
    queue.crowded = True
    assert list(queue.before(later, need_by=0.0, now=2.0)) == []
    assert list(queue.before(first, need_by=0.0, now=2.0)) == [later]

"""For how long nobody will need a slot: what phrases are rendered in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.ports import Ask
from orchestrator.slot.outlook import Outlook
from tests.slot.outlooks import FAST, NOW, outlooks


def ask(call: str, *, need_in: float = 0.0, expected: float = 0.3) -> Ask:
    """Return a wish for a piece of two seconds."""
    return Ask(call=call, reply=1, first=False, need_in=need_in, expected=expected)


def outlook() -> Outlook:
    """Return one that knows a fast provider and nobody."""
    return Outlook(pace=FAST, slots=1, patience=0.2)


def test_without_calls_there_is_all_the_time() -> None:
    """Before the first, and after the last."""
    known = outlook()
    assert known.idle_for(NOW) == float("inf")
    known.expect("a", NOW)
    assert known.idle_for(NOW) == 0
    known.forget("a")
    assert known.idle_for(NOW) == float("inf")


def test_a_call_goes_through_its_turn() -> None:
    """0 while its bot thinks or has asked; in a reply until the next piece is due; behind the last one until its sound
    ends and its caller speaks; then 0 again, but not for ever: a caller who says nothing is no reason to wait."""
    known = outlook()
    known.expect("a", NOW)
    assert known.idle_for(NOW) == 0
    known.asks(ask("a"), NOW)
    assert known.idle_for(NOW) == 0
    known.expect("a", NOW, need_in=3.0)
    assert known.idle_for(NOW) == pytest.approx(2.9)
    known.asks(ask("a", need_in=1.0), NOW + 2)
    known.unexpect("a")
    assert known.idle_for(NOW + 2) == pytest.approx(1.0 + 2.0 + 1.0)
    assert known.idle_for(NOW + 5.5) == pytest.approx(0.5)
    for later in (6.5, 10.0, 16.0):
        assert known.idle_for(NOW + later) == 0
    assert known.idle_for(NOW + 20) == known.turnaround.early > 0


def test_who_interrupts_speaks() -> None:
    """Whatever sound was left."""
    known = outlook()
    known.asks(ask("a", need_in=3.0), NOW)
    known.unexpect("a")
    assert known.idle_for(NOW) > 0
    known.gave_back("a", 0.2, now=NOW, interrupted=True)
    assert known.idle_for(NOW) == 0


def test_the_busiest_call_decides() -> None:
    """All must have time."""
    known = outlook()
    for call, need_in in (("a", 4.0), ("b", 2.0), ("c", 9.0)):
        known.expect(call, NOW, need_in=need_in)
    assert known.idle_for(NOW) == pytest.approx(1.9)


@given(outlooks(), st.floats(0, 60))
def test_idle_time_is_never_negative_and_one_more_call_never_adds_any(known: Outlook, later: float) -> None:
    """Whatever is known of the calls."""
    before = known.idle_for(NOW + later)
    known.expect("one more", NOW + later, need_in=5.0)
    assert 0 <= known.idle_for(NOW + later) <= before

"""The rate window: never more requests in any minute than allowed, and never fewer than could be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.slot.rate import WINDOW, RateWindow


@given(st.integers(1, 6), st.lists(st.tuples(st.floats(0, 40), st.floats(0, 9), st.booleans()), max_size=40))
def test_no_minute_sees_more_than_allowed(most: int, wishes: list[tuple[float, float, bool]]) -> None:
    """Whoever is granted when the window says so, and asks then, later or never; and it opens again by itself."""
    window, now, asked = RateWindow(most), 0.0, list[float]()
    for pause, later, used in wishes:
        now = window.opens_at(now + pause)
        assert now < float("inf")
        window.granted()
        now += later
        if used:
            window.asked(now)
            asked.append(now)
        else:
            window.unused()
    for at in asked:
        assert sum(at - WINDOW < other <= at for other in asked) <= most


def test_it_waits_no_longer_than_the_oldest_request_counts() -> None:
    """With a little for what lies closer together when it arrives."""
    window = RateWindow(2)
    for at in (10.0, 30.0):
        assert window.opens_at(at) == at
        window.granted()
        window.asked(at)
    assert 70.0 < window.opens_at(31.0) < 71.0
    window.most = 3
    assert window.opens_at(31.0) == 31.0


def test_who_was_granted_and_has_not_asked_holds_a_place() -> None:
    """Until it asks or leaves: nobody knows when its minute will begin."""
    window = RateWindow(1)
    window.granted()
    assert window.opens_at(0.0) == float("inf")
    window.unused()
    assert window.opens_at(0.0) == 0.0


@given(st.lists(st.floats(0, 1), max_size=30))
def test_without_a_limit_it_is_always_open(times: list[float]) -> None:
    """And keeps no books."""
    window = RateWindow(0)
    for at in sorted(times):
        assert window.opens_at(at) == at
        window.granted()
        window.asked(at)

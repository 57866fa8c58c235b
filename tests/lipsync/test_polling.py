"""How often something that takes minutes is asked about."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.lipsync.polling import batch_poll_at, poll_at


@given(st.floats(20.0, 2000.0), st.floats(1.0, 3.0))
def test_pauses_grow_from_a_second_to_a_twentieth_of_the_usual_duration(usual: float, lasts: float) -> None:
    """And an end is noticed a twentieth of what it took too late at most."""
    begun, last, pauses = 100.0, None, list[float]()
    while (at := poll_at(begun, last, usual=usual)) < begun + usual * lasts:
        pauses.append(at - (last or begun))
        last = at
    assert pauses[0] == 1.0
    assert all(later >= pause - 1e-9 for pause, later in pairwise(pauses))
    assert max(pauses) <= usual / 20.0 + 1e-9
    assert at - begun <= usual * lasts * 1.06 + 1.0


def test_a_look_before_it_began_was_none() -> None:
    """One after it counts from there, with the age that it had then."""
    assert poll_at(100.0, 50.0, usual=120.0) == 101.0
    assert poll_at(100.0, 160.0, usual=120.0) == 163.0
    assert poll_at(100.0, 1000.0, usual=120.0) == 1006.0
    assert poll_at(100.0, 1000.0, usual=3.0) == 1001.0


def test_a_batch_is_asked_about_every_minute_in_the_end() -> None:
    """Often at first: a short one is soon over."""
    assert batch_poll_at(0.0, None) == 1.0
    assert batch_poll_at(0.0, 100.0) == 105.0
    assert batch_poll_at(0.0, 7200.0) == 7260.0

"""How busy the slots were of late: a share that follows the use, and forgets."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.slot.load import BusyShare


def test_nothing_is_known_at_first() -> None:
    """One half; without any use it fades, by a factor of e in each window."""
    share = BusyShare(60.0, 1)
    assert share.at(0.0) == 0.5
    assert share.at(60.0) == pytest.approx(0.5 / math.e)
    assert share.at(3600.0) < 1e-6


@given(st.floats(0.05, 1), st.integers(1, 20), st.floats(10, 600))
def test_steady_use_is_told_as_what_it_is(used: float, slots: int, window: float) -> None:
    """After ten windows in which each slot was used for a part of each second: that part, however many slots."""
    share = BusyShare(window, slots)
    for second in range(round(10 * window)):
        for number in range(slots):
            share.used(used, second + number / slots)
    assert share.at(round(10 * window)) == pytest.approx(used, rel=0.08)


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 30)), max_size=30), st.floats(0, 100))
def test_it_is_a_share(pieces: list[tuple[float, float]], later: float) -> None:
    """On one slot, whose pieces can't overlap, about 0 to 1; asking changes nothing, and a clock never turns it up."""
    share, now = BusyShare(60.0, 1), 0.0
    for seconds, pause in pieces:
        now += seconds + pause
        share.used(seconds, now)
    before = share.at(now)
    assert 0 <= share.at(now + later) <= before <= 1.1
    assert share.at(now) == share.at(now - 1) == before

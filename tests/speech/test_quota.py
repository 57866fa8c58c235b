"""How many links there should be, from what those there are do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.ports import Standing
from orchestrator.speech.links import LinkState
from orchestrator.speech.quota import Quota, apart_from

IDLE, ASKED, CLOSING, DIALLING = LinkState.IDLE, LinkState.ASKED, LinkState.CLOSING, LinkState.DIALLING


@pytest.mark.parametrize(
    ("states", "reused", "missing"),
    [
        ([], None, 5),
        ([IDLE, DIALLING], None, 3),
        ([ASKED] * 4 + [IDLE], None, 1),
        ([ASKED] * 4 + [IDLE], True, 0),
        ([ASKED] * 4 + [IDLE], False, 4),
        ([ASKED, IDLE, IDLE, IDLE, IDLE], None, 1),
        ([CLOSING, LinkState.TRAILING], True, 5),
    ],
)
def test_one_more_than_slots_is_kept(states: list[LinkState], reused: bool | None, missing: int) -> None:
    """Those in use count where they come back; while that is unknown, all but one."""
    assert Quota(slots=4, links=20).missing(states, reused=reused, standing=Standing.UP) == missing


def test_who_is_refused_for_good_asks_with_one() -> None:
    """However many slots there are."""
    quota = Quota(slots=4, links=20)
    assert quota.missing([], reused=None, standing=Standing.FINAL) == 1
    assert quota.missing([DIALLING], reused=None, standing=Standing.FINAL) == 0


@given(
    st.builds(Quota, slots=st.integers(1, 9), links=st.integers(1, 50)),
    st.lists(st.sampled_from(LinkState), max_size=60),
    st.sampled_from([None, True, False]),
    st.sampled_from(Standing),
)
def test_one_place_stays_free(quota: Quota, states: list[LinkState], reused: bool | None, standing: Standing) -> None:
    """Whatever the links do: with all that are missing there are links - 1 at most, closing ones counted."""
    missing = quota.missing(states, reused=reused, standing=standing)
    assert missing <= quota.room(states) == max(1, quota.links - 1) - len(states)


@given(st.lists(st.floats(-60, 60) | st.just(float("inf")), max_size=30), st.floats(1, 60))
def test_idle_links_are_replaced_apart_but_none_at_once(others: list[float], idle: float) -> None:
    """However many others there are: half its time is left to each link, and none is replaced with another."""
    time = apart_from(others, now=0.0, idle=idle)
    assert idle / 2 <= time <= idle
    assert all(abs(time - other) > 1e-6 for other in others)


def test_few_links_are_replaced_five_seconds_apart() -> None:
    """Where there is room for that; else nearer to each other."""
    assert apart_from([45.0, 38.0], now=0.0, idle=45.0) == 33.0
    assert apart_from([45.0, 40.0, 35.0, 30.0, 25.0], now=0.0, idle=45.0) == 42.5

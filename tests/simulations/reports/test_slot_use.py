"""Slot seconds are what was held, and a lag is measured only between two calls that waited at one time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.events import CallRefused, Event
from simulations.reports.slot_use import SlotUse, by_weight, jain
from tests.simulations.moments import began, freed, granted, joined, left


def use(*events: Event) -> SlotUse:
    """Return what is counted of these events so far."""
    found = SlotUse()
    for event in events:
        found.add(event)
    return found


def test_seconds_are_counted_by_call_in_the_order_of_their_beginning() -> None:
    """A call that never asked has none; one that still holds the slot counts up to the end."""
    found = use(began(0, call="b"), began(1, call="a"), began(2, call="c"), granted(3, call="a"),
                freed(4, call="a", held=1.0), granted(5, call="b", ticket=2))  # fmt: skip
    assert found.holders() == ["b"]
    assert found.busy(7) == 3.0
    found.finish(8)
    assert found.seconds == {"b": 3.0, "a": 1.0, "c": 0.0}
    assert list(found.seconds) == ["b", "a", "c"]
    assert found.holders() == []


def test_what_no_call_held_is_in_use_and_nobodys() -> None:
    """Phrases for the cache, and a call that was refused: they take no part in the sharing."""
    found = use(began(0, call="a"), granted(1, call="phrases"), freed(2, call="phrases", held=1.0),
                began(3, call="b"), granted(3, call="b", ticket=2), freed(4, call="b", ticket=2, held=0.5),
                CallRefused(at=4, call="b", reason="full", calls=1, places=1))  # fmt: skip
    assert found.busy(5) == 1.5
    assert found.seconds == {"a": 0.0}


def test_a_slot_that_comes_back_twice_counts_once() -> None:
    """Returning it again is harmless, here as in the scheduler."""
    assert use(granted(0), freed(1, held=1.0), freed(1, held=1.0)).busy(2) == 1.0


def test_two_that_wait_together_differ_by_their_accounts() -> None:
    """The call granted last is compared with every call that was granted while it waited."""
    found = use(
        joined(0.0, call="a"), joined(0.5, call="b", ticket=2), granted(1.0, call="a", account=2.0),
        granted(2.0, call="b", ticket=2, account=0.5),
    )  # fmt: skip
    assert found.largest_lag == 1.5


@pytest.mark.parametrize(
    "events",
    [
        (joined(0, call="a"), granted(1, call="a", account=9), joined(2, call="b", ticket=2),
         granted(3, call="b", ticket=2, account=0)),
        (joined(0, call="b", ticket=2), joined(1, call="a"), granted(1, call="a", account=9),
         granted(3, call="b", ticket=2, account=0)),
        (joined(0, call="a"), granted(1, call="a", account=9), joined(0.5, call="a", ticket=2),
         granted(3, call="a", ticket=2, account=0)),
        (joined(0, call="a"), joined(0.5, call="b", ticket=2), left(0.8, call="b", ticket=2),
         granted(1, call="a", account=9)),
    ],
    ids=["one after the other", "granted at once", "the same call", "gave up"],
)  # fmt: skip
def test_who_did_not_wait_beside_another_did_not_lag(events: tuple[Event, ...]) -> None:
    """Without two calls that wait at one time there is nothing to compare."""
    assert use(*events).largest_lag is None


@given(
    st.lists(
        st.tuples(st.sampled_from(["join", "grant", "leave"]), st.integers(0, 3), st.integers(0, 1), st.floats(0, 9)),
        max_size=40,
    )
)
def test_the_largest_lag_is_that_of_any_two_that_waited_together(steps: list[tuple[str, int, int, float]]) -> None:
    """Of every pair of grants that waited, of two calls, the second in the queue when the first was granted."""
    events: list[Event] = []
    waiting: list[tuple[int, int, str]] = []
    waited: list[tuple[int, int, str, float]] = []
    at = 0
    for ticket, (step, number, later, account) in enumerate(steps):
        at += later
        if step == "join":
            waiting.append((ticket, at, str(number)))
            events.append(joined(at, ticket=ticket, call=str(number)))
        elif waiting:
            taken, since, call = waiting.pop(number % len(waiting))
            key: dict[str, Any] = {"ticket": taken, "call": call}
            events.append(granted(at, account=account, **key) if step == "grant" else left(at, **key))
            if step == "grant" and since < at:
                waited.append((since, at, call, account))
    lags = [
        abs(first[3] - second[3])
        for place, second in enumerate(waited)
        for first in waited[:place]
        if second[0] < first[1] and first[2] != second[2]
    ]
    assert use(*events).largest_lag == max(lags, default=None)


def test_jain_by_hand() -> None:
    """1 for equal shares, 1/n for one that has all, (1+2+3)^2 / (3 * 14) for one, two and three."""
    assert jain([2.0, 2.0]) == 1.0
    assert jain([4.0, 0.0, 0.0, 0.0]) == 0.25
    assert jain([1.0, 2.0, 3.0]) == pytest.approx(36 / 42)
    assert jain([0.0, 0.0]) is None
    assert jain([]) is None
    assert by_weight({"a": 4.0, "b": 2.0}, {"a": 2.0}) == [2.0, 2.0]


@given(st.lists(st.floats(min_value=0.001, max_value=1e6), min_size=1, max_size=20))
def test_jain_lies_between_one_nth_and_one(shares: list[float]) -> None:
    """Whatever the shares are."""
    found = jain(shares)
    assert found is not None
    assert 1 / len(shares) - 1e-9 <= found <= 1 + 1e-9

"""Places and the calls on them are means over time, from the first word of how many calls fit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import events as e
from orchestrator.events import Event
from simulations.reports.places import Places
from tests.simulations.moments import began


def places(at: float, number: int) -> e.PlacesChanged:
    """So many calls fit."""
    return e.PlacesChanged(at=at, places=number, fitting=number, p95_wait=None)


def ended(at: float, call: str = "1") -> e.CallEnded:
    """The call is over."""
    return e.CallEnded(at=at, call=call, reason="caller", seconds=1.0)


def result(*events: Event, end: float) -> dict[str, Any] | None:
    """Return what is said of these events in a run that ends at `end`."""
    found = Places()
    for event in events:
        found.add(event)
    return found.result(end)


def test_without_admission_there_is_nothing_to_say() -> None:
    """Calls alone say nothing of places."""
    assert result(began(0.0), ended(5.0), end=10.0) is None


def test_means_are_over_time() -> None:
    """Four places for 5 s and two for 5 s are three; one call for all the time and one for 5 s more are 1.5."""
    found = result(places(0.0, 4), began(0.0), began(2.5, call="2"), places(5.0, 2), ended(7.5, "2"), end=10.0)
    assert found == {"places": 2, "mean_places": 3.0, "occupancy": 0.5, "refused": 0, "queued": 0}


def test_it_counts_from_the_first_word_of_places() -> None:
    """Calls that began before count from there on."""
    found = result(began(0.0), places(6.0, 2), end=10.0)
    assert found is not None
    assert (found["mean_places"], found["occupancy"]) == (2.0, 0.5)


def test_refused_and_queued_calls_are_counted() -> None:
    """One that is refused had no place, also where it was answered before."""
    found = result(
        places(0.0, 1), began(1.0), e.CallQueued(at=1.0, call="2", waiting=1), began(2.0, call="3"),
        e.CallRefused(at=2.0, call="3", reason="full", calls=1, places=1), ended(2.0, "3"), end=2.0,
    )  # fmt: skip
    assert found == {"places": 1, "mean_places": 1.0, "occupancy": 0.5, "refused": 1, "queued": 1}


def test_a_queued_call_has_no_place_until_it_no_longer_waits() -> None:
    """It waits for 5 s, answered but in nobody's place; one that is refused in the end never had one."""
    waits = e.CallStateChanged(at=0.0, call="1", state=e.CallState.WAITING)
    found = result(
        places(0.0, 1), began(0.0), e.CallQueued(at=0.0, call="1", waiting=1), waits,
        e.CallStateChanged(at=5.0, call="1", state=e.CallState.LISTENING),
        began(6.0, call="2"), e.CallQueued(at=6.0, call="2", waiting=1),
        e.CallRefused(at=8.0, call="2", reason="waited", calls=1, places=1),
        e.CallStateChanged(at=9.0, call="2", state=e.CallState.ENDED), end=10.0,
    )  # fmt: skip
    assert found == {"places": 1, "mean_places": 1.0, "occupancy": 0.5, "refused": 1, "queued": 2}


def test_no_places_at_all_have_no_occupancy() -> None:
    """Nothing fits: no part of it can be taken."""
    found = result(places(0.0, 0), end=10.0)
    assert found is not None
    assert (found["mean_places"], found["occupancy"]) == (0.0, None)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), min_size=1, max_size=10))
def test_the_mean_is_that_of_a_look_at_every_second(changes: list[tuple[int, int]]) -> None:
    """However often the places change."""
    ordered = sorted(changes, key=lambda change: change[0])
    first = ordered[0][0]
    looks = [[number for at, number in ordered if at <= second][-1] for second in range(first, 60)]
    found = result(*(places(float(at), number) for at, number in ordered), end=60.0)
    assert found is not None
    assert found["mean_places"] == pytest.approx(sum(looks) / len(looks))

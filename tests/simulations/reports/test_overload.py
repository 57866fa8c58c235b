"""The bound is what N calls that always wait cannot avoid, from the run's own slot seconds and cycles."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.events import Event
from simulations.reports.overload import Cycles, Offered, overload
from tests.simulations.moments import first_audio, gapped, over, ready, rung_words


def mean_cycle(*events: Event) -> float | None:
    """Return the mean natural cycle of these events."""
    found = Cycles()
    for event in events:
        found.add(event)
    return found.mean


def test_a_cycle_is_natural_without_its_waits_and_gaps() -> None:
    """From ready to ready, less the time to the reply's own sound (a filler shortens none) and what ran dry in it."""
    assert mean_cycle(
        ready(1.0), rung_words(1.5, 1.0), first_audio(3.0), gapped(6.0, 1.5), over(8.0, heard=9), ready(13.0, reply=2)
    ) == pytest.approx(12.0 - 2.0 - 1.5)


def test_a_reply_that_never_sounded_was_a_wait_until_its_end() -> None:
    """And what drains after its end, or belongs to an earlier reply, counts nowhere."""
    events = (
        ready(1.0),
        over(3.0, cut=4),
        first_audio(3.1),
        ready(10.0, reply=2),
        first_audio(10.5),
        ready(11.0, reply=3),
    )
    assert mean_cycle(*events) == pytest.approx((9.0 - 2.0 + 1.0) / 2)


def test_cycles_are_of_one_call() -> None:
    """Two calls side by side have one each; a call's first reply ends none."""
    assert mean_cycle(ready(0.0), ready(1.0, call="2")) is None
    assert mean_cycle(ready(0.0), ready(1.0, call="2"), ready(4.0, reply=2), ready(7.0, call="2", reply=2)) == 5.0


def summary(*, turns: int = 10, utilisation: float | None = 1.0, held: float = 8.0) -> dict[str, Any]:
    """Return what is read of a summary."""
    return {"turns": turns, "slot": {"utilisation": utilisation, "seconds_per_call": [held / 2, held / 2]}}


def test_the_bound_by_hand() -> None:
    """Twenty calls, 0.8 s of slot for a reply, a cycle of 11 s: 5 s of silence; over two slots none."""
    found = overload(summary(), offered=Offered(calls=20, slots=1), natural_cycle=11.0)
    assert found == {"slot_seconds_per_reply": 0.8, "natural_cycle_s": 11.0, "bound_s": 5.0}
    two = overload(summary(), offered=Offered(calls=20, slots=2), natural_cycle=11.0)
    assert two is not None
    assert two["bound_s"] == 0.0


@pytest.mark.parametrize(
    ("figures", "cycle"),
    [
        (summary(utilisation=0.95), 11.0),
        (summary(utilisation=None), 11.0),
        (summary(turns=0), 11.0),
        (summary(), None),
    ],
    ids=["the slot was free at times", "slots unknown", "no reply", "no cycle"],
)
def test_where_nobody_always_waited_there_is_no_bound(figures: dict[str, Any], cycle: float | None) -> None:
    """A queue that empties is no overload."""
    assert overload(figures, offered=Offered(calls=20, slots=1), natural_cycle=cycle) is None


@given(st.integers(2, 30), st.floats(0.1, 2.0), st.floats(1.0, 10.0))
def test_a_slot_that_is_never_free_leaves_exactly_the_bound(calls: int, held: float, natural: float) -> None:
    """Calls that take turns at it: each cycle lasts what all replies hold, or its natural length if that is longer."""
    cycle = max(calls * held, natural)
    silent = cycle - natural
    times = [(number * cycle, reply) for number, reply in enumerate(range(1, 6))]
    events = [event for at, n in times for event in (ready(at, reply=n), first_audio(at + silent, reply=n))]
    natural_cycle = mean_cycle(*events)
    assert natural_cycle == pytest.approx(natural, abs=1e-6)
    found = overload(summary(held=10 * held), offered=Offered(calls=calls, slots=1), natural_cycle=natural_cycle)
    assert found is not None
    assert found["bound_s"] == pytest.approx(silent, abs=1e-4)

"""Claims about when a sample sounded: from marks, never past what was written, never after the stop."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.speech.play_clock import PlayClock

RATE = 8000
STEPS = st.lists(st.tuples(st.integers(1, 4000), st.floats(0, 1)), min_size=1, max_size=20)
"""Chunks that were written, in samples, and how long after the mark before the mark of each came back."""


def played(steps: list[tuple[int, float]], *, latency: float = 0.0) -> PlayClock:
    """A clock whose chunks were written one by one, each when the mark before it came back."""
    clock, at = PlayClock(RATE, latency), 1.0
    for samples, later in steps:
        clock.marked(clock.written, at)
        clock.wrote(samples)
        at += later
    return clock


def test_nothing_has_sounded_before_the_first_mark() -> None:
    """What was only written may still be on its way."""
    clock = PlayClock(RATE)
    clock.wrote(800)
    assert clock.sounded(100.0) == 0
    assert clock.started_at is None
    assert clock.time_of(0) is None


def test_sound_runs_at_its_rate_from_the_mark_on_and_ends_with_what_was_written() -> None:
    """One mark is enough; samples and times say the same."""
    clock = played([(1600, 0.0)])
    assert clock.started_at == 1.0
    assert [clock.sounded(at) for at in (0.5, 1.0, 1.1, 1.2, 9.0)] == [0, 0, 800, 1600, 1600]
    assert clock.time_of(800) == pytest.approx(1.1)


@given(STEPS, st.floats(0, 30), st.floats(0, 5))
def test_what_sounded_never_shrinks_with_time_and_never_passes_what_was_written(
    steps: list[tuple[int, float]], now: float, later: float
) -> None:
    """For any marks, early and late ones."""
    clock = played(steps)
    assert 0 <= clock.sounded(now) <= clock.sounded(now + later) <= clock.written


@given(STEPS)
def test_positions_sound_in_order(steps: list[tuple[int, float]]) -> None:
    """Times never run backwards along the sound, also where a mark came back before it was expected."""
    clock = played(steps)
    times = [clock.time_of(position) or 0.0 for position in range(0, clock.written, 97)]
    assert all(before <= after for before, after in pairwise(times))


@pytest.mark.parametrize(("at", "silence"), [(1.1, 0.0), (1.104, 0.0), (1.35, 0.25), (1.05, 0.0)])
def test_a_late_mark_tells_the_silence_before_it(at: float, silence: float) -> None:
    """Expected at 1.1: jitter and early marks are no silence."""
    clock = played([(800, 0.0)])
    assert clock.marked(800, at) == pytest.approx(silence)
    assert clock.last_mark == 800


@given(STEPS, st.floats(0, 1), st.floats(0, 20))
def test_latency_shifts_everything(steps: list[tuple[int, float]], latency: float, now: float) -> None:
    """The caller heard it that much before its mark came back to us."""
    near, far = played(steps), played(steps, latency=latency)
    assert near.started_at is not None
    assert far.started_at == pytest.approx(near.started_at - latency)
    assert abs(far.sounded(now) - near.sounded(now + latency)) <= 1


@given(STEPS, st.floats(1, 10), st.lists(st.floats(0, 20), max_size=5))
def test_after_the_stop_nothing_sounds_whatever_marks_turn_up(
    steps: list[tuple[int, float]], stop: float, marks: list[float]
) -> None:
    """The leg was cleared; what comes back then was underway, and a second stop moves nothing."""
    clock = played(steps)
    before, last = clock.sounded(stop), clock.last_mark
    clock.stop(stop)
    clock.stop(stop + 1)
    assert [clock.marked(clock.written, stop + late) for late in marks] == [0.0] * len(marks)
    assert clock.sounded(stop + 100) == before
    assert clock.last_mark == last

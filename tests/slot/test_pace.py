"""What is learned of the provider's speed, and what is predicted from it."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.slot.pace import Pace

seconds = st.floats(0, 1000)


def test_the_first_piece_replaces_the_guesses() -> None:
    """Its figures count whole: guesses are no evidence."""
    pace = Pace()
    pace.learn(ttfb=0.1, held=1.1, audio=10.0, characters=100)
    assert pace.pieces == 1
    assert [round(figure, 9) for figure in (pace.ttfb, pace.rtf, pace.seconds_per_character)] == [0.1, 0.1, 0.1]
    assert pace.audio_seconds(50) == pytest.approx(5.0)
    assert pace.slot_seconds(50) == pytest.approx(0.6)


def test_what_the_slot_is_held_beyond_the_sound_is_a_cost_of_each_piece() -> None:
    """It makes no second of sound dearer: long pieces are worth more then."""
    pace = Pace()
    pace.learn(ttfb=0.1, held=1.4, audio=10.0, characters=100, trail=0.3)
    assert [round(figure, 9) for figure in (pace.rtf, pace.trail, pace.overhead)] == [0.1, 0.3, 0.4]
    assert pace.holds(1.0) == pytest.approx(0.5)
    assert pace.audio_within(0.5) == pytest.approx(1.0)


def test_about_ten_pieces_forget_what_was_before() -> None:
    """After ten pieces at another speed a tenth of the old figure is left."""
    pace = Pace()
    pace.learn(ttfb=1.0, held=1.0, audio=1.0, characters=10)
    for _ in range(10):
        pace.learn(ttfb=0.0, held=0.0, audio=1.0, characters=10)
    assert pace.ttfb == pytest.approx(0.107, abs=0.001)


@example([(0.0, 0.0, 0.0625, 1)], 1)
@given(
    st.lists(st.tuples(seconds, seconds, st.just(0.0) | st.floats(0.001, 1000), st.integers(0, 2000)), max_size=30),
    st.integers(0, 2000),
)
def test_predictions_stay_between_what_was_seen(pieces: list[tuple[float, float, float, int]], more: int) -> None:
    """Finite, never negative, longer for longer texts; odd or nearly empty pieces do no harm."""
    pace = Pace()
    for ttfb, held, audio, characters in pieces:
        pace.learn(ttfb=ttfb, held=held, audio=audio, characters=characters)
    seen = [ttfb for ttfb, _, audio, characters in pieces if audio >= 0.1 and characters > 0] or [0.5]
    assert min(seen) - 1e-9 <= pace.ttfb <= max(seen) + 1e-9
    assert 0 <= pace.slot_seconds(more) <= pace.slot_seconds(more + 100)
    assert math.isfinite(pace.slot_seconds(more + 100))


rates = st.floats(0.001, 10)


@given(rates, rates, rates, st.integers(1, 2000))
def test_what_is_made_within_a_time_is_what_holds_the_slot_for_so_long(
    ttfb: float, rtf: float, rate: float, characters: int
) -> None:
    """`audio_within` undoes `slot_seconds`."""
    pace = Pace(ttfb, rtf, rate)
    assert pace.audio_within(pace.slot_seconds(characters)) == pytest.approx(pace.audio_seconds(characters), rel=1e-6)


@given(rates, st.just(0.0) | rates, st.floats(0, math.inf), st.floats(0, 10))
def test_a_longer_hold_makes_no_less(ttfb: float, rtf: float, hold: float, more: float) -> None:
    """Nothing until the first audio, never less than nothing, and without end where making takes no time."""
    pace = Pace(ttfb, rtf)
    assert 0 <= pace.audio_within(hold) <= pace.audio_within(hold + more)
    assert pace.audio_within(ttfb) == 0
    assert pace.audio_within(-1.0) == 0
    assert pace.audio_within(math.inf) == math.inf

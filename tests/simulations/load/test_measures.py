"""What a caller's ear makes of sounds and turns whose times are known."""

from __future__ import annotations

import pytest

from simulations.carriers.carrier import Call
from simulations.carriers.line import Line, Turn
from simulations.carriers.twilio import FakeTwilio
from simulations.load.measures import Heard, measure

RATE = 8000
LOUD = (8000).to_bytes(2, "little", signed=True)
CALL = Call(call="c" * 32, stream="5" * 32)


def heard(
    *,
    turns: list[tuple[float, float, bool]],
    sounds: list[tuple[float, float]],
    ended: float,
    clear: float | None = None,
) -> Heard:
    """Measure a call in which the bot's sound came in one go each time."""
    line = Line(FakeTwilio(CALL))
    line.turns += [Turn(interrupts, began, stopped) for began, stopped, interrupts in turns]
    for start, seconds in sounds:
        if clear is not None and clear <= start:
            line.carrier.playback.clear(clear)
            clear = None
        line.carrier.playback.add(LOUD * round(seconds * RATE), start)
    if clear is not None:
        line.carrier.playback.clear(clear)
    return measure(line, ended=ended, patience=5.0)


def test_response_is_from_the_callers_end_to_the_bots_beginning() -> None:
    """The greeting answers nothing; each turn has its own answer; what comes after the next turn is that one's."""
    found = heard(turns=[(2.0, 3.0, False), (6.0, 7.0, False)], sounds=[(0.0, 1.0), (3.7, 1.0), (7.4, 1.0)], ended=20.0)
    assert found.responses == pytest.approx([0.7, 0.4])
    assert found.unanswered == 0


def test_a_turn_without_an_answer_is_unanswered_only_when_there_was_time() -> None:
    """Five seconds without an answer are too many; a call that ends after two says nothing."""
    assert heard(turns=[(2.0, 3.0, False)], sounds=[], ended=10.0).unanswered == 1
    assert heard(turns=[(2.0, 3.0, False)], sounds=[], ended=5.0).unanswered == 0


def test_what_still_sounds_when_the_caller_ends_is_no_answer() -> None:
    """A bot that talks on through the turn has not answered it; its next beginning after a pause has."""
    found = heard(turns=[(1.0, 2.0, True)], sounds=[(0.0, 2.5), (3.0, 1.0)], ended=10.0)
    assert found.responses == pytest.approx([1.0])


def test_barge_in_is_from_the_callers_beginning_to_the_bots_last_sound() -> None:
    """A clear 0.15 s after the interruption ends ten seconds of buffered sound; without one it does not stop."""
    found = heard(turns=[(2.0, 3.0, True)], sounds=[(0.0, 10.0)], clear=2.15, ended=20.0)
    assert found.barge_ins == pytest.approx([0.15])
    assert heard(turns=[(2.0, 3.0, True)], sounds=[(0.0, 10.0)], ended=20.0).barge_ins == [None]
    assert heard(turns=[(2.0, 3.0, True)], sounds=[(0.0, 1.0)], ended=20.0).barge_ins == []


def test_gaps_and_late_frames_are_silences_inside_a_reply() -> None:
    """0.3 s dry is a gap, 0.03 s a late frame, 2 ms nothing, 3 s a new reply; the caller's word between is no gap."""
    sounds = [(0.0, 1.0), (1.3, 1.0), (2.33, 1.0), (3.332, 1.0), (7.5, 1.0)]
    found = heard(turns=[], sounds=sounds, ended=20.0)
    assert (found.gaps, found.late_frames) == (1, 1)
    found = heard(turns=[(1.05, 1.2, False)], sounds=sounds[:2], ended=20.0)
    assert (found.gaps, found.late_frames) == (0, 0)


def test_a_clear_between_is_no_gap() -> None:
    """What is said after a clear is said anew."""
    found = heard(turns=[], sounds=[(0.0, 5.0), (1.5, 1.0)], clear=1.0, ended=20.0)
    assert (found.gaps, found.late_frames) == (0, 0)

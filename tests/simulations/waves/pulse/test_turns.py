"""Where speech begins and ends in a stream of sound."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.audio import seconds_of, silence
from simulations.waves.pulse.query import RATES
from simulations.waves.pulse.turns import (
    LONGEST_SECONDS,
    MARGIN_SECONDS,
    ONSET_WINDOWS,
    WINDOW_SECONDS,
    Growing,
    Happening,
    Started,
    Stopped,
    Turns,
    Utterance,
)
from tests.simulations.waves.pulse.peer import speech

RATE = 8000


def turns(**options: float) -> Turns:
    """Return a stream at 8 kHz with the usual pauses."""
    return Turns(**{"rate": RATE, "quiet": 0.6, "vad_quiet": 0.6, **options})  # type: ignore[arg-type]


def heard(stream: Turns, *sounds: bytes) -> list[Happening]:
    """Return what happens in the sounds."""
    return [happening for sound in sounds for happening in stream.feed(sound)]


@pytest.mark.parametrize("rate", RATES)
def test_times_are_of_the_stream_at_every_rate(rate: int) -> None:
    """A voiced region lies where it sounds, its utterance a margin wider; the utterance ends before the region does."""
    sound = silence(1.0, rate) + speech(0.5, rate) + silence(1.0, rate)
    started, utterance, stopped = heard(turns(rate=rate), sound)
    assert isinstance(started, Started)
    assert isinstance(utterance, Utterance)
    assert isinstance(stopped, Stopped)
    assert [started.at, stopped.at] == pytest.approx([1.0, 1.5], abs=0.021)
    assert utterance.start == pytest.approx(1.0 - MARGIN_SECONDS, abs=0.021)
    assert seconds_of(utterance.pcm, rate) == pytest.approx(0.5 + 2 * MARGIN_SECONDS, abs=0.041)


def test_a_click_and_noise_are_no_speech() -> None:
    """Two loud windows do nothing, nor does a room at -50 dBFS."""
    click = speech((ONSET_WINDOWS - 1) * WINDOW_SECONDS, RATE)
    room = b"\x64\x00\x9c\xff" * (RATE // 2)
    assert heard(turns(), click, silence(1.0, RATE), room) == []


def test_a_short_pause_is_part_of_the_utterance() -> None:
    """Only a pause as long as `quiet` ends it."""
    sounds = (speech(0.5, RATE), silence(0.5, RATE), speech(0.5, RATE), silence(0.7, RATE))
    _, utterance, _ = heard(turns(), *sounds)
    assert isinstance(utterance, Utterance)
    assert seconds_of(utterance.pcm, RATE) == pytest.approx(1.5 + MARGIN_SECONDS, abs=0.021)


@pytest.mark.parametrize(
    ("quiet", "vad_quiet", "order"),
    [(0.8, 0.6, [Started, Stopped, Utterance]), (0.3, 0.6, [Started, Utterance, Stopped])],
)
def test_regions_and_utterances_end_by_their_own_pauses(
    quiet: float, vad_quiet: float, order: list[type[Happening]]
) -> None:
    """Whichever is the shorter comes first."""
    happened = heard(turns(quiet=quiet, vad_quiet=vad_quiet), speech(0.5, RATE), silence(1.0, RATE))
    assert list(map(type, happened)) == order


def test_a_flush_cuts_the_utterance_and_not_the_region() -> None:
    """What sounds after it is another utterance of the same region; the end of a cut word is none."""
    stream = turns()
    happened = heard(stream, speech(0.5, RATE))
    first = stream.flush()
    happened += heard(stream, speech(0.04, RATE), silence(0.3, RATE))
    assert (first is not None, stream.flush(), list(map(type, happened))) == (True, None, [Started])
    happened = heard(stream, speech(0.5, RATE), silence(1.0, RATE))
    assert list(map(type, happened)) == [Utterance, Stopped]


def test_an_utterance_that_goes_on_is_shown() -> None:
    """As often as wanted, each time with all of it, and no more once nobody speaks."""
    happened = heard(turns(growing=0.2), speech(1.0, RATE), silence(0.5, RATE))
    shown = [seconds_of(each.pcm, RATE) for each in happened if isinstance(each, Growing)]
    assert shown == pytest.approx([0.26, 0.46, 0.66, 0.86], abs=0.021)


def test_nobody_speaks_for_ever() -> None:
    """An utterance without a pause is cut, with nothing lost between the parts."""
    sound = speech(2.5 * LONGEST_SECONDS, RATE)
    stream = turns()
    parts = [each for each in heard(stream, sound) if isinstance(each, Utterance)]
    last = stream.flush()
    assert last is not None
    assert b"".join(part.pcm for part in [*parts, last]) == sound
    assert len(parts) == 2


_STRETCHES = st.lists(st.tuples(st.booleans(), st.floats(0.01, 1.0)), max_size=6)


@settings(max_examples=50)
@given(stretches=_STRETCHES, size=st.integers(50, 5000))
def test_it_does_not_matter_how_the_sound_is_cut_into_messages(stretches: list[tuple[bool, float]], size: int) -> None:
    """The same sound has the same happenings; utterances follow each other and are parts of it."""
    sound = b"".join(speech(length, RATE) if voiced else silence(length, RATE) for voiced, length in stretches)
    whole, cut = turns(growing=0.3), turns(growing=0.3)
    happened = heard(whole, sound)
    assert heard(cut, *(sound[start : start + size] for start in range(0, len(sound), size))) == happened
    assert whole.flush() == cut.flush()
    end = 0.0
    for utterance in (each for each in happened if isinstance(each, Utterance)):
        first = 2 * round(utterance.start * RATE)
        assert utterance.start >= end - 1e-6
        assert utterance.pcm == sound[first : first + len(utterance.pcm)]
        end = utterance.start + seconds_of(utterance.pcm, RATE)
    regions = [type(each) for each in happened if isinstance(each, Started | Stopped)]
    assert regions == [Started, Stopped] * (len(regions) // 2) + [Started] * (len(regions) % 2)

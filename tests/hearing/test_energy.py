"""A caller's turn begins with 60 ms above the level, ends half a second after the last, and says the next line."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.audio import samples_in
from orchestrator.hearing.energy import EnergyRecognizer
from orchestrator.ports import SpeechStarted, UserTurn
from orchestrator.settings.serve import HearingSettings

RATE = 8000
SETTINGS = HearingSettings(lines=("one", "two"))


def tone(seconds: float, dbfs: float = -20.0) -> bytes:
    """A square wave of that level: each of its frames has it."""
    height = round(32768 * 10 ** (dbfs / 20))
    return np.resize(np.array([height, -height], "<i2"), round(seconds * RATE)).tobytes()


def quiet(seconds: float) -> bytes:
    """Line noise below the level."""
    return tone(seconds, -40.0)


def heard(pcm: bytes, *, chunks: list[int] | None = None, at: float = 5.0) -> list[SpeechStarted | UserTurn]:
    """What is told of one stretch of sound that began at `at`, in chunks of so many bytes each, over and over."""
    recognizer = EnergyRecognizer(settings=SETTINGS, rate=RATE)
    told: list[SpeechStarted | UserTurn] = []
    position, sizes = 0, chunks or [320]
    while position < len(pcm):
        chunk = pcm[position : position + sizes[0]]
        told += recognizer.hear(chunk, at=at + position / 2 / RATE)
        position += len(chunk)
        sizes = sizes[1:] + sizes[:1]
    return told


def close(told: list[SpeechStarted | UserTurn], expected: list[SpeechStarted | UserTurn]) -> bool:
    """Whether both are the same but for rounding."""
    return [rounded(event) for event in told] == [rounded(event) for event in expected]


def rounded(event: SpeechStarted | UserTurn) -> tuple[str | float, ...]:
    """An event with its times in whole microseconds."""
    if isinstance(event, SpeechStarted):
        return (round(event.at, 6),)
    return (event.text, round(event.started, 6), round(event.ended, 6))


TALK = quiet(0.2) + tone(0.4) + quiet(0.3) + tone(0.1) + quiet(0.6) + tone(0.06) + quiet(0.6)
TOLD: list[SpeechStarted | UserTurn] = [
    SpeechStarted(5.2),
    UserTurn("one", 5.2, 6.0),
    SpeechStarted(6.6),
    UserTurn("two", 6.6, 6.66),
]


def test_turns_are_told_with_their_times() -> None:
    """A pause of 0.3 s is inside a turn, one of 0.6 s between two; the lines come one after the other."""
    assert close(heard(TALK), TOLD)


@given(st.lists(st.integers(1, 1700).map(lambda samples: 2 * samples), min_size=1, max_size=5))
def test_chunks_of_any_size_tell_the_same(chunks: list[int]) -> None:
    """What a frame is does not depend on how sound arrives."""
    assert close(heard(TALK, chunks=chunks), TOLD)


def test_clicks_are_no_turn() -> None:
    """40 ms of noise, again and again."""
    assert heard((tone(0.04) + quiet(0.1)) * 10) == []


def test_the_level_decides() -> None:
    """-34 dBFS is speech, -36 is not; another setting, another level."""
    assert len(heard(tone(0.1, -34.0))) == 1
    assert heard(tone(0.1, -36.0)) == []
    strict = EnergyRecognizer(settings=HearingSettings(level=-10.0), rate=RATE)
    assert strict.hear(tone(0.1, -20.0), at=0.0) == []


def test_a_caller_who_sends_nothing_is_silent() -> None:
    """The clock ends the turn where no frames do, and a gap does when sound comes again."""
    recognizer = EnergyRecognizer(settings=SETTINGS, rate=RATE)
    assert recognizer.due is None
    recognizer.hear(tone(0.2), at=1.0)
    assert recognizer.due is not None
    assert 1.7 <= recognizer.due <= 1.81
    assert recognizer.pause(1.6) == []
    assert close(recognizer.pause(recognizer.due), [UserTurn("one", 1.0, 1.2)])
    recognizer.hear(tone(0.2), at=10.0)
    told = recognizer.hear(tone(0.2), at=20.0)
    assert close(told, [UserTurn("two", 10.0, 10.2), SpeechStarted(20.0)])


def test_what_a_stall_held_back_is_put_right_in_silence() -> None:
    """Five seconds that arrive at once do not shift all turns that follow by five seconds."""
    recognizer = EnergyRecognizer(settings=SETTINGS, rate=RATE)
    recognizer.hear(quiet(0.1), at=1.0)
    recognizer.hear(quiet(5.0), at=1.1)
    assert recognizer.hear(quiet(0.1), at=1.2) == []
    assert close(recognizer.hear(tone(0.1), at=1.3), [SpeechStarted(1.3)])


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 4000), st.floats(0, 2)), max_size=40))
def test_turns_alternate_and_time_runs_forward(story: list[tuple[bool, int, float]]) -> None:
    """Whatever comes when: a start, then its turn, then the next start."""
    recognizer, at = EnergyRecognizer(settings=SETTINGS, rate=RATE), 0.0
    told: list[SpeechStarted | UserTurn] = []
    for loud, samples, pause in story:
        pcm = (tone if loud else quiet)(samples / RATE)
        told += recognizer.hear(pcm, at=at)
        at += samples_in(pcm) / RATE + pause
    told += recognizer.pause(at + 10)
    kinds = [type(event) for event in told]
    assert kinds == [SpeechStarted, UserTurn] * (len(kinds) // 2)
    times = [time for event in told if isinstance(event, UserTurn) for time in (event.started, event.ended)]
    assert all(before <= after + 1e-6 for before, after in pairwise(times))

"""Whether all sound of a piece is there though nobody said so: by the last word, or by length and silence."""

from __future__ import annotations

import pytest

from orchestrator.audio import silence
from orchestrator.ports import WordTime
from orchestrator.slot.pace import Pace
from orchestrator.speech.endings import Endings, Sounded

TEXT = "Please come to the door, Mary!"
LOUD = b"\x00\x40"


def sounded(seconds: float, *, tail: float = 0.0, text: str = TEXT, word: WordTime | None = None) -> Sounded:
    """Return what has come of a piece: loud sound, then silence, `seconds` in all."""
    made = Sounded(text, 8000)
    made.add(LOUD * round(8000 * (seconds - tail)))
    made.add(silence(tail, 8000))
    made.word = word
    return made


def endings() -> Endings:
    """Of a voice that speaks 15 characters a second: the text takes 2 s."""
    return Endings(Pace(seconds_per_character=1 / 15))


@pytest.mark.parametrize(
    ("word", "seconds", "whole"),
    [
        (WordTime("a", 5, "Mary!", 1.5, 2.0), 2.0, True),
        (WordTime("a", 5, "mary", 1.5, 2.0), 2.0, True),
        (WordTime("a", 5, "Mary!", 1.5, 2.0), 1.96, True),
        (WordTime("a", 5, "Mary!", 1.5, 2.0), 1.9, False),
        (WordTime("a", 4, "door,", 1.2, 1.5), 2.0, False),
        (WordTime("a", 4, "Mary!", 1.2, 1.5), 2.0, False),
        (WordTime("a", 5, "door", 1.2, 1.5), 2.0, False),
    ],
)
def test_the_last_word_decides_where_words_are_told(word: WordTime, seconds: float, whole: bool) -> None:
    """The right one at its place, and its sound is there; silence and length say nothing against it."""
    assert endings().is_whole(sounded(seconds, tail=0.2, word=word)) is whole
    assert sounded(seconds, word=word).last_word_came() is whole


def test_a_word_that_comes_twice_is_the_last_only_at_its_place() -> None:
    """By its number."""
    assert not sounded(2.0, text="no no", word=WordTime("a", 0, "no", 0.0, 0.5)).last_word_came()
    assert sounded(2.0, text="no no", word=WordTime("a", 1, "no", 0.5, 1.0)).last_word_came()


@pytest.mark.parametrize(("seconds", "tail", "whole"), [(1.5, 0.1, True), (1.45, 0.1, False), (3.0, 0.05, False)])
def test_without_words_length_and_silence_decide(seconds: float, tail: float, whole: bool) -> None:
    """At least three quarters of what was predicted, and 60 ms of silence at the end, in however many parts."""
    made = sounded(seconds - 0.02, tail=tail - 0.02)
    made.add(silence(0.02, 8000))
    assert endings().is_whole(made) is whole


def test_a_voice_of_exact_length_needs_no_silence() -> None:
    """Once its lengths have come as predicted many times; one piece that did not ends that."""
    known = endings()
    assert not known.is_whole(sounded(2.0))
    for _ in range(40):
        known.learn(sounded(2.0))
    assert known.is_whole(sounded(1.95))
    assert not known.is_whole(sounded(1.85))
    known.learn(sounded(3.0))
    assert not known.is_whole(sounded(2.0))


def test_words_that_are_told_otherwise_than_written_are_not_waited_for() -> None:
    """Where the last word of a complete piece was not told as it stands there, silence decides; until it is again."""
    known, word = endings(), WordTime("a", 9, "Maria", 1.5, 2.0)
    assert not known.is_whole(sounded(2.0, tail=0.1, word=word))
    known.learn(sounded(2.0, word=word))
    assert known.is_whole(sounded(2.0, tail=0.1, word=word))
    assert not known.is_whole(sounded(2.0, word=word))
    known.learn(sounded(2.0, word=WordTime("a", 5, "Mary!", 1.5, 2.0)))
    assert not known.is_whole(sounded(2.0, tail=0.1, word=word))


def test_nothing_is_never_whole() -> None:
    """Not even of a text without a word."""
    known = endings()
    assert not known.is_whole(sounded(0.0))
    assert not known.is_whole(sounded(0.0, text=""))
    assert not sounded(1.0, text="", word=WordTime("a", 0, "", 0, 0)).last_word_came()

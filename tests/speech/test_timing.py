"""Claims about when words sound: by weight without the provider's word times, exact with them, and never backwards."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.ports import WordTime
from orchestrator.speech.chunking import Piece, ReplyText
from orchestrator.speech.timing import WordAligner, heard_words, word_times
from orchestrator.speech.word_weights import weights

Said = list[tuple[str, float, float]]
WORDS = st.sampled_from(["we", "a", "well-known", "New", "York.", "100", "$5", "—", ",", "नमस्ते।"])
TEXTS = st.text(max_size=60) | st.lists(WORDS, max_size=12).map(" ".join)
SECONDS = st.floats(allow_nan=True, allow_infinity=True)


def piece_of(text: str) -> Piece:
    """All of `text` as one piece."""
    reply = ReplyText(most_characters=10_000, unbroken_characters=10_000)
    reply.feed(text)
    reply.finish()
    return reply.next_piece(0, most_characters=10_000) or Piece(0, 0, "", True, ())


def aligned(text: str, said: Said, seconds: float | None = None) -> list[tuple[float, float]]:
    """The times of the words of `text` after the provider said these."""
    aligner = WordAligner(piece_of(text))
    for index, (word, start, end) in enumerate(said):
        aligner.add(WordTime("1", index, word, start, end))
    return [(round(start, 3), round(end, 3)) for start, end in aligner.times(seconds)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no, it", [1, 3, 3, 0, 1, 3]),  # a word's end counts with its last letter, the comma's pause apart
        ("go!?", [1, 3, 0, 6]),  # two marks are one pause
        ("4.5 %", [5, 1, 7, 0, 8]),  # figures and symbols are spoken as words
        ("नमस्ते।", [1.75, 1.75, 1.75, 0.1, 1.75, 2.1, 6]),  # a vowel sign adds next to nothing to its letter
    ],
)
def test_weights_follow_speech(text: str, expected: list[float]) -> None:
    """Each character weighs what it takes to say."""
    assert weights(text) == pytest.approx(expected)


def test_time_is_spread_by_weight() -> None:
    """Words share the audio, pauses lie between and after them."""
    times = word_times(piece_of("I am, yes."), 2.2)
    # weights 3, 4 + pause 3, 5 + pause 6: 21 in all
    unit = 2.2 / 21
    flat = [at for word in times for at in word]
    assert flat == pytest.approx([0, 3 * unit, 3 * unit, 7 * unit, 10 * unit, 15 * unit])


def test_hindi_words_get_time_by_syllables() -> None:
    """A word with many vowel signs is no longer than one with as many letters."""
    (_, first), (start, end) = word_times(piece_of("कमल कीमती"), 3.0)
    assert end - start == pytest.approx(first, rel=0.05)


@pytest.mark.parametrize(
    ("sounded", "words"), [(0.0, 0), (0.49, 0), (0.4995, 1), (0.5, 1), (0.9, 1), (1.0, 2), (9.0, 3)]
)
def test_heard_is_rounded_down_to_a_word(sounded: float, words: int) -> None:
    """A word is heard when all of it has sounded, to a millisecond."""
    assert heard_words([(0.0, 0.5), (0.5, 1.0), (1.2, 1.5)], sounded) == words


def test_nothing_is_heard_before_anything_sounds() -> None:
    """Words without any length are not heard at once."""
    assert heard_words(word_times(piece_of("Hello there."), 0.0), 0.0) == 0


@pytest.mark.parametrize(
    ("text", "said", "expected"),
    [
        pytest.param(
            "It costs $100, see?",
            [("It", 0.1, 0.2), ("costs", 0.2, 0.6), ("$100", 0.6, 1.4), ("see", 1.6, 1.9)],
            [(0.1, 0.2), (0.2, 0.6), (0.6, 1.4), (1.6, 1.9)],
            id="verbatim",
        ),
        pytest.param(
            "A well-known one.",
            [("a", 0.0, 0.1), ("well", 0.1, 0.4), ("known", 0.4, 0.7), ("one", 0.8, 1.0)],
            [(0.0, 0.1), (0.1, 0.7), (0.8, 1.0)],
            id="one word as two",
        ),
        pytest.param(
            "New York, now.",
            [("new york", 0.0, 1.4), ("now", 1.5, 2.0)],
            [(0.0, 0.5), (0.5, 1.4), (1.5, 2.0)],
            id="two as one",
        ),
        pytest.param(
            "I have 100 dogs.",
            [("I", 0.0, 0.1), ("have", 0.1, 0.3), ("one", 0.3, 0.5), ("hundred", 0.5, 0.9), ("dogs", 0.9, 1.3)],
            [(0.0, 0.1), (0.1, 0.3), (0.3, 0.9), (0.9, 1.3)],
            id="named differently",
        ),
        pytest.param("Go — now.", [("Go", 0.0, 0.2), ("—", 0.2, 0.3), ("now", 0.5, 0.8)], None, id="punctuation"),
        pytest.param(
            "नमस्ते, आप कैसे हैं?",
            [("नमस्ते", 0.0, 0.5), ("आप", 0.6, 0.8), ("हैं", 1.1, 1.3)],
            [(0.0, 0.5), (0.6, 0.8), (0.8, 1.1), (1.1, 1.3)],
            id="a Hindi word missing",
        ),
    ],
)
def test_provider_words_fit_however_they_are_counted(
    text: str, said: Said, expected: list[tuple[float, float]] | None
) -> None:
    """Providers cut words in their own way; words without a time lie between their neighbours."""
    times = aligned(text, said)
    if expected is None:
        assert (times[0], times[-1]) == ((0.0, 0.2), (0.5, 0.8))
    else:
        assert times == expected


def test_words_to_come_are_expected_at_the_pace_so_far() -> None:
    """While the audio's length is unknown; once it is known, they share what is left."""
    said = [("one", 0.0, 0.5)]
    assert aligned("One two six.", said) == [(0.0, 0.5), (0.5, 1.0), (1.0, 1.5)]
    *_, (_, end) = aligned("One two six.", said, 2.1)
    assert end == pytest.approx(1.5)  # and 0.6 s are the full stop's pause


def test_without_a_usable_time_words_are_spread() -> None:
    """A provider whose times make no sense is as good as one without."""
    text = "Three words here."
    weighed = [(round(start, 3), round(end, 3)) for start, end in word_times(piece_of(text), 3.0)]
    assert aligned(text, [("x", float("nan"), 1.0), ("zzz", 0.0, 1.0)], 3.0) == weighed


def test_a_repeated_frame_counts_once() -> None:
    """The second "no" is not taken for the first one sent twice."""
    aligner = WordAligner(piece_of("No no go."))
    for word in [WordTime("1", 0, "No", 0.0, 0.2)] * 2 + [WordTime("1", 1, "no", 0.3, 0.5)]:
        aligner.add(word)
    assert aligner.times()[:2] == [(0.0, 0.2), (0.3, 0.5)]


@given(TEXTS, st.data(), st.none() | SECONDS.filter(lambda seconds: abs(seconds) < 1e6))
def test_whatever_comes_times_run_forwards(text: str, data: st.DataObject, seconds: float | None) -> None:
    """Garbage neither raises nor turns time back, and every word has a time."""
    piece = piece_of(text)
    words = st.sampled_from([*piece.text.split(), "", "—"]) | st.text(max_size=8)
    aligner = WordAligner(piece)
    for index, word, start, end in data.draw(st.lists(st.tuples(st.integers(), words, SECONDS, SECONDS), max_size=12)):
        aligner.add(WordTime("1", index, word, start, end))
    for times in (aligner.times(seconds), word_times(piece, seconds or 0.0)):
        assert len(times) == len(piece.words)
        flat = [at for word_time in times for at in word_time]
        assert all(0 <= earlier <= later + 1e-9 < 1e9 for earlier, later in pairwise(flat))
        assert heard_words(times, 1e9) == len(times)


@given(TEXTS.filter(lambda text: any(char.isalpha() for char in text)))
def test_exact_times_stay_exact(text: str) -> None:
    """Where the provider names each word as we do, each gets its own time."""
    words = piece_of(text).text.split()
    said = [(word, float(number), number + 0.5) for number, word in enumerate(words)]
    named = [number for number, word in enumerate(words) if any(char.isalnum() for char in word)]
    times = aligned(text, said)
    assert [times[number] for number in named] == [(float(number), number + 0.5) for number in named]

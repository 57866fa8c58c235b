"""Sentences of simulated bots: exactly as long as asked, in clauses as equal as words allow, with clear ends."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.speech.chunking import ReplyText
from orchestrator.speech.clauses import Clauses
from simulations.wording import LEAST, LONGEST, ROOMY, SHORTEST, clauses, vocabulary

languages = st.sampled_from(["en", "hi"])
shapes = st.integers(1, 12).flatmap(
    lambda parts: st.tuples(st.integers(LEAST if parts == 1 else ROOMY * parts, 600), st.just(parts))
)


@given(shapes, languages, st.integers())
def test_a_sentence_has_exactly_the_characters_and_clauses_asked_for(
    shape: tuple[int, int], language: str, seed: int
) -> None:
    """Marks and spaces counted; commas between clauses, a full stop (a danda in Hindi) at the end."""
    characters, parts = shape
    texts = clauses(characters, parts=parts, language=language, rng=Random(seed))
    stop = "." if language == "en" else "।"
    assert len("".join(texts)) == characters
    assert len(texts) == parts
    assert [text[-2:] for text in texts] == [", "] * (parts - 1) + [f"{stop} "]
    words = [word.rstrip(",.।") for word in "".join(texts).split()]
    assert all(SHORTEST <= len(word) <= LONGEST for word in words)


@given(shapes, languages, st.integers())
def test_clauses_are_cut_at_the_word_boundary_nearest_to_equal_shares(
    shape: tuple[int, int], language: str, seed: int
) -> None:
    """No clause end lies further from its share of the sentence than half a word with its space."""
    characters, parts = shape
    texts = clauses(characters, parts=parts, language=language, rng=Random(seed))
    length = 0
    for number, text in enumerate(texts, 1):
        length += len(text) - 1  # its mark is in addition to the words
        assert abs(length - (characters - parts) * number / parts) <= (LONGEST + 1) / 2


@given(st.lists(shapes, min_size=1, max_size=5), languages, st.integers())
def test_every_end_is_seen_at_once(sentences: list[tuple[int, int]], language: str, seed: int) -> None:
    """With each clause that is yielded exactly one break is found, and known for what it is."""
    rng, found = Random(seed), Clauses()
    for characters, parts in sentences:
        texts = clauses(characters, parts=parts, language=language, rng=rng)
        for number, text in enumerate(texts, 1):
            before = len(found.breaks)
            found.feed(text)
            assert len(found.breaks) == before + 1
            assert found.breaks[-1].after == len(found.words)
            assert found.breaks[-1].sentence == (number == parts)


@pytest.mark.parametrize("language", ["en", "hi"])
def test_no_word_hides_an_end(language: str) -> None:
    """Each word of the vocabulary may end a reply's first sentence, which then may go out at once."""
    stop = "." if language == "en" else "।"
    for words in vocabulary(language).values():
        assert len(words) == len(set(words)) >= 100
        for word in words:
            text = ReplyText()
            text.feed(f"{word.capitalize()}{stop} ")
            assert text.ready(0), word


def test_hindi_is_written_in_devanagari() -> None:
    """Words of "hi" are letters and vowel signs of Devanagari, those of "en" small Latin letters."""
    assert all(re.fullmatch("[\u0900-\u097f]+", word) for words in vocabulary("hi").values() for word in words)
    assert all(re.fullmatch("[a-z]+", word) for words in vocabulary("en").values() for word in words)

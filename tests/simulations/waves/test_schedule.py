"""What is sent of a synthesis, and when: for any sound and chunk length, nothing lost and nothing early."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.ports import Spoken
from simulations.waves.schedule import Made, Schedule, Word

RATE = 8000


def schedule(chunk: float | None, *, rtf: float = 0.1) -> Schedule:
    """Return the schedule of a synthesis whose first byte is due at second 10."""
    return Schedule(first_byte=10.0, rtf=rtf, rate=RATE, chunk=chunk)


def sound(seconds: float) -> Spoken:
    """Return so much sound without words."""
    return Spoken(bytes(2 * round(seconds * RATE)), RATE)


def lengths(made: list[Made]) -> list[float]:
    """Return how many seconds each chunk has."""
    return [len(one.chunk) / (2 * RATE) for one in made]


def words_of(made: list[Made]) -> list[Word]:
    """Return the words that are told."""
    return [word for one in made for word in one.words]


@given(
    parts=st.lists(st.integers(0, 30_000), min_size=1, max_size=3),
    chunk=st.none() | st.floats(0.001, 1.0),
    ends=st.lists(st.floats(0, 0.4), max_size=6).map(sorted),
    rtf=st.floats(0, 2),
)
def test_all_sound_and_every_word_in_audio_order(
    parts: list[int], chunk: float | None, ends: list[float], rtf: float
) -> None:
    """The chunks are the sound, each when its last sample is made; a word comes with the chunk in which it ends, or
    with its part's last one."""
    plan = schedule(chunk, rtf=rtf)
    words = tuple((number, 1, 0.0, end) for number, end in enumerate(ends))
    until = 0.0
    for number, size in enumerate(parts):
        pcm = bytes([number + 1]) * 2 * size
        made = list(plan.add("abcdef", Spoken(pcm, RATE, words), words=True))
        assert b"".join(one.chunk for one in made) == pcm
        told = words_of(made)
        assert [word.text for word in told] == (list("abcdef"[: len(ends)]) if pcm else [])
        assert [word.end - until for word in told] == pytest.approx(ends[: len(told)], abs=0.001)
        part_ends, before = until + size / RATE, until
        for one in made:
            before, until = until, until + len(one.chunk) / (2 * RATE)
            assert one.at == pytest.approx(10 + rtf * until)
            for word in one.words:
                assert before - 0.001 <= word.end
                assert word.end <= until + 0.001 or until == pytest.approx(part_ends)
    assert plan.ends == pytest.approx(10 + rtf * sum(parts) / RATE)


def test_words_are_numbered_through_and_only_told_if_wanted() -> None:
    """The numbers go on from part to part, of words that were not told, too."""
    plan, spoken = schedule(None), Spoken(bytes(1600), RATE, ((0, 2, 0.0, 0.05), (3, 1, 0.05, 0.1)))
    assert words_of(list(plan.add("ab c", spoken, words=False))) == []
    assert words_of(list(plan.add("de f", spoken, words=True))) == [Word(2, "de", 0.1, 0.15), Word(3, "f", 0.15, 0.2)]


def test_chunks_grow_with_what_was_sent() -> None:
    """The first has 100 ms, each other as much as all before it, at most 1 s; the last has the rest."""
    made = list(schedule(None).add("", sound(5.0), words=False))
    assert lengths(made) == pytest.approx([0.1, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 0.4])
    assert [one.at for one in made][:3] == pytest.approx([10.01, 10.02, 10.04])


def test_chunks_of_a_later_part_grow_on() -> None:
    """What counts is all of the request before, not of the part; a part's end cuts a chunk short."""
    plan = schedule(None)
    first = list(plan.add("", sound(0.25), words=False))
    second = list(plan.add("", sound(2.0), words=False))
    assert lengths(first) == pytest.approx([0.1, 0.1, 0.05])
    assert lengths(second) == pytest.approx([0.25, 0.5, 1.0, 0.25])


def test_a_fixed_length_is_every_chunk_s() -> None:
    """But the last one's."""
    assert lengths(list(schedule(0.03).add("", sound(0.1), words=False))) == pytest.approx([0.03, 0.03, 0.03, 0.01])

"""Claims about a rung's sound in a reply's playout: it is heard in its place, and no part of the reply."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.speech.play_clock import PlayClock
from orchestrator.speech.playout import Playout
from tests.speech.playing import RATE, pieces_of, sound, time_words

TEXT = "One moment passes. Then another one comes. And it is over."
NOISE = sound(RATE // 2, seed=9)


def playout() -> Playout:
    """A playout whose marks come back by hand."""
    return Playout(PlayClock(RATE), 1 / 20)


def play(out: Playout, *, at: float) -> float:
    """Play all there is, from `at` on, a mark at each take; return when it is over."""
    while pcm := out.take(30.0):
        out.clock.marked(out.clock.written, at)
        out.clock.wrote(len(pcm) // 2)
        at += len(pcm) / 2 / RATE
    return at


@given(st.lists(st.integers(0, 2), max_size=3), st.booleans())
def test_the_heard_text_is_the_same_with_and_without_it(places: list[int], begun: bool) -> None:
    """Wherever it is put in: before a piece, between two, or while one is asked for and silent so far."""
    out, at = playout(), 1.0
    pieces = pieces_of(TEXT)
    for number, piece in enumerate(pieces):
        if number in places and not begun:
            out.insert(NOISE, rung="filler")
        out.begin(piece)
        for _ in range(places.count(number) if begun else 0):
            assert out.may_insert
            out.insert(NOISE, rung="filler")
        samples = len(piece.text) * RATE // 20
        time_words(out, piece)
        out.add(sound(samples), lead_trimmed=0.0)
        assert not out.may_insert
        out.end()
        at = play(out, at=at)
        assert out.heard(at) == piece.end
        assert out.heard(at - samples / RATE - 0.001) <= piece.start
    assert out.heard(at) == len(TEXT)
    spans = out.words(at)
    assert [TEXT[span.start : span.end] for span in spans] == TEXT.split()
    assert all(one.ends <= two.begins + 1e-9 for one, two in itertools.pairwise(spans) if one.ends and two.begins)


def test_it_says_whose_sound_lies_where() -> None:
    """And since when no word has sounded: noise is none."""
    out = playout()
    first, second = pieces_of(TEXT)
    out.insert(NOISE, rung="filler")
    out.begin(first, voice="espeak-ng")
    out.add(sound(4000), lead_trimmed=0.0)
    out.end()
    out.insert(NOISE, rung="noise", speaks=False)
    filler, own, noise = out.sounding_at(0), out.sounding_at(4000), out.sounding_at(8000)
    assert filler is not None
    assert own is not None
    assert noise is not None
    assert [sound.rung for sound in (filler, own, noise)] == ["filler", "", "noise"]
    assert own.voice == "espeak-ng"
    assert out.sounding_at(12000) is None
    assert out.joins_at(4000)
    assert not out.joins_at(4001)
    assert out.silent_since(1.0) is None
    over = play(out, at=1.0)
    assert out.silent_since(1.2) is None
    assert out.silent_since(over) == 1.0 + 8000 / RATE
    assert {span.voice for span in out.words(over)} == {"espeak-ng"}
    out.begin(second)
    assert out.may_insert


def test_what_is_given_up_counts_as_never_said() -> None:
    """A piece in work with a filler before it: the rest is asked for from its first word."""
    out = playout()
    first, second = pieces_of(TEXT)
    out.begin(first)
    out.add(sound(4000), lead_trimmed=0.0)
    out.end()
    out.begin(second)
    out.insert(NOISE, rung="filler")
    assert out.give_up() == second.start
    assert out.ahead(0.0) == (4000 + len(NOISE) // 2) / RATE

"""Joins: what plays of a piece is one faded run of it, the same however its sound arrived."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.audio import SAMPLE_BYTES, seconds_of, silence, sounding, sounds, to_samples, window_samples
from orchestrator.speech.joins import FADE_SECONDS, Joiner

RATE = 8000


def hum(seconds: float, *, rate: int = RATE, level: int = 8000) -> bytes:
    """Return a constant: its edges show every fade and every sample lost."""
    return np.full(round(seconds * rate), level, "<i2").tobytes()


def noise(seconds: float, *, level: int) -> bytes:
    """Return white noise of that peak: 30 lies at -65 dBFS."""
    return np.random.default_rng(1).integers(-level, level + 1, round(seconds * RATE)).astype("<i2").tobytes()


def joined(pcm: bytes, *cuts: int, before: float = 0.02, after: float = 0.12, rate: int = RATE) -> tuple[bytes, Joiner]:
    """Feed `pcm`, cut at the byte offsets `cuts`, and return all that plays."""
    joiner = Joiner(rate=rate, before=before, after=after)
    edges = [0, *sorted(cuts), len(pcm)]
    played = b"".join(joiner.feed(pcm[a:b]) for a, b in pairwise(edges))
    return played + joiner.finish(), joiner


pieces = st.lists(
    st.one_of(
        st.floats(0, 0.3).map(lambda seconds: silence(seconds, RATE)),
        st.floats(0, 0.3).map(hum),
        st.floats(0, 0.1).map(lambda seconds: noise(seconds, level=30)),
        st.binary(max_size=200),
    ),
    max_size=6,
).map(b"".join)


@settings(max_examples=200, deadline=None)
@given(pieces, st.lists(st.integers(0, 30_000), max_size=30), st.sampled_from([0.0, 0.003, 0.02, 0.12]))
def test_the_result_does_not_depend_on_how_the_sound_was_cut(pcm: bytes, cuts: list[int], pause: float) -> None:
    """Any chunking, odd bytes included, plays the same and never more than came."""
    whole, one = joined(pcm, before=pause, after=pause)
    parts, many = joined(pcm, *(min(cut, len(pcm)) for cut in cuts), before=pause, after=pause)
    assert parts == whole
    assert (many.lead_trimmed, many.silent) == (one.lead_trimmed, one.silent)
    assert len(whole) <= len(pcm)
    assert len(whole) % SAMPLE_BYTES == 0
    assert bool(whole) != one.silent


@settings(max_examples=200, deadline=None)
@given(pieces)
def test_what_plays_is_one_run_of_the_piece(pcm: bytes) -> None:
    """Between its fades it is the piece from `lead_trimmed` on, with at most the asked-for silence at either end."""
    played, joiner = joined(pcm)
    heard, lead, fade = to_samples(played), round(joiner.lead_trimmed * RATE), round(FADE_SECONDS * RATE)
    original = to_samples(pcm[: len(pcm) // 2 * 2])[lead : lead + len(heard)]
    assert np.array_equal(heard[fade : len(heard) - fade], original[fade : len(heard) - fade])
    if not joiner.silent:
        loud = np.flatnonzero(sounding(original.tobytes(), RATE))
        assert loud[0] * 0.005 <= 0.02
        assert len(heard) / RATE - (loud[-1] + 1) * 0.005 <= 0.12 + 1e-9


@given(st.sampled_from([8000, 16000, 44100]), st.integers(0, 200), st.integers(1, 110), st.randoms())
def test_a_window_is_judged_alone_as_among_others(rate: int, level: int, part: int, rng: random.Random) -> None:
    """Loud, soft and at the very edge of silence (a level of 104), whole or cut short."""
    samples = [rng.choice((-level, level, level + 1)) for _ in range(min(part, window_samples(rate)))]
    window = np.array(samples, "<i2").tobytes()
    assert [sounds(window, rate)] == sounding(window, rate).tolist()


def test_silence_around_speech_is_shortened_and_inside_it_kept() -> None:
    """80 ms before become 20, 400 ms after become 120, half a second inside stays."""
    piece = silence(0.08, RATE) + hum(0.3) + silence(0.5, RATE) + hum(0.2) + silence(0.4, RATE)
    played, joiner = joined(piece)
    assert seconds_of(played, RATE) == pytest.approx(0.02 + 0.3 + 0.5 + 0.2 + 0.12)
    assert joiner.lead_trimmed == pytest.approx(0.06)


def test_silence_is_never_lengthened() -> None:
    """A piece without any silence around it gets none."""
    played, joiner = joined(hum(0.3))
    assert seconds_of(played, RATE) == pytest.approx(0.3)
    assert joiner.lead_trimmed == 0.0


def test_both_ends_fade_over_five_milliseconds() -> None:
    """A piece that starts and ends in full sound rises and falls without a step."""
    heard = to_samples(joined(hum(0.1))[0]).astype(int)
    assert abs(heard[0]) < 200
    assert abs(heard[-1]) < 200
    assert np.max(np.abs(np.diff(heard))) <= 8000 / (FADE_SECONDS * RATE) + 1
    assert set(heard[40:-40]) == {8000}


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100])
def test_a_piece_of_silence_plays_nothing(rate: int) -> None:
    """Digital silence and 16 bit noise alike."""
    quiet = silence(1, rate) + noise(0.5, level=30)
    played, joiner = joined(quiet, 7, 3001, rate=rate)
    assert (played, joiner.silent) == (b"", True)


def test_an_empty_piece_plays_nothing() -> None:
    """No sound at all is silence, too."""
    assert joined(b"") == (b"", Joiner(rate=RATE, before=0.02, after=0.12))


def test_sound_plays_while_the_piece_arrives() -> None:
    """Of the speech so far only one fade is held back, and a possible tail is, too."""
    joiner = Joiner(rate=RATE, after=0.12)
    assert seconds_of(joiner.feed(hum(0.2)), RATE) == pytest.approx(0.195)
    assert seconds_of(joiner.feed(silence(0.4, RATE)), RATE) == pytest.approx(0.12)
    assert seconds_of(joiner.feed(hum(0.1)), RATE) == pytest.approx(0.28 + 0.1)
    assert seconds_of(joiner.finish(), RATE) == pytest.approx(0.005)


def test_leading_silence_is_not_hoarded() -> None:
    """A minute of silence leaves 20 ms in memory."""
    joiner = Joiner(rate=RATE)
    for _ in range(60):
        assert joiner.feed(silence(1, RATE)) == b""
    assert len(joiner._held) == SAMPLE_BYTES * round(0.02 * RATE)
    assert joiner.lead_trimmed == pytest.approx(59.98)

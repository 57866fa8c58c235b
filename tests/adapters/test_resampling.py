"""Sound keeps its length, level and pitch from one rate to another, in chunks of any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.adapters.telephony.resampling import Resampler, resampler
from orchestrator.audio import samples_in, to_samples


def wave(rate: int, *, seconds: float = 0.5, hertz: float = 440.0) -> bytes:
    """A sine at half of full scale."""
    times = np.arange(round(rate * seconds)) / rate
    return (16384 * np.sin(2 * np.pi * hertz * times)).astype("<i2").tobytes()


def test_equal_rates_need_no_resampler() -> None:
    """Which is what legs have."""
    assert resampler(source=8000, target=8000) is None


@pytest.mark.parametrize(("source", "target"), [(16000, 8000), (8000, 16000), (24000, 8000)])
def test_a_tone_stays_the_same_tone(source: int, target: int) -> None:
    """To within a hundredth of its level, away from its ends."""
    out = Resampler(source=source, target=target).feed(wave(source), last=True)
    assert samples_in(out) == pytest.approx(0.5 * target, abs=8)
    inner = slice(target // 10, 4 * target // 10)
    expected = to_samples(wave(target))[inner].astype(float)
    assert np.abs(to_samples(out)[inner] - expected).max() < 0.01 * 32768


@settings(max_examples=30)
@given(st.lists(st.integers(0, 2000), min_size=1, max_size=6))
def test_chunks_make_no_difference(sizes: list[int]) -> None:
    """Streamed in pieces, the sound is that of one piece; at most 5 ms are held back until the end."""
    pcm, whole = wave(16000), Resampler(source=16000, target=8000)
    expected = whole.feed(pcm) + whole.feed(b"", last=True)
    stream, out, position = Resampler(source=16000, target=8000), b"", 0
    for size in sizes:
        out += stream.feed(pcm[2 * position : 2 * (position + size)])
        position = min(position + size, len(pcm) // 2)
    assert samples_in(out) >= position / 2 - 0.005 * 8000 - 1
    out += stream.feed(pcm[2 * position :]) + stream.feed(b"", last=True)
    assert len(out) == pytest.approx(len(expected), abs=4)
    both = min(len(out), len(expected)) // 2
    assert np.abs(to_samples(out)[:both].astype(float) - to_samples(expected)[:both]).max() <= 2


def test_what_was_cleared_is_forgotten() -> None:
    """Nothing of it sounds in what follows."""
    stream = Resampler(source=16000, target=8000)
    stream.feed(wave(16000))
    stream.clear()
    assert not any(stream.feed(bytes(6400), last=True))

"""Sound as the program carries it: mono, 16 bit, little endian PCM in `bytes`, and what is measured on it.

Lengths are in samples where a name says so and in seconds otherwise. Nothing here knows pieces, legs or providers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_BYTES = 2
FRAME_SECONDS = 0.02
"""Telephony carries speech in frames of 20 ms."""

Samples = NDArray[np.int16]
_SAMPLE = np.dtype("<i2")


def samples_in(pcm: bytes) -> int:
    """Return how many samples `pcm` holds."""
    return len(pcm) // SAMPLE_BYTES


def seconds_of(pcm: bytes, rate: int) -> float:
    """Return how long `pcm` sounds at `rate` samples a second."""
    return len(pcm) / (SAMPLE_BYTES * rate)


def silence(seconds: float, rate: int) -> bytes:
    """Return that much digital silence."""
    return bytes(SAMPLE_BYTES * round(seconds * rate))


def to_samples(pcm: bytes | bytearray) -> Samples:
    """View `pcm` as an array of samples (read only, no copy)."""
    return np.frombuffer(pcm, _SAMPLE)


def level_dbfs(pcm: bytes) -> float:
    """Return the RMS level relative to full scale in dB; -inf for silence or nothing."""
    if not pcm:
        return float("-inf")
    power = float(np.mean(np.square(to_samples(pcm).astype(np.float64))))
    return float(10 * np.log10(power / 32768.0**2)) if power else float("-inf")


WINDOW_SECONDS = 0.005
"""The grain at which sound is told from silence."""
SILENCE_DBFS = -50.0
"""What is quieter over a window is silence: espeak and tone pause at digital zero and their softest sounds (f, th, h)
lie at -46 dBFS; one step of 16 bit noise lies at -90, of mu-law near zero at -72."""
_SILENT_POWER = 32768.0**2 * 10 ** (SILENCE_DBFS / 10)


def window_samples(rate: int) -> int:
    """Return how many samples one window of WINDOW_SECONDS has."""
    return max(1, round(WINDOW_SECONDS * rate))


def sounds(window: bytes | bytearray, rate: int) -> bool:
    """Say whether one window, or what there is of it, sounds: as `sounding` does, for less."""
    samples = to_samples(window).astype(np.float32)
    return bool(samples.dot(samples) > window_samples(rate) * _SILENT_POWER)


def sounding(pcm: bytes | bytearray, rate: int) -> NDArray[np.bool_]:
    """Say for each window of `pcm` whether it sounds; a last, shorter window counts as if silence filled it up."""
    width = window_samples(rate)
    samples = np.frombuffer(pcm, _SAMPLE, count=len(pcm) // SAMPLE_BYTES).astype(np.float32)
    if short := -len(samples) % width:
        samples = np.append(samples, np.zeros(short, np.float32))
    windows = samples.reshape(-1, width)
    loud: NDArray[np.bool_] = np.einsum("ij,ij->i", windows, windows) > width * _SILENT_POWER
    return loud

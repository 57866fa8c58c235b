"""Decides what comfort noise sounds like; when it is heard is the ladder's."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

LEVEL_DBFS = -58.0
"""RMS: below what counts as silence (-50), above nothing at all: the line is alive."""
_SEED = 1905


@lru_cache(maxsize=8)
def comfort_noise(seconds: float, rate: int) -> bytes:
    """Return soft, even noise: the same each time, free of any pattern that could be heard."""
    samples = np.random.default_rng(_SEED).standard_normal(round(seconds * rate))
    smooth = np.convolve(samples, np.ones(4) / 4, mode="same")  # darker, as a room is
    smooth /= max(1e-9, float(np.sqrt(np.mean(np.square(smooth)))))
    return np.rint(smooth * 32768 * 10 ** (LEVEL_DBFS / 20)).astype("<i2").tobytes()

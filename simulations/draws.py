"""Draws at random from distributions as scenarios give them: by mean and coefficient of variation; pure."""

from __future__ import annotations

import math
import random


def lognormal(rng: random.Random, *, mean: float, cv: float) -> float:
    """Return a lognormal draw with this mean and coefficient of variation (0: the mean).

    It takes one draw in any case, so that the draws that follow stay the same.
    """
    variance = math.log1p(cv * cv)
    return mean * math.exp(math.sqrt(variance) * rng.gauss(0.0, 1.0) - variance / 2)

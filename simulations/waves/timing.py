"""How long the simulated Waves provider takes for a request: to the first byte, and for each second of sound; pure.

When the sound of one request leaves is schedule.py's.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping

from attrs import define, field, frozen

from simulations.draws import lognormal
from simulations.waves.options import WavesOptions

WIDEST_UNIFORM = 1 / math.sqrt(3.0)
"""The coefficient of variation of a uniform distribution from 0 to twice its mean."""


@frozen
class Pace:
    """How fast one request is served: seconds to its first byte, then seconds of work for each second of sound."""

    ttfb: float
    rtf: float


@define(kw_only=True)
class Timing:
    """The pace of each request of one provider, whose start `started` is a time of the clock that `pace` is asked by.

    Each rng is drawn from once a request, whatever the options, so that one figure's unevenness leaves the other alone.
    """

    _options: WavesOptions
    _started: float
    _ttfb_rng: random.Random = field(repr=False)
    _rtf_rng: random.Random = field(repr=False)
    _cold: bool = field(default=True, init=False)

    def next_pace(self, now: float) -> Pace:
        """Return the pace of the request that begins now; in the slow time it keeps that pace to its end."""
        options, draw = self._options, _DRAWS[self._options.jitter]
        ttfb = draw(self._ttfb_rng, mean=options.ttfb, cv=options.ttfb_cv)
        rtf = draw(self._rtf_rng, mean=options.rtf, cv=options.rtf_cv)
        if self._cold:
            self._cold = False
            ttfb += options.cold
        factor = options.slow_factor if self._is_slow(now) else 1.0
        return Pace(factor * ttfb, factor * rtf)

    def restart(self) -> None:
        """The provider was restarted: its next request is a cold one again."""
        self._cold = True

    def _is_slow(self, now: float) -> bool:
        return 0.0 <= now - self._started - self._options.slow_at < self._options.slow_for


# --- draws with a mean and a coefficient of variation, each one draw of its generator ---


def _uniform(rng: random.Random, *, mean: float, cv: float) -> float:
    half = mean * min(cv, WIDEST_UNIFORM) * math.sqrt(3.0)
    return mean + half * (2.0 * rng.random() - 1.0)


def _exponential(rng: random.Random, *, mean: float, cv: float) -> float:
    drawn = rng.expovariate(1.0)
    return mean * drawn if cv else mean


_DRAWS: Mapping[str, Callable[..., float]] = {
    "lognormal": lognormal,
    "uniform": _uniform,
    "exponential": _exponential,
}

"""Learns how often other programs hold the account's slot, and for how long; pure, told the time.

When the account is asked next is account.py's. All that is seen of a hold is who was refused and who was let in: it
began after the slot was last ours and before the first refusal, and ended after the last refusal and before the first
request that passed. So there are weights of possible lengths, those that explain the latest episodes best (the
non-parametric estimate from interval-censored observations, by expectation and maximisation). That a second hold began
before the slot was asked for again is reckoned with, or late asks would teach long holds.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_HOLDS: Floats = np.geomspace(0.05, 8.0, 170)
"""Lengths that holds may have, in seconds, each 3 of 100 longer than the one before. No turn can bear more than the
longest, however long others hold the slot."""
_TIMES: Floats = np.geomspace(0.01, 8.0, 220)
"""Seconds after which may be asked again."""
_WORTH = 0.65
"""What a refusal is worth where a usual hold takes a second: so many seconds more are waited to be spared one."""
_WORTH_GROWS = 1.2
"""The power of a usual hold with which that grows: after a long one nobody minds half a second, after a short one all
do."""
_REMEMBERED = 40
"""Episodes."""
_ROUNDS = 3
"""Of the estimate, after each episode."""
_SURPRISES = 0.05
"""The part of the weight that any length keeps: what others do may change."""
_SHARE_STEP = 0.04
"""Weight of the newest ask in how often the slot is taken: about the last fifty count."""
_SHARE_LEAST, _SHARE_MOST = 0.02, 0.8
_MOST_RETAKEN = 0.8
"""The chance, at most, that a hold that is over was followed by another before the next ask."""
_FORGET = 1800.0
"""Seconds in which what was learned loses its weight to 1/e."""
_KNOWN = 2.5
"""The weight of episodes from which on a prediction is used."""


@define
class Others:
    """What is known of them. `since` is for how long the slot had not been ours when an episode's first refusal came;
    `refused` is when the refusals of an episode came, in seconds after the first one, which is itself at 0."""

    share: float = field(default=0.0, init=False)
    """The part of asks that found the slot taken, of those that were not made because it was."""
    _asks: int = field(default=0, init=False)
    _weights: Floats = field(factory=lambda: np.full(_HOLDS.shape, 1.0 / _HOLDS.size), init=False)
    _explained: deque[Floats] = field(factory=lambda: deque(maxlen=_REMEMBERED), init=False)
    """Of each episode, how likely every length makes it."""
    _episodes: float = field(default=0.0, init=False)
    _at: float = field(default=0.0, init=False)

    def found(self, *, taken: bool) -> None:
        """A request that did not follow a refusal was refused, or let in."""
        self._asks += 1
        self.share += max(_SHARE_STEP, 1.0 / (self._asks + 1)) * (taken - self.share)

    def left(self, refused: Sequence[float], *, since: float, now: float) -> float | None:
        """Return in how many seconds to ask again when the last refusal came just now; None while nothing is known."""
        if self._episodes_at(now) < _KNOWN:
            return None
        at = refused[-1] + np.append(0.0, _TIMES)[:, None]
        taken = _outlast(at, since) @ self._weights
        for before, later in pairwise(refused):  # or by another hold, begun between two asks
            over = np.minimum(_over_for(later, since), later - before)
            begun = min(1.0, self._rate * float(self._weights @ over))
            taken += begun * (_outlast(at - later, later - before) @ self._weights)
        still = taken[1:] / taken[0]
        too_late = np.cumsum((1.0 - still) * np.diff(_TIMES, prepend=0.0))
        worth = _WORTH * float(self._weights @ _HOLDS) ** _WORTH_GROWS
        return float(_TIMES[np.argmin(too_late + worth * still)])

    def ended(self, refused: Sequence[float], *, since: float, free: float, now: float) -> None:
        """An episode is over: a request was let in that was made `free` seconds after the first refusal."""
        last = refused[-1]
        chances = _outlast(last, since) - _outlast(free, since)
        if len(refused) > 1:  # then others were met, each begun between two asks, and as many as such holds need
            over = np.minimum(_over_for(last, since), np.diff(refused).max())
            others = 1.0 + np.floor((last - refused[1]) / _HOLDS)
            chances += np.minimum(_MOST_RETAKEN, self._rate * over) ** others
        if chances.any():
            self._explained.append(chances)
            self._improve()
        self._episodes = self._episodes_at(now) + 1.0
        self._at = now

    def _improve(self) -> None:
        explained = np.stack(self._explained)
        for _ in range(_ROUNDS):
            likely = explained * self._weights
            mean = (likely / likely.sum(axis=1, keepdims=True)).mean(axis=0)
            self._weights = (1.0 - _SURPRISES) * mean + _SURPRISES / _HOLDS.size

    @property
    def _rate(self) -> float:
        """How often others begin to hold the slot, in holds a second in which they don't."""
        share = min(max(self.share, _SHARE_LEAST), _SHARE_MOST)
        return share / (1.0 - share) / float(self._weights @ _HOLDS)

    def _episodes_at(self, now: float) -> float:
        return self._episodes * math.exp(-max(0.0, now - self._at) / _FORGET)


def _outlast(seconds: float | Floats, since: float) -> Floats:
    """Return the chances that a hold of each length goes on for more than so many seconds after a refusal.

    It began in the `since` seconds before that, and not so early as to be over; at any time as likely as at any other.
    """
    began = np.maximum(np.minimum(since, _HOLDS), 1e-9)
    lasting: Floats = np.clip((_HOLDS - seconds) / began, 0.0, 1.0)
    return lasting


def _over_for(seconds: float, since: float) -> Floats:
    """Return for how long a hold of each length is likely to be over so many seconds after a refusal."""
    began = np.maximum(np.minimum(since, _HOLDS), 1e-9)
    inside = np.clip(seconds - (_HOLDS - began), 0.0, began) ** 2 / (2 * began)
    over: Floats = inside + np.maximum(0.0, seconds - _HOLDS)
    return over

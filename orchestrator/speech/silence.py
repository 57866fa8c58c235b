"""Decides for how long a request may be silent before it has failed, from how regularly sound came so far; pure."""

from __future__ import annotations

from attrs import define, field

from orchestrator.slot.pace import Pace

_LEAST = 0.5
"""Seconds of silence that never are a failure: a packet that was lost and sent again."""
_MEANS, _DEVIATIONS = 3.0, 4.0
"""How many of each a time may take; of exponentially distributed ones one in 150 takes longer."""
_CHUNKS = 4.0
"""The longest chunk may take so many times as long as the provider's pace says."""
_LONGEST_CHUNK = 1.0
"""Seconds of sound that may come in one message."""
_MEAN_SHARE, _DEVIATION_SHARE = 1 / 8, 1 / 4
"""Weights of the newest time: TCP's, for the same question (RFC 6298)."""


@define
class Spread:
    """Running mean and mean deviation of times; `mean` is None until one was seen."""

    mean: float | None = None
    deviation: float = 0.0

    def learn(self, seconds: float) -> None:
        """Take one in."""
        if self.mean is None:
            self.mean, self.deviation = seconds, seconds / 2
        else:
            self.deviation += _DEVIATION_SHARE * (abs(seconds - self.mean) - self.deviation)
            self.mean += _MEAN_SHARE * (seconds - self.mean)

    def at_most(self, unknown: float) -> float:
        """Return what a time may take; `unknown` until one was seen."""
        return unknown if self.mean is None else _MEANS * self.mean + _DEVIATIONS * self.deviation


@define
class Silence:
    """How long to wait for sound, in seconds: `most` (a setting) until something is known, and never longer.

    What was waited for in vain may only have become slow: each failure in a row but the first doubles the time. (The
    second tells whether it was the one request or the provider, and should tell soon.)
    """

    most: float
    pace: Pace
    _first: Spread = field(factory=Spread)
    _gaps: Spread = field(factory=Spread)
    _firsts_failed: int = 0
    _gaps_failed: int = 0

    def first_within(self) -> float:
        """How soon after its request the first sound must come."""
        return self._bounded(self._first.at_most(self.most), self._firsts_failed)

    def next_within(self) -> float:
        """How soon after sound more must come."""
        chunk = _CHUNKS * self.pace.rtf * _LONGEST_CHUNK
        return self._bounded(max(chunk, self._gaps.at_most(self.most)), self._gaps_failed)

    def first_came(self, after: float) -> None:
        """The first sound came `after` seconds."""
        self._first.learn(after)
        self._firsts_failed = 0

    def next_came(self, after: float) -> None:
        """More sound came `after` seconds."""
        self._gaps.learn(after)

    def ended(self) -> None:
        """A request came to its end without a gap that was too long."""
        self._gaps_failed = 0

    def failed(self, *, begun: bool) -> None:
        """Nothing came in time: `begun` says that there was sound before."""
        if begun:
            self._gaps_failed += 1
        else:
            self._firsts_failed += 1

    def _bounded(self, seconds: float, failures: int) -> float:
        return min(self.most, max(_LEAST, seconds) * 2.0 ** min(max(0, failures - 1), 8))

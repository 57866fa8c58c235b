"""Decides when links are dialled after something went wrong: when the next one, how many at a time, for how long; pure.

How many there should be is the pool's.
"""

from __future__ import annotations

from attrs import define

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Standing

_FIRST = 0.2
"""Seconds before the next dial after a failure; doubled with each further one."""
_LONGEST = 5.0
_LONGEST_OUT = 1.0
"""While the provider is out its return is to be noticed within 2 s."""
_LONG_OUTAGE, _LONGEST_LATER = 60, 2.0
"""After so many failures in a row there is no hurry any more."""
_SHORT = 1.5
"""Seconds that a dial gets while the provider is out: one that is back lets in at once. Every third has its full time:
the provider may only have become slow."""
_AT_A_TIME_OUT = 2
_APART = 0.1
"""Seconds between the dials that replace links lost together, at most."""


@define
class Redial:
    """When the next link may be dialled; `ask_again` are the seconds until then where the provider refuses for good.

    As long as dials fail, and until all links that were lost are back, they are made one at a time (while the provider
    is out two, for one that is not let in may hang). `draw` is a number in [0, 1), for the jitter.
    """

    ask_again: float
    failures: int = 0
    _next_at: float = float("-inf")
    _told_until: float = float("-inf")
    """Until when the provider asked to be left alone."""
    _were: int = 0
    _careful: bool = False
    _dials: int = 0
    _failed_at: float = float("-inf")

    @property
    def next_at(self) -> float:
        """When the next dial may begin."""
        return max(self._next_at, self._told_until)

    @property
    def is_careful(self) -> bool:
        """Whether something went wrong that has not passed yet."""
        return self._careful

    def at_a_time(self, standing: Standing) -> float:
        """How many dials may be under way."""
        if standing is Standing.OUT:
            return _AT_A_TIME_OUT
        return 1 if self._careful or standing is not Standing.UP else float("inf")

    def began(self, now: float, *, standing: Standing, draw: float) -> float:
        """A dial begins; return how many seconds it gets."""
        if not self._careful:
            return float("inf")
        self._next_at = now + (self._pause(standing, draw) if self.failures else _APART * draw)
        self._dials += 1
        return _SHORT if standing is Standing.OUT and self._dials % 3 else float("inf")

    def failed(self, fault: ProviderFault, *, began: float, now: float, standing: Standing, draw: float) -> None:
        """A dial that began then failed, or a link that was open for no time and no use."""
        self._careful = True
        if began > self._failed_at:  # else it is of the same failure
            self._failed_at = now
            self.failures = max(self.failures, self._were) + 1
        pause = self._pause(standing, draw) if now - began < _FIRST else 0.0
        if fault.kind is FaultKind.FINAL:
            pause = self.ask_again
        self._next_at = max(self._next_at, began + pause)
        self._told_until = max(self._told_until, now + (fault.retry_after or 0.0))

    def refused_for_good(self, now: float) -> None:
        """No link is worth having before it is time to ask again."""
        self._careful = True
        self._next_at = max(self._next_at, now + self.ask_again)

    def lost(self) -> None:
        """A link was cut: others may be, too, and everybody else's."""
        self._careful = True

    def opened(self, now: float) -> None:
        """A link is open."""
        self._were, self.failures = self.failures, 0
        self._next_at = min(self._next_at, now + _APART)

    def settled(self) -> None:
        """All links are back."""
        self._careful = self.failures > 0
        if not self._careful:
            self._were = 0

    def _pause(self, standing: Standing, draw: float) -> float:
        longest = _LONGEST
        if standing is Standing.OUT:
            longest = _LONGEST_OUT if self.failures < _LONG_OUTAGE else _LONGEST_LATER
        return min(longest, _FIRST * 2.0 ** min(self.failures, 8)) * (0.5 + draw / 2)

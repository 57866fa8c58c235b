"""Says whether more requests fit into a window of requests per minute; pure.

The service counts a request when it arrives, which lies between our sending it and its answer. It is kept as counted
at its answer, or, while that is still to come, as counted at any time from now on: so a window holds wherever between
the two it was counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from attrs import evolve, frozen

MINUTE = 60.0
_EDGE = 0.05
"""Seconds by which the service's minute may be longer than ours: its edges, and a clock that goes differently."""


@frozen
class Window:
    """At most `limit` requests in any 60 seconds.

    `made` are the times of those answered (when the answer came, not when they began), in any order; `open` are the
    times when those under way began: one for each request that a step makes (steps.py), from the moment that the step
    is begun.
    """

    limit: int
    made: Sequence[float] = ()
    open: Sequence[float] = ()

    def room_at(self, now: float, requests: int = 1) -> float:
        """Return when so many more may be begun: `now` or later; infinite while that hangs on answers to come."""
        if len(self.made) + len(self.open) + requests <= self.limit:
            return now
        counting = sorted(ends for at in self.made if (ends := at + MINUTE + _EDGE) > now)
        over = len(counting) + len(self.open) + requests - self.limit
        if over <= 0:
            return now
        return counting[over - 1] if over <= len(counting) else float("inf")

    def begun(self, now: float, requests: int = 1) -> Self:
        """Return the window with so many more under way."""
        return evolve(self, open=(*self.open, *[now] * requests))

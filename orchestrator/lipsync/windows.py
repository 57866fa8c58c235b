"""Says whether one more request fits into a window of requests per minute; pure.

The service counts a request when it arrives, which lies between our sending it and its answer: it is kept as made from
the first to the last of these moments, so that the window holds wherever between them it was counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

MINUTE = 60.0


@frozen
class Window:
    """At most `limit` requests in any 60 seconds. `made` are the times of those answered, `open` of those under way."""

    limit: int
    made: Sequence[float] = ()
    open: Sequence[float] = ()

    def room_at(self, now: float) -> float:
        """Return when one more may be begun: `now`, or later."""
        raise NotImplementedError

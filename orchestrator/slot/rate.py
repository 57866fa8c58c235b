"""Keeps the requests of any minute under what the account allows; pure, told the time.

When the account is asked is account.py's; what the provider says of its own limit comes to it as a refusal.
"""

from __future__ import annotations

from collections import deque

from attrs import define, field

WINDOW = 60.0
_UNEVEN = 0.25
"""Seconds by which requests may lie closer together when they arrive than when they went out."""


@define
class RateWindow:
    """The requests of the last minute, at most `most`; 0: no limit. A grant holds its place until it asks or leaves."""

    most: int
    _pending: int = field(default=0, init=False)
    _asked: deque[float] = field(factory=deque, init=False)

    def granted(self) -> None:
        """Somebody may ask now."""
        self._pending += 1

    def asked(self, now: float) -> None:
        """Who was granted has asked."""
        self._pending -= 1
        if self.most:
            self._asked.append(now)

    def unused(self) -> None:
        """Who was granted will not ask."""
        self._pending -= 1

    def opens_at(self, now: float) -> float:
        """Return when one more may be granted: `now` or a time to come, infinite while it hangs on those granted."""
        while self._asked and self._asked[0] + WINDOW + _UNEVEN <= now:
            self._asked.popleft()
        over = len(self._asked) + self._pending - self.most
        if not self.most or over < 0:
            return now
        return self._asked[over] + WINDOW + _UNEVEN if over < len(self._asked) else float("inf")

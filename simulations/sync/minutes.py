"""Counts requests of one kind in a minute, and says which are too many; pure, time is passed in."""

from __future__ import annotations

from collections import deque
from typing import Literal

from attrs import Factory, define, field

MINUTE = 60.0


@define(kw_only=True)
class Minute:
    """One rate limit: `most` requests a minute that are let in; refused ones do not count against it."""

    most: int | None
    window: Literal["sliding", "fixed"] = "sliding"
    started: float = 0.0
    """From when on the minutes of a fixed window count."""
    asked: int = field(default=0, init=False)
    """How many requests came, refused ones too."""
    most_asked: int = field(default=0, init=False)
    """The most that came within any 60 s, refused ones too."""
    most_let_in: int = field(default=0, init=False)
    """The most that were let in within any 60 s."""
    _came: deque[float] = Factory(deque)
    _let_in: deque[float] = Factory(deque)

    def take(self, now: float) -> bool:
        """Count a request; False where it is too much."""
        self.asked += 1
        self.most_asked = max(self.most_asked, _added(self._came, now))
        if self.most is not None and self._taken(now) >= self.most:
            return False
        self.most_let_in = max(self.most_let_in, _added(self._let_in, now))
        return True

    def _taken(self, now: float) -> int:
        """How many of those let in count now."""
        _forget(self._let_in, now)
        if self.window == "sliding":
            return len(self._let_in)
        return sum(self._number(at) == self._number(now) for at in self._let_in)

    def _number(self, at: float) -> float:
        """Which minute of a fixed window a time lies in."""
        return (at - self.started) // MINUTE


def _added(times: deque[float], now: float) -> int:
    times.append(now)
    _forget(times, now)
    return len(times)


def _forget(times: deque[float], now: float) -> None:
    while times and times[0] <= now - MINUTE:
        times.popleft()

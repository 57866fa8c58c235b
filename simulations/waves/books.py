"""The provider's own books of one account: who holds a slot, how many sockets are open, what was refused and used.

It enforces the account's limits and knows no protocol; time is passed in, in seconds of any one clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum

from attrs import Factory, define, field

_USES_KEPT = 100_000


class Refusal(Enum):
    """Why a request is not let in."""

    CONCURRENCY = "concurrency"
    RATE = "rate"


def _never() -> bool:
    return False


def _nothing() -> None:
    pass


@define
class Books:
    """An account with `slots` requests at a time over at most `links` sockets, and so many requests in any minute.

    `requests` counts those that were let in: each is then `completed`, `abandoned` (its socket went away), one of the
    `errors`, or still going on. Refused ones are counted by their reason only.
    """

    slots: int
    links: int
    requests_per_minute: int | None = None
    refuses: Callable[[], bool] = field(default=_never, repr=False)
    """Asked at each request: whether it is refused although there is a slot."""
    freed: Callable[[], None] = field(default=_nothing, repr=False)
    """Called when a slot was given back, or more are allowed."""
    max_in_flight: int = field(default=0, init=False)
    sockets: int = field(default=0, init=False)
    max_open: int = field(default=0, init=False)
    opened: int = field(default=0, init=False)
    refused_concurrency: int = field(default=0, init=False)
    refused_rate: int = field(default=0, init=False)
    refused_links: int = field(default=0, init=False)
    refused_auth: int = field(default=0, init=False)
    errors: int = field(default=0, init=False)
    """Error frames that were no refusal: wrong requests, time-outs, a voice that failed."""
    requests: int = field(default=0, init=False)
    completed: int = field(default=0, init=False)
    abandoned: int = field(default=0, init=False)
    words_asked: int = field(default=0, init=False)
    characters_asked: int = field(default=0, init=False)
    audio_seconds: float = field(default=0.0, init=False)
    """Sound that was sent."""
    uses: deque[tuple[float, float]] = field(factory=lambda: deque(maxlen=_USES_KEPT), init=False, repr=False)
    """From when to when a slot was used, one entry a use, the latest kept."""
    _slot_seconds: float = field(default=0.0, init=False)
    _used: int = field(default=0, init=False)
    _holding: dict[int, float] = Factory(dict)
    _settling: list[float] = Factory(list)
    _minute: deque[float] = Factory(deque)

    def open_link(self) -> bool:
        """Count a socket in; False where that would be one too many."""
        if self.sockets >= self.links:
            self.refused_links += 1
            return False
        self.sockets += 1
        self.opened += 1
        self.max_open = max(self.max_open, self.sockets)
        return True

    def close_link(self) -> None:
        """Count a socket out."""
        self.sockets -= 1

    def take_slot(self, now: float) -> int | Refusal:
        """Take a slot and return the number of this use, or say why not: all are taken, or it was too much a minute."""
        if self.refuses() or self.in_flight(now) >= self.slots:
            self.refused_concurrency += 1
            return Refusal.CONCURRENCY
        if not self._within_rate(now):
            self.refused_rate += 1
            return Refusal.RATE
        self._used += 1
        self._holding[self._used] = now
        self.max_in_flight = max(self.max_in_flight, self.in_flight(now))
        return self._used

    def free_slot(self, use: int, *, now: float, settle: float = 0.0) -> None:
        """Give a slot back, `settle` seconds from now; harmless when that was done before."""
        start = self._holding.pop(use, None)
        if start is None:
            return
        end = now + settle
        if settle > 0:
            self._settling.append(end)
        self.uses.append((start, end))
        self._slot_seconds += end - start
        self.freed()

    def change(self, *, slots: int, links: int, requests_per_minute: int | None) -> None:
        """Hold the account to another plan from now on; what is in flight or open stays."""
        self.slots, self.links, self.requests_per_minute = slots, links, requests_per_minute
        self.freed()

    def _within_rate(self, now: float) -> bool:
        """Count a request into the last minute; False where it does not fit. A limit that comes later finds them."""
        while self._minute and self._minute[0] <= now - 60.0:
            self._minute.popleft()
        fits = self.requests_per_minute is None or len(self._minute) < self.requests_per_minute
        if fits:
            self._minute.append(now)
        return fits

    def in_flight(self, now: float) -> int:
        """Return how many slots are taken, those that still settle among them."""
        self._settling = [end for end in self._settling if end > now]
        return len(self._holding) + len(self._settling)

    def begin_request(self, text: str) -> None:
        """Count a request in, with what it asks for."""
        self.requests += 1
        self.words_asked += len(text.split())
        self.characters_asked += len(text)

    def snapshot(self, now: float) -> dict[str, int | float]:
        """Return the books as one JSON object."""
        running = sum(now - start for start in self._holding.values())
        return {
            "slots": self.slots,
            "links": self.links,
            "in_flight": self.in_flight(now),
            "max_in_flight": self.max_in_flight,
            "sockets": self.sockets,
            "max_open": self.max_open,
            "opened": self.opened,
            "refused_concurrency": self.refused_concurrency,
            "refused_rate": self.refused_rate,
            "refused_links": self.refused_links,
            "refused_auth": self.refused_auth,
            "errors": self.errors,
            "requests": self.requests,
            "completed": self.completed,
            "abandoned": self.abandoned,
            "slot_seconds": round(self._slot_seconds + running, 6),
            "words_asked": self.words_asked,
            "characters_asked": self.characters_asked,
            "audio_seconds": round(self.audio_seconds, 6),
        }

"""When which sample of a reply sounded to the caller, from the marks that came back; pure, told the time.

Positions count the samples of one reply's sound from 0; times are points of the run's clock.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter

from attrs import define, field

from orchestrator.audio import FRAME_SECONDS

_JITTER = 0.005
"""Seconds: a mark that comes back this close to when it was expected moves nothing."""


@define
class PlayClock:
    """A reply's way from positions to times. `latency` is how long a mark takes from the caller's ear to us.

    Between two marks sound is taken to run at `rate` samples a second, and never past what was written.
    """

    rate: int
    latency: float = 0.0
    written: int = 0
    last_mark: int = 0
    _anchors: list[tuple[int, float]] = field(factory=list)
    _stopped_at: float | None = None

    @property
    def started_at(self) -> float | None:
        """When the first sample sounded, None before."""
        return self._anchors[0][1] if self._anchors else None

    def wrote(self, samples: int) -> None:
        """So many more samples were handed to the leg."""
        self.written += samples

    def marked(self, position: int, at: float) -> float:
        """The mark before `position` came back at `at`; return the silence before that position, in seconds."""
        sounded_at = at - self.latency
        expected = self.time_of(position)
        if self._stopped_at is not None:
            return 0.0
        self.last_mark = position
        late = 0.0 if expected is None else sounded_at - expected
        if expected is None or abs(late) > _JITTER:
            self._anchors.append((position, sounded_at))
        return late if late > _JITTER else 0.0

    def stop(self, now: float) -> None:
        """The leg was cleared: nothing sounds after `now`, whatever marks still turn up."""
        if self._stopped_at is None:
            self._stopped_at = now

    def sounded(self, now: float) -> int:
        """How many samples the caller has heard by `now`."""
        if not self._anchors:
            return 0
        now = now if self._stopped_at is None else min(now, self._stopped_at)
        position, at = self._anchors[-1]
        return max(position, min(self.written, position + int((now - at) * self.rate + 0.5)))

    def begun(self, now: float) -> int:
        """How many samples have sounded or are about to: a frame that has left is heard to its end."""
        sounded = self.sounded(now)
        return min(self.written, sounded + round(FRAME_SECONDS * self.rate)) if sounded else 0

    def time_of(self, position: int) -> float | None:
        """When `position` sounded, or will if nothing runs dry; None before anything sounded."""
        if not self._anchors:
            return None
        index = bisect_right(self._anchors, position, key=itemgetter(0)) - 1
        start, at = self._anchors[max(0, index)]
        expected = at + (position - start) / self.rate
        # A mark that came back early moves what lies behind it; time does not run backwards before it.
        return min(expected, self._anchors[index + 1][1]) if index + 1 < len(self._anchors) else expected

"""Who held the slot for how long, and how fairly it was shared; how long callers waited for it is latencies.py's."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from attrs import frozen

from orchestrator.events import CallStarted, Event, SlotFreed, SlotGranted, TicketJoined, TicketLeft


@frozen
class _Grant:
    at: float
    call: str
    account: float


class SlotUse:
    """Seconds of slot per call, in the order in which the calls began, and the largest lag between two that wait."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.largest_lag: float | None = None
        """The largest difference of two accounts while both calls waited; None when never two did."""
        self._joined: dict[int, float] = {}
        self._holders: dict[int, _Grant] = {}
        self._recent: deque[_Grant] = deque()

    def add(self, event: Event) -> None:
        """Take in the next event."""
        match event:
            case CallStarted():
                self.seconds.setdefault(event.call, 0.0)
            case TicketJoined():
                self._joined[event.ticket] = event.at
            case TicketLeft():
                self._joined.pop(event.ticket, None)
            case SlotGranted():
                self._grant(event)
            case SlotFreed() if self._holders.pop(event.ticket, None) is not None:
                self._charge(event.call, event.held)

    def finish(self, at: float) -> None:
        """Count what is still held when the run ends."""
        for grant in self._holders.values():
            self._charge(grant.call, max(at - grant.at, 0.0))
        self._holders.clear()

    def holders(self) -> list[str]:
        """Return the calls that hold a slot now, the longest holder first."""
        return [grant.call for grant in self._holders.values()]

    def busy(self, at: float) -> float:
        """Return the seconds of slot used until `at`, counting what is still held."""
        return sum(self.seconds.values()) + sum(max(at - grant.at, 0.0) for grant in self._holders.values())

    def _charge(self, call: str, seconds: float) -> None:
        self.seconds[call] = self.seconds.get(call, 0.0) + seconds

    def _grant(self, event: SlotGranted) -> None:
        grant = _Grant(event.at, event.call, event.account)
        self._holders[event.ticket] = grant
        joined = self._joined.pop(event.ticket, None)
        if joined is None or joined == event.at:
            return  # it never waited, so it can't have fallen behind while it did
        self._compare(grant, joined)
        self._recent.append(grant)
        oldest = min(self._joined.values(), default=event.at)
        while self._recent and self._recent[0].at <= oldest:
            self._recent.popleft()

    def _compare(self, grant: _Grant, joined: float) -> None:
        # A waiting call's account stands still: what the calls granted since this ticket joined had then, they had
        # while both waited.
        beside = [other for other in self._recent if other.at > joined and other.call != grant.call]
        for other in beside:
            self.largest_lag = max(self.largest_lag or 0.0, abs(grant.account - other.account))


def jain(shares: Sequence[float]) -> float | None:
    """Return Jain's index of fairness: 1 when all shares are equal, 1/n when one has all; None when nobody has any."""
    squares = len(shares) * sum(share * share for share in shares)
    return sum(shares) ** 2 / squares if squares else None


def by_weight(seconds: Mapping[str, float], weights: Mapping[str, float]) -> list[float]:
    """Return each call's slot seconds divided by its weight (1 where none is given)."""
    return [held / weights.get(call, 1.0) for call, held in seconds.items()]

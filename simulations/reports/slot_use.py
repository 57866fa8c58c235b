"""Who held the slot for how long, and how fairly it was shared; how long callers waited for it is latencies.py's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf

from attrs import define, frozen

from orchestrator.events import CallRefused, CallStarted, Event, SlotFreed, SlotGranted, TicketJoined, TicketLeft


@frozen
class _Grant:
    at: float
    call: str


@define
class _Waiting:
    """A ticket in the queue since `at`; of other calls that waited beside it, the accounts at their grants."""

    at: float
    call: str
    lowest: float = inf
    highest: float = -inf


class SlotUse:
    """Seconds of slot per call, in the order in which the calls began, and the largest lag between two that wait.

    What was held for no call that began and was taken (phrases for the cache) is use of the slot, but nobody's share.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._unshared = 0.0
        self.largest_lag: float | None = None
        """The largest difference of two accounts while both calls waited; None when never two did."""
        self._waiting: dict[int, _Waiting] = {}
        self._holders: dict[int, _Grant] = {}

    def add(self, event: Event) -> None:
        """Take in the next event."""
        step = _STEPS.get(type(event))
        if step is not None:
            step(self, event)

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
        shared = sum(self.seconds.values())
        return shared + self._unshared + sum(max(at - grant.at, 0.0) for grant in self._holders.values())

    def _began(self, event: CallStarted) -> None:
        self.seconds.setdefault(event.call, 0.0)

    def _refused(self, event: CallRefused) -> None:
        self._unshared += self.seconds.pop(event.call, 0.0)

    def _joined(self, event: TicketJoined) -> None:
        self._waiting[event.ticket] = _Waiting(event.at, event.call)

    def _left(self, event: TicketLeft) -> None:
        self._waiting.pop(event.ticket, None)

    def _freed(self, event: SlotFreed) -> None:
        if self._holders.pop(event.ticket, None) is not None:
            self._charge(event.call, event.held)

    def _charge(self, call: str, seconds: float) -> None:
        if call in self.seconds:
            self.seconds[call] += seconds
        else:
            self._unshared += seconds

    def _granted(self, event: SlotGranted) -> None:
        self._holders[event.ticket] = _Grant(event.at, event.call)
        granted = self._waiting.pop(event.ticket, None)
        if granted is None or granted.at == event.at:
            return  # it never waited, so it can't have fallen behind while it did
        if granted.lowest <= granted.highest:
            lag = max(granted.highest - event.account, event.account - granted.lowest)
            self.largest_lag = max(self.largest_lag or 0.0, lag)
        # A waiting call's account stands still: what this one has now, it had while the others waited beside it.
        for other in self._waiting.values():
            if other.at < event.at and other.call != event.call:
                other.lowest = min(other.lowest, event.account)
                other.highest = max(other.highest, event.account)


_STEPS: dict[type[Event], Callable[..., None]] = {
    CallStarted: SlotUse._began,
    CallRefused: SlotUse._refused,
    TicketJoined: SlotUse._joined,
    TicketLeft: SlotUse._left,
    SlotGranted: SlotUse._granted,
    SlotFreed: SlotUse._freed,
}


def jain(shares: Sequence[float]) -> float | None:
    """Return Jain's index of fairness: 1 when all shares are equal, 1/n when one has all; None when nobody has any."""
    squares = len(shares) * sum(share * share for share in shares)
    return sum(shares) ** 2 / squares if squares else None


def by_weight(seconds: Mapping[str, float], weights: Mapping[str, float]) -> list[float]:
    """Return each call's slot seconds divided by its weight (1 where none is given)."""
    return [held / weights.get(call, 1.0) for call, held in seconds.items()]

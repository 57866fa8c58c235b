"""Predicts when a slot is free for one who waits: what runs, then who goes before it; pure, seconds from now.

What other programs take of the time is account.py's.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from itertools import islice

from attrs import define, field

from orchestrator.slot.queue import SlotQueue, Ticket

_MOST = 64
"""So many of the tickets that go before are looked at."""

_OVERDUE = 0.05
"""Seconds that a piece is taken to need yet which should be complete by now."""

_STEP = 0.05
"""Weight of the newest wait in what was learned of the predictions: about the last forty count."""
_LEAST_FACTOR, _MOST_FACTOR = 0.5, 4.0


@define
class Waits:
    """What runs, and by how much waits exceed what is in the queue when they begin: who joins later may go before."""

    _queue: SlotQueue
    _running: dict[Ticket, tuple[float, float]] = field(factory=dict, init=False)
    """When each piece in flight began, and for how many seconds it is likely to hold its slot."""
    _foreseen: dict[Ticket, float] = field(factory=dict, init=False)
    """What was predicted of each first piece in the queue when it joined, without those who join later."""
    _predicted: float = field(default=0.1, init=False)
    _waited: float = field(default=0.1, init=False)
    """Running means of what was predicted without those who joined later, and of what came true, in seconds."""

    def joined(self, ticket: Ticket, now: float) -> None:
        """The ticket queued up."""
        if ticket.first:
            self._foreseen[ticket] = self.queued(ticket, need_by=ticket.need_by, now=now)

    def left(self, ticket: Ticket) -> None:
        """The ticket left the queue without a grant."""
        self._foreseen.pop(ticket, None)

    def began(self, ticket: Ticket, now: float, *, lasts: float, waited: float | None) -> None:
        """The ticket was granted, and is likely to hold its slot for so long.

        It had `waited` for so many seconds; None if not only because of those in the queue.
        """
        self._running[ticket] = now, lasts
        predicted = self._foreseen.pop(ticket, None)
        if predicted is not None and waited is not None:
            self._predicted += _STEP * (predicted - self._predicted)
            self._waited += _STEP * (waited - self._waited)

    def ended(self, ticket: Ticket) -> None:
        """The ticket's slot came back."""
        del self._running[ticket]

    def queued(self, ticket: Ticket | None, *, need_by: float, now: float) -> float:
        """Return in how many seconds a slot is free for `ticket` (or a first piece needed by then) if nobody joins."""
        before = islice(self._queue.before(ticket, need_by=need_by, now=now), _MOST)
        rests = [rest_of(lasts, now - began) for began, lasts in self._running.values()]
        return free_in(rests, [other.expected for other in before], slots=self._queue.slots)

    def ahead(self, ticket: Ticket | None, *, need_by: float, now: float) -> float:
        """Return in how many seconds a slot is likely to be free for it."""
        factor = self._waited / max(self._predicted, 1e-3)
        factor = min(max(factor, _LEAST_FACTOR), _MOST_FACTOR)
        return factor * self.queued(ticket, need_by=need_by, now=now)


def rest_of(expected: float, held: float) -> float:
    """Return for how long a piece is likely to hold its slot that was to take `expected` and has had it for `held`."""
    return max(expected - held, _OVERDUE)


def free_in(running: Iterable[float], ahead: Iterable[float], *, slots: int) -> float:
    """Return in how many seconds a slot is free for the next.

    `running` is the rest of each piece in flight; `ahead` what each takes that goes first, in order.
    """
    ends = sorted(running)
    ends = [0.0] * (slots - len(ends)) + ends
    # More in flight than slots, after the account's plan was lowered: the first to end leave nothing free.
    ends = ends[len(ends) - slots :]
    for seconds in ahead:
        heapq.heapreplace(ends, ends[0] + seconds)
    return ends[0]

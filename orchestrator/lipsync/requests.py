"""Owns the requests under way and of the last minute, of both kinds that the service counts.

Whether one more fits is windows.py's. Times are stored before a request begins, so that a restart keeps the windows.
"""

from __future__ import annotations

from attrs import define

from orchestrator.lipsync.notes import Request, RequestKind
from orchestrator.lipsync.windows import MINUTE, Window
from orchestrator.lipsync.writing import Place
from orchestrator.settings import LipsyncSettings


@define(eq=False)
class Ticket:
    """Leave for so many requests. They count as soon as it is given, and after it is given back if any was sent."""

    kind: RequestKind
    count: int
    at: float
    sent: bool = False


class Requests:
    """The requests of one account, by a clock that nobody sets; what is stored is by the wall clock."""

    def __init__(self, settings: LipsyncSettings, *, place: Place) -> None:
        self._limits: dict[RequestKind, int] = {
            "create": settings.creates_per_minute,
            "other": settings.requests_per_minute,
        }
        self.longest = settings.request_within
        """Seconds that a request may take."""
        self._place = place
        self._made: dict[RequestKind, list[float]] = {"create": [], "other": []}
        self._open: list[Ticket] = []

    def restore(self, begun: list[Request]) -> None:
        """Take in what was begun before us: nobody knows when it was answered, so as late as it can have been."""
        now, wall = self._place.steady(), self._place.wall()
        for request in begun:
            self._made[request.kind] += [min(now, now - wall + request.at + self.longest)] * request.count

    def window(self, kind: RequestKind) -> Window:
        """Return one window as it stands."""
        since = self._place.steady() - 2 * MINUTE
        self._made[kind] = [at for at in self._made[kind] if at > since]
        under_way = [ticket.at for ticket in self._open if ticket.kind == kind for _ in range(ticket.count)]
        return Window(self._limits[kind], tuple(self._made[kind]), tuple(under_way))

    def wait(self, kind: RequestKind) -> float:
        """Return how many seconds it is until one more fits; infinite while that hangs on answers to come."""
        now = self._place.steady()
        return self.window(kind).room_at(now) - now

    def reserve(self, kind: RequestKind, count: int) -> Ticket:
        """Count so many requests from now on."""
        ticket = Ticket(kind, count, self._place.steady())
        self._open.append(ticket)
        return ticket

    def send(self, ticket: Ticket) -> Request:
        """The requests of a ticket begin now; return what is to be stored before."""
        ticket.at, ticket.sent = self._place.steady(), True
        return Request(ticket.kind, self._place.wall(), ticket.count)

    def give_back(self, ticket: Ticket) -> None:
        """The requests of a ticket were answered, or will never begin."""
        self._open.remove(ticket)
        if ticket.sent:
            self._made[ticket.kind] += [self._place.steady()] * ticket.count

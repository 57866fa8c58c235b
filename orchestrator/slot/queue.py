"""Who gets the slot next: earliest need-by first, inside a fairness bound; pure, and the only place that decides it.

A first piece that is late goes before every later one: its caller hears nothing at all. In a crowd, where most of them
are late, that would only move the silence from before the replies into them: there it is need-by alone. The bound holds
even so: a call that is too far behind goes first, whatever it asks for.

Waiting, clocks and providers are the scheduler's. Times are points of any one clock; accounts are seconds of slot
divided by the call's weight.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import Enum
from heapq import merge
from itertools import islice, takewhile

from attrs import Factory, define
from sortedcontainers import SortedList

_IN_HAND = 0.5
"""Seconds before its need-by at which a ticket was not kept waiting: sound in hand banks no credit, as silence does
not. Its account is brought up to V (see `begin_reply`) when it is granted, but never further than the bound above a
call that waits."""


class TicketState(Enum):
    """Where a ticket stands. It leaves the queue once, and a granted one comes back once."""

    WAITING = "waiting"
    HELD = "held"
    GRANTED = "granted"
    LEFT = "left"
    FREED = "freed"


@define(eq=False)
class Account:
    """What one call has had, in seconds of slot by weight, made comparable with the others' when a reply begins."""

    call: str
    weight: float = 1.0
    received: float = 0.0
    in_flight: float = 0.0
    """What its granted tickets are expected to cost: a guess, never carried over into what was received."""
    waiting: set[Ticket] = Factory(set)

    @property
    def seconds(self) -> float:
        """What it has had, with what it holds at the moment."""
        return self.received + self.in_flight


@define(eq=False)
class Ticket:
    """A place in the queue. Tickets are ordered by values and their serial `number`, never by clock ties."""

    number: int
    account: Account
    need_by: float
    expected: float
    first: bool = False
    state: TicketState = TicketState.WAITING
    charge: float = 0.0
    """What was put on the account at the grant, by the weight of then."""

    def __repr__(self) -> str:
        return f"<Ticket {self.number} of {self.account.call}, {self.state.value}, need by {self.need_by:.3f}>"


class ByNeed:
    """The tickets that wait, by need."""

    def __init__(self) -> None:
        self._firsts: SortedList[tuple[float, int, Ticket]] = SortedList()
        self._laters: SortedList[tuple[float, int, Ticket]] = SortedList()

    def __iter__(self) -> Iterator[Ticket]:
        return (entry[-1] for entry in merge(self._firsts, self._laters))

    def add(self, ticket: Ticket) -> None:
        """Take a ticket in."""
        (self._firsts if ticket.first else self._laters).add((ticket.need_by, ticket.number, ticket))

    def remove(self, ticket: Ticket) -> None:
        """Take a ticket out."""
        order = self._firsts if ticket.first else self._laters
        if order[0][-1] is ticket:  # as nearly always: no search among ten thousand
            order.pop(0)
        else:
            order.remove((ticket.need_by, ticket.number, ticket))

    def next(self, now: float, *, crowded: bool) -> Ticket:
        """Return the first in order."""
        heads: list[Ticket] = [tickets[0][-1] for tickets in (self._firsts, self._laters) if tickets]
        return min(heads, key=lambda head: _rank(head, now, crowded=crowded))

    def before(self, ticket: Ticket, now: float, *, crowded: bool) -> Iterator[Ticket]:
        """Yield those that go before a ticket: the first pieces, then later ones."""
        own = _rank(ticket, now, crowded=crowded)
        for tickets in (self._firsts, self._laters):
            waiting = (entry[-1] for entry in tickets)
            yield from takewhile(lambda other: _rank(other, now, crowded=crowded) < own, waiting)


def _rank(ticket: Ticket, now: float, *, crowded: bool) -> tuple[bool, float, int]:
    late = ticket.first and not crowded and ticket.need_by < now
    return (not late, ticket.need_by, ticket.number)


class SlotQueue:
    """The slots of an account and the tickets that wait for them.

    Change it with the methods below, then call `settle` and tell the tickets it returns that they are granted.
    `bound` is in seconds of slot: a waiting call whose account is more than that below the candidate's goes first, so
    that two calls which both keep waiting never differ by more than twice the bound and one longest piece (and, with
    several slots, by what the pieces in flight on the others were mispredicted by).
    """

    def __init__(self, *, slots: int, bound: float) -> None:
        self.slots = slots
        self.bound = bound
        self._accounts: dict[str, Account] = {}
        self.crowded = False
        """Whether late first pieces are no reason to let later ones wait."""
        self._by_need = ByNeed()
        self._by_account: SortedList[tuple[float, float, int, Ticket]] = SortedList()
        self._granted: set[Ticket] = set()
        self._highest_granted = 0.0
        self._serial = 0

    @property
    def granted(self) -> int:
        """How many slots are taken."""
        return len(self._granted)

    @property
    def waiting(self) -> int:
        """How many tickets could be granted if there were slots enough (held ones can't)."""
        return len(self._by_account)

    def account_of(self, call: str) -> float:
        """Return the call's account in seconds of slot by weight."""
        return self._account(call).seconds

    def begin_reply(self, call: str, *, weight: float = 1.0) -> None:
        """Bring the call's account near the others': silence banks no credit, earlier talk is no debt."""
        account = self._account(call)
        account.weight = weight
        low = self._highest_granted
        self._charge(account, received=min(max(account.received, low), low + self.bound) - account.received)

    def close(self, call: str) -> None:
        """Forget a call that is over; its tickets must have left (a granted one may still come back)."""
        self._accounts.pop(call, None)

    def in_order(self, most: int = sys.maxsize) -> Iterator[Ticket]:
        """Yield the tickets that wait (held ones don't), earliest need-by first; not more than `most`."""
        return islice(self._by_need, most)

    def before(self, ticket: Ticket | None, *, need_by: float, now: float) -> Iterator[Ticket]:
        """Yield who goes before `ticket`, or a first piece needed by then, by need as things stand now."""
        ticket = ticket or Ticket(sys.maxsize, Account(""), need_by, 0.0, first=True)
        return self._by_need.before(ticket, now, crowded=self.crowded)

    def join(self, call: str, *, need_by: float, expected: float = 0.0, first: bool = False) -> Ticket:
        """Queue up, for a reply's `first` piece or a later one; `expected` seconds of slot are charged at the grant."""
        self._serial += 1
        account = self._account(call)
        # It may not have waited for long: what it fell behind meanwhile is no credit beyond the bound.
        if (credit := self._highest_granted - self.bound - account.seconds) > 0:
            self._charge(account, received=credit)
        self._enter(ticket := Ticket(self._serial, account, need_by, expected, first))
        return ticket

    def revise(self, ticket: Ticket, *, need_by: float) -> None:
        """Change when a ticket is needed; without effect once it is granted or gone."""
        if ticket.state is TicketState.WAITING:
            self._withdraw(ticket)
            ticket.need_by = need_by
            self._enter(ticket)
        elif ticket.state is TicketState.HELD:
            ticket.need_by = need_by

    def hold(self, ticket: Ticket) -> None:
        """Keep a waiting ticket's place without granting it."""
        if ticket.state is TicketState.WAITING:
            self._withdraw(ticket)
            ticket.state = TicketState.HELD

    def resume(self, ticket: Ticket, *, need_by: float) -> None:
        """Let a held ticket be granted again."""
        if ticket.state is TicketState.HELD:
            ticket.need_by = need_by
            self._enter(ticket)

    def leave(self, ticket: Ticket) -> bool:
        """Give a place up before its grant; return False (and do nothing) for one that is granted or gone."""
        if ticket.state is TicketState.WAITING:
            self._withdraw(ticket)
        elif ticket.state is not TicketState.HELD:
            return False
        ticket.state = TicketState.LEFT
        return True

    def free(self, ticket: Ticket, *, seconds: float) -> bool:
        """Bring a granted slot back after `seconds`; return False (and do nothing) for a ticket that holds none."""
        if ticket.state is not TicketState.GRANTED:
            return False
        ticket.state = TicketState.FREED
        self._granted.discard(ticket)
        self._charge(ticket.account, received=seconds / ticket.account.weight, in_flight=-ticket.charge)
        return True

    def settle(self, now: float, *, most: int = sys.maxsize) -> list[Ticket]:
        """Grant every slot that is free and wanted, `most` at most; return the granted tickets, in order."""
        granted: list[Ticket] = []
        while self._by_account and len(self._granted) < self.slots and len(granted) < most:
            self._withdraw(ticket := self._next(now))
            ticket.state = TicketState.GRANTED
            self._granted.add(ticket)
            account = ticket.account
            if not ticket.first and ticket.need_by > now + _IN_HAND:
                lowest = self._by_account[0][0] if self._by_account else float("inf")
                level = min(self._highest_granted, lowest + self.bound)
                self._charge(account, received=max(0.0, level - account.seconds))
            self._highest_granted = max(self._highest_granted, account.seconds)
            ticket.charge = ticket.expected / account.weight
            self._charge(account, in_flight=ticket.charge)
            granted.append(ticket)
        return granted

    def _next(self, now: float) -> Ticket:
        candidate = self._by_need.next(now, crowded=self.crowded)
        lowest = self._by_account[0][-1]
        behind = lowest.account.seconds < candidate.account.seconds - self.bound
        return lowest if behind else candidate

    def _account(self, call: str) -> Account:
        return self._accounts.setdefault(call, Account(call))

    def _enter(self, ticket: Ticket) -> None:
        ticket.state = TicketState.WAITING
        ticket.account.waiting.add(ticket)
        self._by_need.add(ticket)
        self._by_account.add((ticket.account.seconds, ticket.need_by, ticket.number, ticket))

    def _withdraw(self, ticket: Ticket) -> None:
        ticket.account.waiting.discard(ticket)
        self._by_need.remove(ticket)
        self._by_account.remove((ticket.account.seconds, ticket.need_by, ticket.number, ticket))

    def _charge(self, account: Account, *, received: float = 0.0, in_flight: float = 0.0) -> None:
        waiting = sorted(account.waiting, key=lambda ticket: ticket.number)
        for ticket in waiting:
            self._withdraw(ticket)
        account.received += received
        account.in_flight += in_flight
        for ticket in waiting:
            self._enter(ticket)

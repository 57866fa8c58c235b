"""Rules of the slot: never too many holders, none lost, none idle while somebody waits, and everybody gets a share."""

from __future__ import annotations

from orchestrator.errors import FaultKind
from orchestrator.events import (
    BackedOff,
    CallStarted,
    PieceAsked,
    ProviderRefused,
    SlotFreed,
    SlotGranted,
    StandingChanged,
    TicketJoined,
    TicketLeft,
)
from orchestrator.ports import Standing
from simulations.reports.slot_use import SlotUse
from simulations.rules.breaches import Breaches, Handlers

_IDLE_AT_MOST = 10.0
"""Seconds for which a slot may lie idle while a ticket waits: far more than any back-off or hold takes."""
_ROUNDING = 1e-6
_OVERFULL = "more in flight than the limit"
_LOST = "a slot was lost"
_TICKETS = "a ticket went astray"
_IDLE = "a slot idles while tickets wait"
_TOO_EARLY = "the account was asked before its back-off was over"
_UNHEEDED = "a refusal of the account began no back-off"
_OF_THE_ACCOUNT = (FaultKind.CONCURRENCY.value, FaultKind.RATE.value)
_LOST_PROVIDER = (Standing.OUT.value, Standing.FINAL.value)
_STARVED = "a call fell behind further than the bound"


class SlotRule:
    """Every ticket leaves or is granted, every grant comes back, and never are there more than `slots` at a time.

    None is idle while somebody waits, but for a back-off, in which nothing is asked for, or a provider that is lost.
    `queued` says that a queue keeps the limit: a policy that asks without coordination breaks it on purpose.
    """

    def __init__(self, breaches: Breaches, *, slots: int, queued: bool) -> None:
        self._breaches = breaches
        self._slots = slots
        self._queued = queued
        self._waiting: dict[int, TicketJoined] = {}
        self._granted: dict[int, SlotGranted] = {}
        self._idle_since: float | None = None
        self._backs_off_until = 0.0
        self._unheeded: ProviderRefused | None = None
        self._lost = False

    def handlers(self) -> Handlers:
        """Return what is to be called with each event of a type."""
        return {
            TicketJoined: self._join,
            TicketLeft: self._leave,
            SlotGranted: self._grant,
            SlotFreed: self._free,
            ProviderRefused: self._refuse,
            BackedOff: self._back_off,
            PieceAsked: self._ask,
            StandingChanged: self._stand,
        }

    def finish(self) -> None:
        """The run is over: nobody may wait, nobody may hold a slot."""
        for joined in self._waiting.values():
            where = f"ticket {joined.ticket} of call {joined.call} joined at {joined.at:.3f} s and never left"
            self._breaches.tell(_TICKETS, where)
        for grant in self._granted.values():
            where = f"granted to call {grant.call} (ticket {grant.ticket}) at {grant.at:.3f} s and never freed"
            self._breaches.tell(_LOST, where)

    def _join(self, event: TicketJoined) -> None:
        self._check_idle(event.at)
        if event.ticket in self._waiting or event.ticket in self._granted:
            self._stray(event, "joined twice")
        self._waiting[event.ticket] = event
        self._settle(event.at)

    def _leave(self, event: TicketLeft) -> None:
        self._check_idle(event.at)
        if self._waiting.pop(event.ticket, None) is None:
            self._stray(event, "left without waiting")
        self._settle(event.at)

    def _grant(self, event: SlotGranted) -> None:
        self._check_idle(event.at)
        if self._waiting.pop(event.ticket, None) is None:
            self._stray(event, "was granted without waiting")
        self._check_back_off(event, "was granted the slot")
        self._granted[event.ticket] = event
        if self._queued and len(self._granted) > self._slots:
            where = f"{len(self._granted)} of {self._slots} at {event.at:.3f} s, call {event.call} the latest"
            self._breaches.tell(_OVERFULL, where)
        self._idle_since = None
        self._settle(event.at)

    def _free(self, event: SlotFreed) -> None:
        self._check_idle(event.at)
        if self._granted.pop(event.ticket, None) is None:
            self._stray(event, "came back without a grant")
        self._settle(event.at)

    def _refuse(self, event: ProviderRefused) -> None:
        """A refusal of the account means a back-off: what is idle is idle for a reason from here on."""
        self._check_idle(event.at)
        if event.kind in _OF_THE_ACCOUNT:
            self._unheeded = event
        if self._idle_since is not None:
            self._idle_since = event.at

    def _back_off(self, event: BackedOff) -> None:
        """Nobody asks until it is over, and from then on a slot may lie idle as long as ever."""
        self._check_idle(event.at)
        self._unheeded = None
        self._backs_off_until = max(self._backs_off_until, event.at + event.seconds)
        if self._idle_since is not None:
            self._idle_since = max(self._idle_since, self._backs_off_until)

    def _ask(self, event: PieceAsked) -> None:
        self._check_back_off(event, "asked for a piece")

    def _check_back_off(self, event: SlotGranted | PieceAsked, what: str) -> None:
        if self._queued and self._unheeded is not None:
            where = f"call {event.call} {what} at {event.at:.3f} s, refused at {self._unheeded.at:.3f} s"
            self._breaches.tell(_UNHEEDED, where)
            self._unheeded = None
        if self._queued and event.at < self._backs_off_until - _ROUNDING:
            where = f"call {event.call} {what} at {event.at:.3f} s, not {self._backs_off_until:.3f} s"
            self._breaches.tell(_TOO_EARLY, where)

    def _stand(self, event: StandingChanged) -> None:
        """Without a provider tickets may wait, however long."""
        self._check_idle(event.at)
        self._lost = event.standing in _LOST_PROVIDER
        self._idle_since = None
        self._settle(event.at)

    def _settle(self, at: float) -> None:
        """Called after every change: note since when a slot could have been granted and was not."""
        if not self._queued or self._lost or not self._waiting or len(self._granted) >= self._slots:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = max(at, self._backs_off_until)

    def _check_idle(self, at: float) -> None:
        if self._idle_since is None or at - self._idle_since <= _IDLE_AT_MOST:
            return
        joined = next(iter(self._waiting.values()))
        where = f"from {self._idle_since:.3f} to {at:.3f} s, call {joined.call} (ticket {joined.ticket}) waiting"
        self._breaches.tell(_IDLE, where)
        self._idle_since = at

    def _stray(self, event: TicketJoined | TicketLeft | SlotGranted | SlotFreed, what: str) -> None:
        self._breaches.tell(_TICKETS, f"ticket {event.ticket} of call {event.call} {what} at {event.at:.3f} s")


class FairnessRule:
    """Two calls that both wait never differ by more than DESIGN 5.2 says.

    That is twice the `bound` (seconds of slot) and one longest piece at the least of the calls' weights; with several
    slots another piece for each more, for the pieces in flight on the others are charged by guesses.
    """

    def __init__(self, breaches: Breaches, *, slots: int, bound: float, least_weight: float = 1.0) -> None:
        self._breaches = breaches
        self._pieces = slots / least_weight
        self._bound = bound
        self._use = SlotUse()
        self._longest = 0.0
        self._lag = 0.0
        self._where = ""

    def handlers(self) -> Handlers:
        """Return what is to be called with each event of a type."""
        kinds = (CallStarted, TicketJoined, TicketLeft)
        return {**dict.fromkeys(kinds, self._use.add), SlotGranted: self._grant, SlotFreed: self._free}

    def finish(self) -> None:
        """The run is over: compare the largest lag with the longest piece that was seen."""
        allowed = 2 * self._bound + self._pieces * self._longest
        if self._lag > allowed + _ROUNDING:
            self._breaches.tell(_STARVED, f"by {self._lag:.3f} s of slot, {allowed:.3f} allowed, {self._where}")

    def _grant(self, event: SlotGranted) -> None:
        self._use.add(event)
        lag = self._use.largest_lag or 0.0
        if lag > self._lag:
            self._lag, self._where = lag, f"at {event.at:.3f} s, when call {event.call} was granted"

    def _free(self, event: SlotFreed) -> None:
        self._use.add(event)
        self._longest = max(self._longest, event.held)

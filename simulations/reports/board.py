"""How the calls stand right now, from events: what a live table shows; drawing it is table.py's."""

from __future__ import annotations

from collections import deque

from attrs import Factory, define, frozen

from orchestrator.events import (
    BargedIn,
    CallEnded,
    CallEvent,
    CallQueued,
    CallRefused,
    CallStarted,
    CallState,
    CallStateChanged,
    Event,
    FirstAudioPlayed,
    Gapped,
    LinkClosed,
    LinkOpened,
    LocalVoiceSpoke,
    PieceAudio,
    ReplyEnded,
    RungTaken,
    SlotGranted,
    StandingChanged,
)
from simulations.reports.percentiles import percentile
from simulations.reports.slot_use import SlotUse

_UP = "up"
_WHILE_SILENT = ("filler", "noise")
"""Rungs that a call leaves when its reply sounds."""


@frozen(kw_only=True)
class Row:
    """One call as a reader sees it; waits in seconds, None before the first. `rung` is the one that the call stands on,
    "" where its reply has taken none; `queued` says that it waits for a place, not for the slot."""

    call: str
    bot: str
    state: CallState
    rung: str
    holds_slot: bool
    queued: bool
    last_wait: float | None
    p95_wait: float | None
    words_heard: int
    barge_ins: int


@frozen(kw_only=True)
class Picture:
    """All that a table shows at one moment: equal pictures look the same. Seconds are whole, `used` is in per cent."""

    left: int | None
    used: int
    links: int
    rows: tuple[Row, ...]
    ended: int = 0
    """Calls that are over and have no row any more."""
    refused: int = 0
    standing: str = _UP
    """The provider's, as StandingChanged names it."""


_ENDED_ROWS = 4
"""Calls that keep their row for a while after their end."""


@define
class _Call:
    bot: str
    state: CallState = CallState.LISTENING
    queued: bool = False
    rung: str = ""
    waits: list[float] = Factory(list)
    p95_wait: float | None = None
    words_heard: int = 0
    barge_ins: int = 0

    def add(self, event: CallEvent) -> None:
        match event:
            case CallQueued():
                self.queued = True
            case CallStateChanged():
                self.state = event.state
                self.queued = self.queued and event.state is CallState.WAITING
            case CallEnded():
                self.state = CallState.ENDED
            case SlotGranted(first=True):
                self.waits.append(event.waited if event.wait is None else event.wait)
                self.p95_wait = percentile(self.waits, 95)
            case RungTaken():
                self.rung = event.rung
            case LocalVoiceSpoke():
                self.rung = "local_voice"
            case PieceAudio() if self.rung == "local_voice":
                self.rung = ""
            case FirstAudioPlayed() | Gapped() if self.rung in _WHILE_SILENT:
                self.rung = ""
            case ReplyEnded():
                self.rung = ""
                self.words_heard += event.words_heard
            case BargedIn():
                self.barge_ins += 1


class Board:
    """Follows the calls as a sink; `picture` says how they stand."""

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}
        self._ended: deque[str] = deque()
        self._gone = self._refused = 0
        self._standing = _UP
        self._slot = SlotUse()
        self._links: set[int] = set()

    def add(self, event: Event) -> None:
        """Take in the next event."""
        self._slot.add(event)
        match event:
            case CallStarted():
                self._calls[event.call] = _Call(event.bot)
            case CallRefused():
                self._refused += 1
                self._calls.pop(event.call, None)
            case CallEvent() if event.call in self._calls:
                self._calls[event.call].add(event)
                if isinstance(event, CallEnded):
                    self._retire(event.call)
            case StandingChanged():
                self._standing = event.standing
            case LinkOpened():
                self._links.add(event.link)
            case LinkClosed():
                self._links.discard(event.link)

    def picture(self, at: float, *, seconds: float | None, slots: int) -> Picture:
        """Return how things stand `at` seconds into a run of `seconds` (None: endless) over `slots` slots."""
        holders = self._slot.holders()
        return Picture(
            left=None if seconds is None else max(round(seconds - at), 0),
            used=round(100 * self._slot.busy(at) / (at * slots)) if at > 0 else 0,
            links=len(self._links),
            rows=tuple(_row(name, call, holds=name in holders) for name, call in self._calls.items()),
            ended=self._gone,
            refused=self._refused,
            standing=self._standing,
        )

    def _retire(self, call: str) -> None:
        self._ended.append(call)
        if len(self._ended) > _ENDED_ROWS:
            del self._calls[self._ended.popleft()]
            self._gone += 1


def _row(name: str, call: _Call, *, holds: bool) -> Row:
    return Row(
        call=name,
        bot=call.bot,
        state=call.state,
        rung=call.rung,
        holds_slot=holds,
        queued=call.queued,
        last_wait=call.waits[-1] if call.waits else None,
        p95_wait=call.p95_wait,
        words_heard=call.words_heard,
        barge_ins=call.barge_ins,
    )

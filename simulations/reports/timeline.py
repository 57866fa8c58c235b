"""Who did what from when to when: the spans that a timeline shows, from events; drawing them is charts.py's."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from attrs import frozen

from orchestrator.events import (
    CallerTurnEnded,
    CallQueued,
    CallStarted,
    CallState,
    CallStateChanged,
    Event,
    LocalVoiceSpoke,
    ReplyEnded,
    RungWords,
    SlotFreed,
    SlotGranted,
    TicketJoined,
    TicketLeft,
)


class Doing(Enum):
    """What fills a span."""

    CALLER = "caller speaks"
    THINKING = "bot thinks"
    WAITING = "waits for the slot"
    PLACE = "waits for a place"
    SPEAKING = "bot speaks"
    FILLER = "a filler, or a word while it waits"
    LOCAL = "the local voice speaks"
    HELD = "held"
    QUEUED = "in the queue"
    SLOT = "holds the slot"


_STATES = {
    CallState.THINKING: Doing.THINKING,
    CallState.WAITING: Doing.WAITING,
    CallState.SPEAKING: Doing.SPEAKING,
    CallState.HELD: Doing.HELD,
}
"""A call that listens leaves its row free: there the caller speaks, or nobody."""


@frozen
class Span:
    """`call` did `doing` from `start` to `end`, in seconds of the run; `lane` tells several slots apart, from 0."""

    call: str
    doing: Doing
    start: float
    end: float
    lane: int = 0


class Timeline:
    """Collects spans as a sink: `add` events in order, `finish` once, then read `spans` and `calls`."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.calls: list[str] = []
        self.end = 0.0
        self._states: dict[str, tuple[Doing, float]] = {}
        self._queued: dict[int, tuple[str, float]] = {}
        self._slots: dict[int, Span] = {}
        self._at_door: set[str] = set()
        self._voices: dict[tuple[str, int], list[Span]] = {}

    @property
    def lanes(self) -> int:
        """How many slots were in use at one time, at most; at least 1."""
        return 1 + max((span.lane for span in self.spans if span.doing is Doing.SLOT), default=0)

    def add(self, event: Event) -> None:
        """Take in the next event."""
        self.end = max(self.end, event.at)
        match event:
            case CallStarted():
                self.calls.append(event.call)
            case CallQueued():
                self._at_door.add(event.call)
            case CallStateChanged():
                self._change(event.call, self._doing(event), at=event.at)
            case CallerTurnEnded():
                self._span(event.call, Doing.CALLER, start=event.at - event.spoke, end=event.at)
            case TicketJoined():
                self._queued[event.ticket] = (event.call, event.at)
            case TicketLeft():
                self._leave_queue(event.ticket, event.at)
            case SlotGranted():
                self._leave_queue(event.ticket, event.at)
                self._slots[event.ticket] = Span(event.call, Doing.SLOT, event.at, event.at, self._free_lane())
            case SlotFreed():
                self._free(event.ticket, event.at)
            case RungWords():
                self._sound(event, Doing.FILLER)
            case LocalVoiceSpoke():
                self._sound(event, Doing.LOCAL)
            case ReplyEnded():
                self._silence((event.call, event.reply), event.at)

    def finish(self) -> None:
        """End every span that is still open where the last event was."""
        for call in list(self._states):
            self._change(call, None, at=self.end)
        for ticket in list(self._queued):
            self._leave_queue(ticket, self.end)
        for ticket in list(self._slots):
            self._free(ticket, self.end)
        for reply in list(self._voices):
            self._silence(reply, self.end)

    def _doing(self, event: CallStateChanged) -> Doing | None:
        if event.state is CallState.WAITING and event.call in self._at_door:
            return Doing.PLACE
        self._at_door.discard(event.call)
        return _STATES.get(event.state)

    def _change(self, call: str, doing: Doing | None, *, at: float) -> None:
        before = self._states.pop(call, None)
        if before is not None:
            self._span(call, before[0], start=before[1], end=at)
        if doing is not None:
            self._states[call] = (doing, at)

    def _leave_queue(self, ticket: int, at: float) -> None:
        queued = self._queued.pop(ticket, None)
        if queued is not None:
            self._span(queued[0], Doing.QUEUED, start=queued[1], end=at)

    def _free(self, ticket: int, at: float) -> None:
        span = self._slots.pop(ticket, None)
        if span is not None:
            self._span(span.call, Doing.SLOT, start=span.start, end=at, lane=span.lane)

    def _sound(self, event: RungWords | LocalVoiceSpoke, doing: Doing) -> None:
        """Note a voice that is not the provider's; what the local voice says follows what it said, however early it
        was told of."""
        voices = self._voices.setdefault((event.call, event.reply), [])
        start = max(event.at, voices[-1].end) if voices and doing is Doing.LOCAL else event.at
        voices.append(Span(event.call, doing, start, start + event.seconds))

    def _silence(self, reply: tuple[str, int], at: float) -> None:
        for span in self._voices.pop(reply, ()):
            self._span(span.call, span.doing, start=span.start, end=min(span.end, at))

    def _free_lane(self) -> int:
        taken = {span.lane for span in self._slots.values()}
        return next(lane for lane in range(len(taken) + 1) if lane not in taken)

    def _span(self, call: str, doing: Doing, *, start: float, end: float, lane: int = 0) -> None:
        if end > start:
            self.spans.append(Span(call, doing, max(start, 0.0), end, lane))


def timeline(events: Iterable[Event]) -> Timeline:
    """Return the finished timeline of a run whose events are all at hand."""
    found = Timeline()
    for event in events:
        found.add(event)
    found.finish()
    return found

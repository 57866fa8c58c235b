"""How long callers waited and what silence they heard, reply by reply; who held the slot meanwhile is slot_use.py's."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from attrs import Factory, define, frozen

from orchestrator.events import (
    CallerTurnEnded,
    Event,
    FirstAudioPlayed,
    FirstWordHeard,
    GapCause,
    Gapped,
    PiecesJoined,
    ReplyEnded,
    ReplyEvent,
    ReplyReady,
    ReplyStarted,
    RungWords,
    SlotGranted,
    TicketJoined,
    TicketLeft,
)

GAP_SECONDS = 0.1
"""A gap counts from here on."""
SILENCE_ALLOWED = 0.2
"""Seconds of a reply's silence that are no dead air, whatever the scheduler's own patience."""

Stretch = tuple[float, float]
"""From when to when, on the run's clock."""


def uncovered(silent: Iterable[Stretch], words: Sequence[Stretch]) -> float:
    """Return the seconds of `silent` (stretches that do not overlap) in which none of `words` (which may) sounds."""
    return sum(max(end - start, 0.0) - _covered((start, end), words) for start, end in silent)


def _covered(stretch: Stretch, words: Sequence[Stretch]) -> float:
    reached, end = stretch
    seconds = 0.0
    for begins, ends in sorted(words):
        begins, ends = max(begins, reached), min(ends, end)
        if ends > begins:
            seconds += ends - begins
            reached = ends
    return seconds


@frozen
class Wait:
    """One reply's wait for its first grant; `censored` when it ended, or the run did, before the grant came."""

    call: str
    reply: int
    seconds: float
    censored: bool


@define
class _Reply:
    """What is known of a reply that is not over."""

    ready: float | None = None
    asked: bool = False
    wait: float | None = None
    """Grant minus ready of the latest grant of the first piece: a refused one waits once more."""
    left: float | None = None
    first_audio: float | None = None
    gaps: list[Stretch] = Factory(list)
    words: list[Stretch] = Factory(list)
    """Where a rung's words sounded: a filler's, those in the noise."""

    def dead_air(self, ended: float) -> float:
        """Return the silence until the reply's own sound, and in its gaps, without what a rung's words cover."""
        assert self.ready is not None
        own = ended if self.first_audio is None else self.first_audio
        silence = uncovered([(self.ready, own), *self.gaps], [(start, min(end, ended)) for start, end in self.words])
        return max(silence - SILENCE_ALLOWED, 0.0)


class Latencies:
    """Waits, first audio, response, dead air and gaps, in seconds, from the events of any set of calls.

    A reply's wait and dead air are known when it is over: read `waits` and `dead_air` after `finish`.
    """

    def __init__(self) -> None:
        self.waits: list[Wait] = []
        self.first_audio = array("d")
        self.response = array("d")
        self.dead_air = array("d")
        self.joins = array("d")
        self.gap_causes: Counter[GapCause] = Counter()
        self._replies: dict[tuple[str, int], _Reply] = {}
        self._caller_silent_since: dict[str, float] = {}

    def add(self, event: Event) -> None:
        """Take in the next event; events of a reply that is over, or never began, say nothing here."""
        if isinstance(event, ReplyStarted):
            self._replies[event.call, event.reply] = _Reply()
        elif isinstance(event, CallerTurnEnded):
            self._caller_silent_since[event.call] = event.at
        elif isinstance(event, ReplyEnded):
            self._close((event.call, event.reply), event.at)
        elif isinstance(event, ReplyEvent):
            self._add_to(self._replies.get((event.call, event.reply)), event)

    def finish(self, at: float) -> None:
        """Close what is still open when the run ends: a reply that still waits counts with its wait so far."""
        for key in list(self._replies):
            self._close(key, at)

    def _add_to(self, reply: _Reply | None, event: ReplyEvent) -> None:
        step = _STEPS.get(type(event))
        if reply is not None and step is not None:
            step(self, reply, event)

    def _ready(self, reply: _Reply, event: ReplyReady) -> None:
        reply.ready = event.at

    def _joined(self, reply: _Reply, event: TicketJoined) -> None:
        if event.first:
            reply.asked, reply.wait, reply.left = True, None, None

    def _left(self, reply: _Reply, event: TicketLeft) -> None:
        if event.first:
            reply.left = _since(reply.ready, event.at) if reply.ready is not None else event.waited

    def _granted(self, reply: _Reply, event: SlotGranted) -> None:
        if event.first:
            reply.wait = event.wait if event.wait is not None else event.waited

    def _word(self, _reply: _Reply, event: FirstWordHeard) -> None:
        silent_since = self._caller_silent_since.pop(event.call, None)
        if silent_since is not None:
            self.response.append(event.at - silent_since)

    def _audio(self, reply: _Reply, event: FirstAudioPlayed) -> None:
        reply.first_audio = event.at
        if reply.ready is not None:
            self.first_audio.append(event.at - reply.ready)

    def _gapped(self, reply: _Reply, event: Gapped) -> None:
        reply.gaps.append((event.at - event.seconds, event.at))
        if event.seconds > GAP_SECONDS:
            self.gap_causes[event.cause] += 1

    def _rung_words(self, reply: _Reply, event: RungWords) -> None:
        reply.words.append((event.at, event.at + event.seconds))

    def _pieces_joined(self, _reply: _Reply, event: PiecesJoined) -> None:
        self.joins.append(event.gap)

    def _close(self, key: tuple[str, int], at: float) -> None:
        reply = self._replies.pop(key, None)
        if reply is None:
            return
        if reply.asked:
            so_far = reply.left if reply.left is not None else _since(reply.ready, at)
            wait = so_far if reply.wait is None else reply.wait
            self.waits.append(Wait(*key, seconds=wait, censored=reply.wait is None))
        if reply.ready is not None:
            self.dead_air.append(reply.dead_air(at))


_STEPS: dict[type[ReplyEvent], Callable[..., None]] = {
    ReplyReady: Latencies._ready,
    TicketJoined: Latencies._joined,
    TicketLeft: Latencies._left,
    SlotGranted: Latencies._granted,
    FirstWordHeard: Latencies._word,
    FirstAudioPlayed: Latencies._audio,
    Gapped: Latencies._gapped,
    RungWords: Latencies._rung_words,
    PiecesJoined: Latencies._pieces_joined,
}


def _since(then: float | None, now: float) -> float:
    return now - then if then is not None else 0.0

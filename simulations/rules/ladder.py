"""Rules of the ladder: rungs that the settings have, one filler a reply at most, and words that never overlap."""

from __future__ import annotations

from attrs import Factory, define

from orchestrator.events import (
    CallEnded,
    LegCleared,
    LocalVoiceSpoke,
    ReplyEnded,
    ReplyEvent,
    ReplyStarted,
    RungTaken,
    RungWords,
)
from orchestrator.settings import LadderSettings
from simulations.rules.breaches import Breaches, Handlers

_ROUNDING = 1e-6
_WITHOUT_LADDER = ("cache",)
"""What is no matter of the ladder: a phrase that was asked for as such."""
_FILLERS = "more than one filler in a reply"
_OVERLAP = "words of a rung overlap"
_NO_RUNG = "a rung that the settings do not have"
_OUTSIDE = "a rung outside a reply"


@define
class _Waiting:
    """A reply, with how often it took which rung."""

    reply: int
    rungs: dict[str, int] = Factory(dict)


class LadderRule:
    """What a reply is told to have taken, said and spoken locally is what `ladder` allows."""

    def __init__(self, breaches: Breaches, *, ladder: LadderSettings) -> None:
        self._breaches = breaches
        self._rungs = {*(ladder.rungs if ladder.on else ()), *_WITHOUT_LADDER}
        self._replies: dict[str, _Waiting] = {}
        self._words_until: dict[str, float] = {}

    def handlers(self) -> Handlers:
        """Return what is to be called with each event of a type."""
        return {
            ReplyStarted: self._start,
            ReplyEnded: self._end,
            CallEnded: self._end_call,
            RungTaken: self._take,
            RungWords: self._say,
            LocalVoiceSpoke: self._speak_locally,
            LegCleared: self._clear,
        }

    def finish(self) -> None:
        """The run is over: rungs leave nothing open."""

    def _start(self, event: ReplyStarted) -> None:
        self._replies[event.call] = _Waiting(event.reply)

    def _end(self, event: ReplyEnded) -> None:
        self._replies.pop(event.call, None)

    def _end_call(self, event: CallEnded) -> None:
        self._replies.pop(event.call, None)
        self._words_until.pop(event.call, None)

    def _take(self, event: RungTaken) -> None:
        reply = self._reply_of(event, event.rung)
        if reply is None:
            return
        reply.rungs[event.rung] = reply.rungs.get(event.rung, 0) + 1
        if event.rung == "filler" and reply.rungs["filler"] > 1:
            self._breaches.tell(_FILLERS, _where(event))

    def _say(self, event: RungWords) -> None:
        self._reply_of(event, event.rung)
        until = self._words_until.get(event.call, 0.0)
        if event.at < until - _ROUNDING:
            self._breaches.tell(_OVERLAP, f"{_where(event)}, others last until {until:.3f} s")
        self._words_until[event.call] = max(until, event.at + event.seconds)

    def _speak_locally(self, event: LocalVoiceSpoke) -> None:
        self._reply_of(event, "local_voice")

    def _clear(self, event: LegCleared) -> None:
        """A cut ends words, too."""
        self._words_until.pop(event.call, None)

    def _reply_of(self, event: ReplyEvent, rung: str) -> _Waiting | None:
        """Return the reply that goes on in the call, if it is the event's; tell what is wrong with it."""
        if rung not in self._rungs:
            self._breaches.tell(_NO_RUNG, f"{rung}, {_where(event)}")
        reply = self._replies.get(event.call)
        if reply is None or reply.reply != event.reply:
            self._breaches.tell(_OUTSIDE, f"{rung}, {_where(event)}")
            return None
        return reply


def _where(event: ReplyEvent) -> str:
    return f"in reply {event.reply} of call {event.call} at {event.at:.3f} s"

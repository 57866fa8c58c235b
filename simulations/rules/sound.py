"""Rules of what is heard: nothing after a cut, nothing that was not asked for, nothing of another call."""

from __future__ import annotations

from collections import deque

from attrs import define, field

from orchestrator.events import CallEnded, CallStarted, LegCleared, PieceAsked, ReplyStarted
from simulations.rules.breaches import Breaches, Handlers
from simulations.world_events import SoundPlayed

_ROUNDING = 1e-6
"""Seconds: a sample more or less is no sound."""
_ALL_FADE = 0.012
"""Seconds: after a silence the end of a piece that came late sounds alone; of two fades of 5 ms nobody can tell whose
it is."""
_CLEARS_KEPT = 20
"""Of a call whose replies are all cut before they sound."""
_AFTER_CUT = "sound after a cut"
_ASTRAY = "sound of another call"
_UNASKED = "sound that nobody asked for"
_OUTSIDE = "sound outside a call"


@define
class _Ear:
    """What one caller may hear.

    `asked_at` is since when the reply at hand has a piece asked for; `clears` when the leg was cleared since sound last
    ended, each with the `asked_at` of until then.
    """

    reply: int = 0
    cut: int = 0
    asked_at: float | None = None
    clears: deque[tuple[float, float | None]] = field(factory=lambda: deque(maxlen=_CLEARS_KEPT))


class SoundRule:
    """A caller hears its own call only, a reply's sound only once it was asked for, and none of it after its cut."""

    def __init__(self, breaches: Breaches) -> None:
        self._breaches = breaches
        self._ears: dict[str, _Ear] = {}

    def handlers(self) -> Handlers:
        """Return what is to be called with each event of a type."""
        return {
            CallStarted: self._start,
            CallEnded: self._end,
            ReplyStarted: self._begin_reply,
            PieceAsked: self._ask,
            LegCleared: self._clear,
            SoundPlayed: self._hear,
        }

    def finish(self) -> None:
        """The run is over: sound leaves nothing open."""

    def _start(self, event: CallStarted) -> None:
        self._ears[event.call] = _Ear()

    def _end(self, event: CallEnded) -> None:
        self._ears.pop(event.call, None)

    def _begin_reply(self, event: ReplyStarted) -> None:
        if (ear := self._ears.get(event.call)) is not None:
            ear.reply = event.reply

    def _ask(self, event: PieceAsked) -> None:
        ear = self._ears.get(event.call)
        if ear is not None and ear.asked_at is None and event.reply > ear.cut:
            ear.asked_at = event.at

    def _clear(self, event: LegCleared) -> None:
        if (ear := self._ears.get(event.call)) is not None:
            ear.clears.append((event.at, ear.asked_at))
            ear.cut, ear.asked_at = ear.reply, None

    def _hear(self, event: SoundPlayed) -> None:
        where = f"in call {event.call} from {event.began:.3f} to {event.ended:.3f} s"
        if event.of != event.call and (event.of or event.ended - event.began > _ALL_FADE):
            self._breaches.tell(_ASTRAY, f"{where}, made for {f'call {event.of}' if event.of else 'nobody'}")
        ear = self._ears.get(event.call)
        if ear is None:
            self._breaches.tell(_OUTSIDE, where)
            return
        clear = next((clear for clear in ear.clears if event.began < clear[0] - _ROUNDING), None)
        asked_at = ear.asked_at if clear is None else clear[1]
        if clear is not None and event.ended > clear[0] + _ROUNDING:
            self._breaches.tell(_AFTER_CUT, f"{where}, cleared at {clear[0]:.3f} s")
        elif asked_at is None or event.began < asked_at - _ROUNDING:
            self._breaches.tell(_UNASKED, where)
        ear.clears.clear()

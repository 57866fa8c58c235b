"""Rules of what is heard: nothing after a cut, nothing that was not asked for or told, nothing of another call."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Container, Iterator, Mapping

from attrs import define, field

from orchestrator.events import (
    CallEnded,
    CallQueued,
    CallRefused,
    CallStarted,
    DrainStarted,
    LegCleared,
    LocalVoiceSpoke,
    PieceAsked,
    ReplyEnded,
    ReplyStarted,
    RungTaken,
)
from simulations.plain_voice import LOCAL, PHRASE
from simulations.rules.breaches import Breaches, Handlers
from simulations.world_events import SoundPlayed

_ROUNDING = 1e-6
"""Seconds: a sample more or less is no sound."""
_ALL_FADE = 0.012
"""Seconds: after a silence the end of a piece that came late sounds alone; of two fades of 5 ms nobody can tell whose
it is."""
_CLEARS_KEPT = 20
"""Of a call whose replies are all cut before they sound."""
_NOISE, _OWN = "", "own"
"""The mark of comfort noise: none; and what stands for that of the call."""
_SOUNDS_OF = {"cache": (PHRASE,), "filler": (PHRASE,), "noise": (PHRASE, _NOISE), "apology": (PHRASE,)}
"""What a caller may hear on a rung; what the local voice says is told by itself."""
_AFTER_CUT = "sound after a cut"
_ASTRAY = "sound of another call"
_UNASKED = "sound that nobody asked for"
_UNTOLD = "sound that no event told of"
_OUTSIDE = "sound outside a call"
_FOR_ANY_CALL = (PHRASE, LOCAL)


@define
class _Ear:
    """What one caller may hear, `latency` seconds after the program knows of it.

    `clears` says until when the sound of before each clear of the leg may go on. `told` is since when the caller may
    hear sound with a mark, as the reply at hand asked for it or told of it; `told_before` the same of the reply before,
    and until when. `cut` is the last reply that was cut, `over_at` when the call was. `caches`: its bot may want what
    it says cached, which is a phrase then.
    """

    latency: float
    caches: bool
    reply: int = 0
    cut: int = 0
    clears: deque[float] = field(factory=lambda: deque(maxlen=_CLEARS_KEPT))
    told: dict[str, float] = field(factory=dict)
    told_before: dict[str, float] = field(factory=dict)
    told_until: float = 0.0
    outside: tuple[float, float] | None = None
    """From when to when phrases and the local voice are no part of a reply: at the door, and when the program ends."""
    over_at: float | None = None

    def tell(self, mark: str, at: float) -> None:
        """From now on the reply at hand may sound so."""
        self.told.setdefault(mark, at)

    def end_reply(self, at: float) -> None:
        """The reply is over: what was told of it holds no longer."""
        if self.told:
            self.told_before, self.told, self.told_until = self.told, {}, at + self.latency

    def may_hear(self, mark: str, sound: SoundPlayed) -> bool:
        """Whether the program told of sound with this mark. Noise is one run with what follows it."""
        windows = [window for window in self._windows(mark) if sound.ended <= window[1] + _ROUNDING]
        if windows and mark != _NOISE and self.may_hear(_NOISE, sound):
            return any(since < sound.ended for since, _ in windows)
        return any(since - _ROUNDING <= sound.began for since, _ in windows)

    def _windows(self, mark: str) -> Iterator[tuple[float, float]]:
        if mark in _FOR_ANY_CALL and self.outside is not None:
            yield self.outside
        if mark in self.told:
            yield self.told[mark], math.inf
        if mark in self.told_before:
            yield self.told_before[mark], self.told_until


class SoundRule:
    """A caller hears its own call only, a reply's sound only once it was asked for, and none of it after its cut.

    Phrases, noise and the local voice sound in a reply that told of them; phrases and the local voice also while the
    call waits for a place, once it was refused, and once the program drains. `latencies` says for groups with remote
    legs how long after a cut the sound may go on: as long as the clear is under way; `caching` names the groups whose
    bots are the user's own, which may want what they say cached.
    """

    def __init__(
        self, breaches: Breaches, *, latencies: Mapping[str | None, float], caching: Container[str | None]
    ) -> None:
        self._breaches = breaches
        self._latencies = latencies
        self._caching = caching
        self._ears: dict[str, _Ear] = {}
        self._drains: tuple[float, float] | None = None

    def handlers(self) -> Handlers:
        """Return what is to be called with each event of a type."""
        return {
            CallStarted: self._start,
            CallEnded: self._end,
            ReplyStarted: self._begin_reply,
            ReplyEnded: self._end_reply,
            PieceAsked: self._ask,
            RungTaken: self._take_rung,
            LocalVoiceSpoke: self._speak_locally,
            CallQueued: self._open_door,
            CallRefused: self._open_door,
            DrainStarted: self._drain,
            LegCleared: self._clear,
            SoundPlayed: self._hear,
        }

    def finish(self) -> None:
        """The run is over: sound leaves nothing open."""

    def _start(self, event: CallStarted) -> None:
        ear = _Ear(self._latencies.get(event.group, 0.0), caches=event.group in self._caching)
        ear.outside = self._drains
        self._ears[event.call] = ear

    def _end(self, event: CallEnded) -> None:
        if (ear := self._ears.get(event.call)) is not None:
            ear.over_at = event.at

    def _begin_reply(self, event: ReplyStarted) -> None:
        if (ear := self._ears.get(event.call)) is not None:
            ear.reply = event.reply
            if ear.outside is not None and self._drains is None:  # it has its place
                ear.outside = (ear.outside[0], min(ear.outside[1], event.at + ear.latency))

    def _end_reply(self, event: ReplyEnded) -> None:
        if (ear := self._ears.get(event.call)) is not None:
            ear.end_reply(event.at)

    def _ask(self, event: PieceAsked) -> None:
        ear = self._ears.get(event.call)
        if ear is not None and event.reply > ear.cut:
            ear.tell(_OWN, event.at)
            if ear.caches:
                ear.tell(PHRASE, event.at)

    def _take_rung(self, event: RungTaken) -> None:
        ear = self._ears.get(event.call)
        for mark in _SOUNDS_OF.get(event.rung, ()):
            if ear is not None and event.reply > ear.cut:
                ear.tell(mark, event.at)

    def _speak_locally(self, event: LocalVoiceSpoke) -> None:
        ear = self._ears.get(event.call)
        if ear is not None and event.reply > ear.cut:
            ear.tell(LOCAL, event.at)

    def _open_door(self, event: CallQueued | CallRefused) -> None:
        ear = self._ears.get(event.call)
        if ear is not None and ear.outside is None:
            ear.outside = (event.at, math.inf)

    def _drain(self, event: DrainStarted) -> None:
        self._drains = (event.at, math.inf)
        for ear in self._ears.values():
            ear.outside = (ear.outside[0] if ear.outside else event.at, math.inf)

    def _clear(self, event: LegCleared) -> None:
        if (ear := self._ears.get(event.call)) is not None:
            ear.clears.append(event.at + ear.latency)
            ear.cut = ear.reply

    def _hear(self, event: SoundPlayed) -> None:
        where = f"in call {event.call} from {event.began:.3f} to {event.ended:.3f} s"
        ear = self._ears.get(event.call)
        fades = event.ended - event.began <= _ALL_FADE
        noise = event.of == _NOISE and ear is not None and ear.may_hear(_NOISE, event)
        if event.of not in (event.call, *_FOR_ANY_CALL) and not (noise or (fades and event.of == _NOISE)):
            self._breaches.tell(_ASTRAY, f"{where}, made for {f'call {event.of}' if event.of else 'nobody'}")
        if ear is None or (ear.over_at is not None and event.ended > ear.over_at + ear.latency + _ROUNDING):
            self._breaches.tell(_OUTSIDE, where)
            return
        clear = next((clear for clear in ear.clears if event.began < clear - _ROUNDING), math.inf)
        if event.ended > clear + _ROUNDING:
            self._breaches.tell(_AFTER_CUT, f"{where}, cleared at {clear - ear.latency:.3f} s")
        elif event.of in _FOR_ANY_CALL:
            if not ear.may_hear(event.of, event):
                self._breaches.tell(_UNTOLD, f"{'a phrase' if event.of == PHRASE else 'the local voice'} {where}")
        elif not noise and not ear.may_hear(_OWN, event):
            self._breaches.tell(_UNASKED, where)
        while ear.clears and ear.clears[0] <= event.ended + _ROUNDING:
            ear.clears.popleft()

"""When a caller's turn begins and ends by its level alone, and a scripted text for it: the recognizer until there is
one; pure, told the time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from math import ceil

from attrs import define, field

from orchestrator import g711
from orchestrator.audio import FRAME_SECONDS, SAMPLE_BYTES, samples_in
from orchestrator.ports import SpeechStarted, UserTurn
from orchestrator.settings.serve import HearingSettings

_FULL_SCALE = 32768.0
_JITTER = 0.1
"""Seconds by which sound may come late or early and still belong to what was heard before."""
_HAIR = 1e-6


@define(kw_only=True)
class EnergyRecognizer:
    """Tells the turns of one caller from sound in chunks of any size: frames of 20 ms are judged, wherever chunks end.

    Where nothing comes, time passes in silence.
    """

    _settings: HearingSettings
    _rate: int
    _texts: Iterator[str] = field(init=False)
    _frame: int = field(init=False)
    _threshold: int = field(init=False)
    """The lowest level of a loud frame."""
    _rest: bytes = field(default=b"", init=False)
    _at: float = field(default=float("-inf"), init=False)
    """When what was heard so far ended, but for the rest."""
    _loud: int = field(default=0, init=False)
    """Loud frames in a row, while no turn has begun."""
    _began: float | None = field(default=None, init=False)
    """When the turn that has begun did."""
    _last_loud: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self._texts = cycle(self._settings.lines or ("",))
        self._frame = SAMPLE_BYTES * round(FRAME_SECONDS * self._rate)
        self._threshold = ceil(_FULL_SCALE * 10 ** (self._settings.level / 20))

    @property
    def due(self) -> float | None:
        """When the turn that has begun is over if nothing more comes; None while none has."""
        return None if self._began is None else self._last_loud + self._settings.ends_after + _JITTER

    def hear(self, pcm: bytes, *, at: float) -> list[SpeechStarted | UserTurn]:
        """Take sound that began at `at` and return what it began and ended."""
        told: list[SpeechStarted | UserTurn] = []
        behind = at - (self._at + samples_in(self._rest) / self._rate)
        if behind > _JITTER:
            told += self.pause(at)
            self._rest, self._loud, self._at = b"", 0, at
        elif behind < -_JITTER and self._began is None and not self._loud:
            self._at += behind  # what a stall held back came all at once, or clocks drift: put right in silence
        data = self._rest + pcm if self._rest else pcm
        whole = len(data) - len(data) % self._frame
        for start in range(0, whole, self._frame):
            if event := self._judge(data[start : start + self._frame]):
                told.append(event)
        self._rest = data[whole:]
        return told

    def pause(self, now: float) -> list[SpeechStarted | UserTurn]:
        """Nothing came until `now`: return the turn that this ends, if it does."""
        due = self.due
        return [self._end()] if due is not None and now > due - _HAIR else []

    def _judge(self, frame: bytes) -> SpeechStarted | UserTurn | None:
        loud = g711.level(frame) >= self._threshold
        self._at += FRAME_SECONDS
        if loud:
            self._last_loud = self._at
        if self._began is None:
            self._loud = self._loud + 1 if loud else 0
            seconds = self._loud * FRAME_SECONDS
            if seconds > self._settings.starts_after - _HAIR:
                self._began, self._loud = self._at - seconds, 0
                return SpeechStarted(self._began)
        elif self._at - self._last_loud > self._settings.ends_after - _HAIR:
            return self._end()
        return None

    def _end(self) -> UserTurn:
        assert self._began is not None
        turn = UserTurn(next(self._texts), self._began, self._last_loud)
        self._began = None
        return turn

"""A telephone without a line for tests of callers: its bot speaks for given lengths, and it logs the caller's lines."""

from __future__ import annotations

from collections.abc import Iterator

import trio
from attrs import Factory, define, field

from orchestrator.audio import silence
from orchestrator.ports import Spoken
from simulations.voices import Wanted

VOICED = 2.0
"""Seconds that each line of a `voice` lasts."""


@define
class Said:
    """A line of the caller: when it began, for how long the bot had been quiet then, and whether it was finished."""

    text: str
    at: float
    bot_quiet_for: float
    finished: bool = False

    @property
    def over_the_bot(self) -> bool:
        """Whether the bot was sounding when the line began."""
        return self.bot_quiet_for == 0


@define(eq=False)
class FakePhone:
    """Plays a bot that answers after `latency` seconds, for the next of `replies` seconds or until it is cut."""

    replies: Iterator[float]
    opening: float | None = 4.0
    latency: float = 0.3
    rate: int = 8000
    call_over: trio.Event = Factory(trio.Event)
    log: list[Said] = Factory(list)
    pressed: str = ""
    ended_at: float | None = None
    _spans: list[tuple[float, float]] = Factory(list)
    _changed: trio.Event = Factory(trio.Event)
    _answered_at: float = field(factory=trio.current_time)

    def __attrs_post_init__(self) -> None:
        if self.opening is not None:
            self._sound_for(self.opening)

    async def speak(self, pcm: bytes, text: str) -> None:
        """Cut the bot, speak in real time, be answered."""
        said = Said(text=text, at=trio.current_time(), bot_quiet_for=self._quiet_for())
        self.log.append(said)
        self._cut()
        await trio.sleep(len(pcm) / (2 * self.rate))
        said.finished = True
        self._sound_for(next(self.replies))

    async def press(self, digits: str) -> None:
        """Press keys and be answered."""
        self.pressed += digits
        self._sound_for(next(self.replies))

    async def wait_bot_speaks(self) -> None:
        """Wait until the bot sounds."""
        while not self._sounding():
            await self._wait_change(until=min((start for start, _ in self._spans if start > _now()), default=None))

    async def wait_bot_quiet(self, seconds: float) -> None:
        """Wait until the bot has been quiet for `seconds`."""
        while self._quiet_for() < seconds - 1e-9:
            end = _now() - self._quiet_for() if not self._sounding() else self._spans[-1][1]
            await self._wait_change(until=end + seconds)

    def hang_up(self) -> None:
        """End the call from either side."""
        if self.ended_at is None:
            self.ended_at = _now()
            self._cut()
            self.call_over.set()

    def _sound_for(self, seconds: float) -> None:
        start = _now() + self.latency
        self._spans.append((start, start + seconds))
        self._announce()

    def _cut(self) -> None:
        self._spans = [(start, min(end, _now())) for start, end in self._spans if start < _now()]
        self._announce()

    def _sounding(self) -> bool:
        return any(start <= _now() < end for start, end in self._spans)

    def _quiet_for(self) -> float:
        ends = [min(end, _now()) for start, end in self._spans if start <= _now()]
        return _now() - max(ends, default=self._answered_at)

    def _announce(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def _wait_change(self, *, until: float | None) -> None:
        starts = [start for start, _ in self._spans if start > _now()]
        wake = min([*starts, *([] if until is None else [until])], default=float("inf"))
        with trio.move_on_at(wake):
            await self._changed.wait()


def _now() -> float:
    return trio.current_time()


async def voice(wanted: Wanted) -> Spoken:
    """Render anything as two seconds of silence."""
    return Spoken(silence(VOICED, wanted.rate), wanted.rate)

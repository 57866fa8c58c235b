"""The caller's side of a carrier's leg, whatever its kind: sound and keys come in, events go out, and the clock ends
what nothing else ends. When a turn or an input is over is decided in hearing/energy.py and dialogue/digits.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf

import trio

from orchestrator.adapters.telephony.options import LegOptions
from orchestrator.adapters.telephony.resampling import resampler
from orchestrator.audio import seconds_of
from orchestrator.dialogue.digits import DigitBuffer
from orchestrator.hearing.energy import EnergyRecognizer
from orchestrator.ports import Digits, LegEvent, Media, Now, Tap

_OFF = 5.0
"""Seconds by which a carrier's media timestamp may lie behind the sound's arrival: more is another count."""


class CallerSide:
    """What one caller says and presses. `rate` is that of the sound that comes; a tap is told of it at `tap_rate`.

    What time ends is ended by a task in `nursery`, which is there only while something is to be ended.
    """

    tap: Tap | None = None

    def __init__(
        self, options: LegOptions, *, rate: int, now: Now, tell: Callable[[LegEvent], None], nursery: trio.Nursery
    ) -> None:
        self._rate = rate
        self._now = now
        self._tell = tell
        self._nursery = nursery
        self._resampler = resampler(source=rate, target=options.rate or rate)
        self._energy = EnergyRecognizer(settings=options.hearing, rate=rate)
        self._digits = DigitBuffer(within=options.digits_within)
        self._base: float | None = None
        self._watched: trio.CancelScope | None = None

    def media(self, media: Media) -> None:
        """Take sound."""
        if not media.pcm:
            return
        at = self._began(media)
        if self.tap is not None:
            self.tap.from_caller(at, media.pcm if self._resampler is None else self._resampler.feed(media.pcm))
        if told := self._energy.hear(media.pcm, at=at):  # only then may anything be due sooner than it was
            self._tell_all(told)
            self._plan()

    def key(self, key: str) -> None:
        """Take a key."""
        self._tell_digits(self._digits.press(key, self._now()))
        self._plan()

    def _plan(self) -> None:
        """See to it that a task wakes when something is due."""
        due = self._due()
        if self._watched is not None:  # its deadline is on Trio's clock, what is due on the run's
            self._watched.deadline = min(self._watched.deadline, trio.current_time() + due - self._now())
        elif due < inf:
            self._watched = trio.CancelScope()
            self._nursery.start_soon(self._watch)

    async def _watch(self) -> None:
        """End what only time ends, as long as there is anything."""
        while (due := self._due()) < inf:
            with trio.move_on_after(max(0.0, due - self._now())) as self._watched:
                await trio.sleep_forever()
            self._tell_all(self._energy.pause(self._now()))
            self._tell_digits(self._digits.expire(self._now()))
        self._watched = None

    def _due(self) -> float:
        return min((due for due in (self._energy.due, self._digits.due) if due is not None), default=inf)

    def _began(self, media: Media) -> float:
        """Return when the sound began, on the run's clock: its arrival, put right by the carrier's own timestamps.

        The earliest arrival is the truest: what came later was held up on its way.
        """
        arrived = self._now() - seconds_of(media.pcm, self._rate)
        if media.at is None:
            return arrived
        if self._base is None or not 0 <= arrived - (self._base + media.at) <= _OFF:  # nor is NaN
            self._base = arrived - media.at
            return arrived
        return self._base + media.at

    def _tell_all(self, told: Iterable[LegEvent]) -> None:
        for event in told:
            self._tell(event)

    def _tell_digits(self, digits: str | None) -> None:
        if digits is not None:
            self._tell(Digits(digits))

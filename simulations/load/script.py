"""Carries a scenario out on a line, turn by turn: when to speak, to wait, to interrupt; pure, ticked every 20 ms."""

from __future__ import annotations

from collections.abc import Generator
from random import Random

from attrs import define, field

from simulations.carriers.calling import Condition, Script
from simulations.carriers.line import Line
from simulations.load.scenario import SPOKEN, LoadScenario, TurnPlan
from simulations.load.sounds import Sounds

Part = Generator[Condition, float, float]
"""A part of a script: it returns the time at which it was done."""


@define(eq=False, kw_only=True)
class Caller:
    """One caller on a line; `until` is the time at which the call is to end, whatever the turns say."""

    line: Line
    scenario: LoadScenario
    sounds: Sounds
    until: float
    rng: Random
    _since: float = field(default=0.0, init=False)
    """When the caller last did something that the bot is to answer."""

    def script(self) -> Script:
        """Return what the caller does, to its end."""
        now = self._since = yield lambda _now: True
        while now < self.until:
            for place, turn in enumerate(self.scenario.turns):
                if turn.hang_up or now >= self.until:
                    return
                now = yield from self._turn(turn, now, place=place)
            if not self.scenario.repeat:
                return

    def _turn(self, turn: TurnPlan, now: float, *, place: int) -> Part:
        if turn.kind == "pause":
            return (yield self._by(now + turn.pause))
        if turn.kind == "listen":
            return (yield from self._listen(now))
        if turn.interrupt_after:
            now = yield from self._moment(turn.interrupt_after, now)
        else:
            now = yield self._by(now + self.scenario.thinking)
        if now >= self.until:
            return now
        if turn.kind in SPOKEN:
            said = self.sounds.of(place, variant=self.rng.randrange(1000))
            self.line.say(said, interrupts=bool(turn.interrupt_after))
        else:
            self.line.press(turn.press)
        now = self._since = yield lambda at: at >= self.until or not self.line.busy
        return (yield from self._listen(now)) if turn.wait else now

    def _listen(self, now: float) -> Part:
        """Let the bot begin and end, within reason."""
        patience = min(self.until, now + self.scenario.answer_within)
        now = yield lambda at: at >= patience or self._heard(at)
        if not self._heard(now):
            return now
        patience = min(self.until, now + self.scenario.longest)
        playback = self.line.carrier.playback
        return (yield lambda at: at >= patience or playback.quiet_for(at) >= self.scenario.quiet)

    def _moment(self, after: float, now: float) -> Part:
        """Wait until the bot has sounded for `after` seconds since the caller's last turn, or it is not worth it."""
        patience = min(self.until, now + self.scenario.answer_within)
        now = yield lambda at: at >= patience or self._heard(at)
        began = self.line.carrier.playback.began(self._since, now)
        return (yield self._by(now if began is None else began + after))

    def _heard(self, now: float) -> bool:
        return self.line.carrier.playback.began(self._since, now) is not None

    def _by(self, time: float) -> Condition:
        time = min(time, self.until)
        return lambda now: now >= time

"""Simulated callers of the lab: when each speaks, listens, interrupts and hangs up on its line, by its plan.

What the plan holds is workload.py's, the line's sound line.py's, who calls when calls.py's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

import trio

from orchestrator.events import Event, FirstAudioPlayed, Outcome, ReplyEnded, ReplyStarted
from orchestrator.ports import Digits, HungUp, Now, SpeechStarted, UserTurn
from simulations.demo.scripts import Keys, Line
from simulations.line import SimulatedLeg
from simulations.workload import Plans, TurnPlan

PATIENCE = 15.0
"""Seconds of the bot's silence after which a caller speaks again."""
_SECONDS_PER_KEY = 0.25
_TOGETHER_AFTER = 0.5
"""Seconds that a caller speaks at least before it stops together with the others."""

Hear = Callable[[Event], None]


class Ears:
    """Passes what happens in each call on to its caller: a sink for all of a run's events."""

    def __init__(self) -> None:
        self._listeners: dict[str, Hear] = {}

    def hear(self, event: Event) -> None:
        """Take an event; most are nothing that a caller could hear."""
        if isinstance(event, (ReplyStarted, FirstAudioPlayed, ReplyEnded)) and event.call in self._listeners:
            self._listeners[event.call](event)

    @contextmanager
    def listening(self, call: str, hear: Hear) -> Iterator[None]:
        """Have `hear` called with what the caller of `call` can hear."""
        self._listeners[call] = hear
        try:
            yield
        finally:
            del self._listeners[call]


class Next(Enum):
    """What a caller does when it has listened."""

    REACT = "the bot has said all"
    ASK_AGAIN = "the bot says nothing"
    INTERRUPT = "cut in"
    HANG_UP = "leave in the middle"


class SimulatedCaller:
    """One call's caller: speaks and listens by turns until it hangs up. Its task is `run`, its ear `hear`.

    `says` gives what is said (or pressed) in a turn, `listens_first` whether the bot is to begin.
    """

    def __init__(
        self, leg: SimulatedLeg, *, plans: Plans, says: Callable[[int], Line], listens_first: bool, now: Now
    ) -> None:
        self._leg = leg
        self._plans = plans
        self._says = says
        self._listens_first = listens_first
        self._now = now
        self._leaves_at = now() + plans.call_seconds(leg.facts.caller)
        self._changed = trio.Event()
        # The bot's replies are numbered: which was the last that began, that ended, and that was there already when the
        # caller fell silent; which one sounds, and since when.
        self._begun = self._ended = self._before = 0
        self._sounds: int | None = None
        self._since = 0.0

    def hear(self, event: Event) -> None:
        """Take what the bot does."""
        match event:
            case ReplyStarted(reply=reply):
                self._begun = reply
            case FirstAudioPlayed(reply=reply, at=at):
                self._sounds, self._since = reply, at
            case ReplyEnded(reply=reply, outcome=outcome):
                if self._sounds == reply:
                    self._sounds = None
                if outcome is not Outcome.EMPTY:  # nothing was said: something may follow
                    self._ended = reply
        self._changed.set()
        self._changed = trio.Event()

    async def run(self) -> None:
        """Make the call; it ends with the caller's hanging up, or is cancelled."""
        turn, then = 0 if self._listens_first else 1, Next.REACT
        while then is Next.INTERRUPT or self._now() < self._leaves_at:
            plan = self._plans.turn(self._leg.facts.caller, turn)
            if turn > 0 and plan.silent and then is not Next.INTERRUPT:
                await trio.sleep(plan.speaks)
            else:
                if turn > 0:
                    await self._speak(plan, self._says(turn))
                then = await self._listen(plan)
                if then is Next.HANG_UP:
                    break
                if then is Next.REACT:
                    await self._react(plan)
            turn += 1
        self._leg.tell(HungUp(self._now()))
        self._leg.end()

    # --- speaking ---

    async def _speak(self, plan: TurnPlan, line: Line) -> None:
        if isinstance(line, Keys):
            await trio.sleep(_SECONDS_PER_KEY * len(line.digits))
            self._leg.tell(Digits(line.digits))
        else:
            began = self._now()
            self._leg.tell(SpeechStarted(began))
            await self._sleep_until(self._end_of_speech(began, plan))
            self._leg.tell(UserTurn(line, began, self._now()))
        self._before = self._begun

    def _end_of_speech(self, began: float, plan: TurnPlan) -> float:
        together = self._plans.traits.together
        if not together:
            return began + plan.speaks
        return together * math.ceil((began + _TOGETHER_AFTER) / together)

    async def _sleep_until(self, at: float) -> None:
        # Rounded, so that the same moment is the same deadline for every caller.
        await trio.sleep_until(round(trio.current_time() + (at - self._now()), 9))

    # --- listening ---

    async def _listen(self, plan: TurnPlan) -> Next:
        """Hear the bot out, or until the moment at which the caller has planned something else."""
        while not await self._wait(self._bot_answers, until=self._now() + PATIENCE):
            if self._sounds is None:
                return Next.ASK_AGAIN
        moment, then = self._intent(plan)
        return Next.REACT if await self._wait(self._bot_is_done, until=moment) else then

    def _bot_answers(self) -> bool:
        """Whether a reply that began after the caller's turn sounds, or did."""
        return (self._sounds or self._ended) > self._before

    def _bot_is_done(self) -> bool:
        return self._ended > self._before and self._sounds is None

    def _intent(self, plan: TurnPlan) -> tuple[float, Next]:
        """When and how the caller will end this reply if it goes on until then."""
        if plan.hangs_up_after is not None:
            moment, then = self._since + plan.hangs_up_after, Next.HANG_UP
        elif plan.interrupt_after is not None:
            moment, then = self._since + plan.interrupt_after, Next.INTERRUPT
        else:
            moment, then = math.inf, Next.HANG_UP
        if self._plans.traits.endless and self._leaves_at < moment:
            return self._leaves_at, Next.HANG_UP
        return moment, then

    async def _react(self, plan: TurnPlan) -> None:
        """Let the caller's reaction time pass; a bot that speaks on is heard out first."""
        while await self._wait(self._bot_sounds, until=self._now() + plan.reacts):
            await self._wait(self._bot_is_done, until=math.inf)

    def _bot_sounds(self) -> bool:
        return self._sounds is not None

    async def _wait(self, condition: Callable[[], bool], *, until: float) -> bool:
        """Wait for the condition; return whether it came true by the time `until`."""
        with trio.move_on_after(max(0.0, until - self._now())):
            while not condition():
                await self._changed.wait()
        return condition()

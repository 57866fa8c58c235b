"""Plays the conversation's and the bot's part on a simulated line, so that a caller can be watched alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import trio
from attrs import Factory, define, field

from orchestrator.events import Event
from orchestrator.ports import Digits, HungUp, SpeechStarted, UserTurn
from simulations.callers import Ears
from simulations.line import SimulatedLeg
from tests.simulations.moments import asked, first_audio, over


@define
class Answer:
    """One reply: how long until it sounds (None: it says nothing) and how long it sounds; more of them may follow."""

    after: float | None = 1.0
    seconds: float = 3.0
    then: Answer | None = None


@define
class PlayedBot:
    """Plays the bot's part: one answer a turn, the last of them again and again; speech cuts what is not over.

    `done` is what the caller did, each with its time: "speaks", its words, "keys 1", "leaves", and when replies ended.
    """

    leg: SimulatedLeg
    ears: Ears
    answers: Sequence[Answer] = (Answer(),)
    heeds_speech: bool = True
    done: list[tuple[float, str]] = Factory(list)
    turns: list[UserTurn] = Factory(list)
    _numbers: count[int] = field(factory=lambda: count(1))
    _reply: trio.CancelScope = Factory(trio.CancelScope)

    async def run(self, nursery: trio.Nursery) -> None:
        async for event in self.leg.events():
            match event:
                case SpeechStarted():
                    self.note("speaks")
                    if self.heeds_speech:
                        self._reply.cancel()
                case UserTurn(text=text):
                    self.note(text)
                    self.turns.append(event)
                    nursery.start_soon(self.answer, self.answers[min(len(self.turns), len(self.answers)) - 1])
                case Digits(digits=digits):
                    self.note(f"keys {digits}")
                case HungUp():
                    self.note("leaves")

    async def answer(self, answer: Answer) -> None:
        """Give a reply, and what follows it."""
        number = next(self._numbers)
        self.tell(asked, reply=number)
        heard = cut = 0
        with trio.CancelScope() as self._reply:
            if answer.after is not None:
                await trio.sleep(answer.after)
                self.tell(first_audio, reply=number)
                cut = 1
                await trio.sleep(answer.seconds)
                heard, cut = 1, 0
        self.tell(over, reply=number, heard=heard, cut=cut)
        if heard:
            self.note("heard out")
        if answer.then is not None and not self._reply.cancelled_caught:
            await self.answer(answer.then)

    def tell(self, event: Callable[..., Event], **facts: int) -> None:
        self.ears.hear(event(trio.current_time(), **facts))

    def note(self, what: str) -> None:
        self.done.append((round(trio.current_time(), 6), what))

"""A line without sound: what the bot says counts as heard at once, what the caller says comes as text."""

from __future__ import annotations

from collections.abc import AsyncIterator

import trio

from orchestrator.errors import LegClosed
from orchestrator.ports import CallFacts, Digits, HungUp, LegEvent, MarkPlayed, Now, SpeechStarted, UserTurn

_EVENTS = 1024
"""Events that may wait for the conversation, which always reads: marks of a few minutes of speech."""


class TextLeg:
    """Both ends of a line of text: implements ports.Leg, and takes what the caller types."""

    latency = 0.0
    stride = 0.2
    rate = 8000

    def __init__(self, facts: CallFacts, *, now: Now) -> None:
        self.facts = facts
        self.over = trio.Event()
        self.transferred_to: str | None = None
        self._now = now
        self._sender, self._receiver = trio.open_memory_channel[LegEvent](_EVENTS)

    async def write(self, pcm: bytes) -> None:
        """Take sound that nobody hears. Raises LegClosed."""
        await trio.lowlevel.checkpoint()
        if self.over.is_set():
            raise LegClosed(f"the line of call {self.facts.id} is closed")

    def mark(self, name: str) -> None:
        """Report at once: nothing waits to be heard."""
        self._tell(MarkPlayed(name, self._now()))

    def clear(self) -> None:
        """Do nothing: nothing waits to be heard."""

    async def events(self) -> AsyncIterator[LegEvent]:
        """What the caller types, and the marks."""
        async for event in self._receiver:
            yield event

    async def hang_up(self) -> None:
        """End the call from our side."""
        self._end()
        await trio.lowlevel.checkpoint()

    async def transfer(self, to: str) -> None:
        """Note where the caller goes, and leave the call."""
        self.transferred_to = to
        await self.hang_up()

    # --- the caller's end ---

    def type_line(self, text: str) -> None:
        """Say `text` in no time."""
        at = self._now()
        self._tell(SpeechStarted(at))
        self._tell(UserTurn(text, at, at))

    def press(self, digits: str) -> None:
        """Press keys."""
        self._tell(Digits(digits))

    def hang_up_caller(self) -> None:
        """End the call from the caller's side."""
        self._tell(HungUp(self._now()))
        self._end()

    def _tell(self, event: LegEvent) -> None:
        if not self.over.is_set():
            self._sender.send_nowait(event)

    def _end(self) -> None:
        if not self.over.is_set():
            self.over.set()
            self._sender.close()

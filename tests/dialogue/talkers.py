"""Bots for the tests of a call: what they do is said by their options."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import trio

from orchestrator import Bot, Heard, Say, Talk, Turn


class Noted(Bot):
    """Answers with `answer`, and notes every hook that is run in `log`."""

    def __init__(self, answer: str | Say = "Very well.", log: list[Any] | None = None) -> None:
        self.answer = answer
        self.log: list[Any] = [] if log is None else log

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str | Say]:
        """Answer."""
        self.log.append(f"reply {turn.text}")
        yield self.answer

    async def on_heard(self, heard: Heard) -> None:
        """Note it."""
        self.log.append(heard)

    async def on_hang_up(self) -> None:
        """Note it."""
        self.log.append("on_hang_up")


class Hooked(Noted):
    """Has every hook."""

    async def opening(self, talk: Talk) -> AsyncIterator[str]:
        """Speak first."""
        yield "Hello there."

    async def on_silence(self, talk: Talk) -> AsyncIterator[str]:
        """Ask."""
        yield "Are you there?"

    async def on_digits(self, digits: str, talk: Talk) -> AsyncIterator[str]:
        """Say them."""
        yield f"You pressed {digits}."


class Failing(Noted):
    """Does what a turn asks for: "raise", "wrong", "wait" (for ever), "exit"; else it answers."""

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[Any]:
        """Break the contract."""
        match turn.text:
            case "raise":
                yield "Just a moment. "
                raise LookupError("no such thing")
            case "wrong":
                yield 7
            case "wait":
                await trio.sleep_forever()
            case "exit":
                raise SystemExit(1)
        yield f"You said {turn.text}."


class Wishing(Noted):
    """Carries out a turn's wish: "hang up", "transfer", "say"."""

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
        """Wish, and say so."""
        match turn.text:
            case "hang up":
                talk.hang_up()
            case "transfer":
                talk.transfer("+49 30 1")
            case "say":
                talk.say("By the way.")
        yield "I will."

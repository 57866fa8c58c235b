"""A bot for tests by the wall clock: it greets, and whatever it hears, it says goodbye and hangs up."""

from __future__ import annotations

from collections.abc import AsyncIterator

from orchestrator import Bot, Talk, Turn

GREETING = "Good morning, this is the bakery."
ANSWER = "Goodbye."


class Short(Bot):
    """The bot."""

    async def opening(self, talk: Talk) -> AsyncIterator[str]:
        """Greet."""
        yield GREETING

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
        """Hang up with a word."""
        yield ANSWER
        talk.hang_up()

"""The bot of the reference workload: thinks for a while, then streams what the plan of its caller's turn says."""

from __future__ import annotations

from collections.abc import AsyncIterator

import trio

from orchestrator import Bot, Say, Talk, Turn
from simulations.workload import Plans

_WORDS = "This is turn number {}."


def said(turn: int) -> str:
    """Return what a caller says to this bot in its turn `turn`: the number, so that no cut or silence confuses it."""
    return _WORDS.format(turn)


class ReferenceBot(Bot):
    """Speaks by `plans`, which hold what each turn of a caller (`CallFacts.caller`) is answered with."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str | Say]:
        """Think, then yield each clause when its last character has streamed."""
        number = int(turn.text.removesuffix(".").rpartition(" ")[2])
        plan = self._plans.turn(talk.call.caller, number)
        language = self._plans.traits.language
        began = trio.current_time() + plan.thinking
        for clause in plan.clauses():
            await trio.sleep_until(began + clause.at)
            yield clause.text if language == "en" else Say(clause.text, language=language)

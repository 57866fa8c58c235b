"""The bot of the reference workload: thinks for a while, then streams what the plan of its caller's turn says.

What it says instead where the line is crowded (`brief`) is cut here, out of what was planned.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import trio

from orchestrator import Bot, Say, Talk, Turn
from simulations.workload import Plans

_WORDS = "This is turn number {}."


def said(turn: int) -> str:
    """Return what a caller says to this bot in its turn `turn`: the number, so that no cut or silence confuses it."""
    return _WORDS.format(turn)


def shortened(clause: str, part: float) -> str:
    """Return the words at the head of `clause` that make about that `part` of it, one at least, and its own mark."""
    text = clause.rstrip()
    body, mark, space = text[:-1], text[-1:], clause[len(text) :]
    ends = [place for place, letter in enumerate(body) if letter == " "] + [len(body)]
    wanted = part * len(clause) - len(mark + space)
    return body[: min(ends, key=lambda end: abs(end - wanted))] + mark + space


class ReferenceBot(Bot):
    """Speaks by `plans`, which hold what each turn of a caller (`CallFacts.caller`) is answered with.

    Each clause has a `brief` variant of that part of its length; with 0 none has.
    """

    def __init__(self, plans: Plans, brief: float = 0.0) -> None:
        self._plans = plans
        self._brief = brief

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str | Say]:
        """Think, then yield each clause when its last character has streamed."""
        number = int(turn.text.removesuffix(".").rpartition(" ")[2])
        plan = self._plans.turn(talk.call.caller, number)
        language = None if self._plans.traits.language == "en" else self._plans.traits.language
        began = trio.current_time() + plan.thinking
        for clause in plan.clauses():
            await trio.sleep_until(began + clause.at)
            if self._brief:
                yield Say(clause.text, brief=shortened(clause.text, self._brief), language=language)
            else:
                yield Say(clause.text, language=language) if language else clause.text

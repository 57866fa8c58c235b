"""A bot that says back what it heard and adds a remark about it: the smallest bot that is worth listening to."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from orchestrator import Bot, Heard, Say, Talk, Turn


class Echo(Bot):
    """Repeats the caller. There is one instance per call, so what it remembers is about this caller only.

    Option: `name`, what it calls itself.
    """

    def __init__(self, name: str = "Echo") -> None:
        self.name = name
        self.turns = 0
        self.stopped_at = ""

    async def opening(self, talk: Talk) -> AsyncIterator[str]:
        """Speak first."""
        yield f"Hello, this is {self.name}. "
        yield "Say anything you like, and I will say it back to you, with a remark that nobody asked for."

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str | Say]:
        """Yield the answer bit by bit: what comes first is spoken while the rest is still being made."""
        words = re.findall(r"[\w']+", turn.text)
        if not words:
            yield "I heard you, but I could not make out a word. Would you try once more?"
            return
        self.turns += 1
        if self.stopped_at:
            yield f"You stopped me at the word {self.stopped_at}, so I shall be quick. "
        said = turn.text.strip()
        yield f"You said: {said} " if said[-1] in ".!?" else f"You said: {said}. "
        yield self.remark(words, turn.seconds)

    def remark(self, words: list[str], seconds: float) -> str:
        """Say something about the caller's `words`: another thing each turn."""
        longest = max(words, key=len)
        many = "one word" if len(words) == 1 else f"{len(words)} words"
        remarks = [
            f"That makes {many} in {max(seconds, 0.1):.1f} seconds, and the longest of them was {longest}.",
            f"Backwards, it begins with {words[-1]} and ends with {words[0]}. I find that oddly soothing.",
            f"This was turn number {self.turns}. If I had to keep a single word of it, I would choose {longest}.",
        ]
        return remarks[(self.turns - 1) % len(remarks)]

    async def on_heard(self, heard: Heard) -> None:
        """Remember the last word that got through before the caller cut in; nothing if the reply was heard out."""
        spoken = re.findall(r"[\w']+", heard.heard)
        self.stopped_at = spoken[-1] if spoken and heard.interrupted else ""

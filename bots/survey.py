"""A survey that knows what got through: a question that was cut before it was heard is asked again."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from orchestrator import Bot, Heard, Talk, Turn

QUESTIONS = {  # and what to say to an answer; the first one is about a number
    "On a scale from one to ten, how easy was it to find what you came for? Say the number, or press it.": "",
    "We are on Harbour Street, in Mill Lane and at the station. Which of the three do you visit most?": "A good one. ",
    "If you could change one thing before next summer, what would it be?": "I have that down word for word. ",
    "Here is the last one, then I will leave you in peace. Would you recommend us?": "Thank you for being so frank. ",
}
HIGH, LOW = r"\b(10|[6-9]|six|seven|eight|nine|ten)\b", r"\b([0-5]|zero|one|two|three|four|five)\b"


class Survey(Bot):
    """Asks four questions, thanks and hangs up. Option: `library`, who wants to know."""

    def __init__(self, library: str = "the Harbour City Library") -> None:
        self.library = library
        self.open = list(QUESTIONS)
        self.answers: dict[str, str] = {}
        self.got_through = True

    async def opening(self, talk: Talk) -> AsyncIterator[str]:
        """Say who calls and why, then ask the first question."""
        yield f"Hello, this is Nadia from {self.library}. I have {len(self.open)} short questions, if I may. "
        yield self.open[0]

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
        """React to an answer and ask on; ask again what the caller can't have heard."""
        said = turn.text.lower()
        if re.search(r"bye|no time|not interested", said):
            self.open.clear()
        elif self.open and (not self.got_through or not said.strip() or "again" in said):
            yield "I am sorry, here it is once more. "
        elif self.open:
            question = self.open.pop(0)
            self.answers[question] = turn.text
            yield QUESTIONS[question] or self.rating(said)
        if self.open:
            yield self.open[0]
        else:
            yield f"Thank you very much from all of us at {self.library}. Have a good day, and goodbye!"
            talk.hang_up()

    async def on_digits(self, digits: str, talk: Talk) -> AsyncIterator[str]:
        """Take keys that were pressed for a number that was said."""
        async for text in self.reply(Turn(text=digits.strip("*#"), seconds=0.0), talk):
            yield text

    async def on_silence(self, talk: Talk) -> AsyncIterator[str]:
        """Ask again when nobody has said a word for a while."""
        if self.open:
            yield f"Take your time, there is no wrong answer. {self.open[0]}"

    async def on_heard(self, heard: Heard) -> None:
        """Judge whether the question got through: it stands at the end of the reply, and half of it will do."""
        lost = heard.cut + heard.unspoken
        self.got_through = not self.open or len(lost) < len(self.open[0]) / 2

    def rating(self, answer: str) -> str:
        """Return what there is to say to a number."""
        if high := re.search(HIGH, answer):
            return f"{high[1].capitalize()} out of ten, I am glad to hear that. "
        low = re.search(LOW, answer)
        return f"Only {low[1]}? I am sorry, and I will pass it on. " if low else "That is one way to put it. "

"""An appointment desk with a book: it offers free times, takes a name, confirms, corrects itself and rebooks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from orchestrator import Bot, Heard, Say, Talk, Turn


class AppointmentDesk(Bot):
    """Books an appointment: whatever it does not know yet (day, time, name, a yes) is what it asks for next.

    Option: `practice`, whose desk it is. Each call has a book of its own; a common one would be opened in `shared`.
    """

    def __init__(self, practice: str = "Dr. Mehta's dental practice") -> None:
        self.greeting = f"Hello, you have reached {practice}, Laura speaking. What can I do for you?"
        self.free = {
            "Tuesday": ("nine fifteen", "eleven thirty", "four o'clock"),
            "Thursday": ("ten thirty", "quarter past two", "half past four"),
            "Friday": ("eight o'clock", "twelve forty-five"),
        }
        self.day = self.time = self.name = ""
        self.booked = self.cut_short = False

    def phrases(self) -> tuple[str, ...]:
        """Have the greeting ready before anybody calls."""
        return (self.greeting,)

    async def opening(self, talk: Talk) -> AsyncIterator[str]:
        """Greet, with an open question."""
        yield self.greeting

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str | Say]:
        """Take in what was said, then ask for what is missing."""
        words = set(re.findall(r"\w+", turn.text.lower()))
        if words & {"bye", "goodbye"} or (self.booked and "no" in words and len(words) < 4):
            yield f"See you on {self.day} at {self.time}, then. Goodbye!" if self.booked else "Goodbye, and take care!"
            talk.hang_up()
        elif "yes" in words and self.time and self.name and not self.booked:
            self.booked = True  # and the caller must hear that to its end
            yield Say(f"It is in the book: {self.day}, {self.time}, for {self.name}. ", interruptible=False)
            yield "Please come 10 minutes early, and bring your insurance card. Is there anything else?"
        else:
            yield self.note(turn.text, words) or ("Once more. " if self.cut_short else "Let me see. ")
            yield "Is there anything else that I can do for you?" if self.booked else self.question()

    async def on_heard(self, heard: Heard) -> None:
        """Learn whether the caller cut in: the next words are then hardly an answer to what was being asked."""
        self.cut_short = heard.interrupted

    def note(self, text: str, words: set[str]) -> str:
        """Write down what the caller settles and return the acknowledgement, "" if nothing was settled."""
        noted, name = "", re.search(r"name(?:'s| is) (\w+(?: [A-Z]\w+)?)", text)
        if not name and self.time and not self.name and not self.cut_short:
            name = re.fullmatch(r"(\w+(?: \w+)?)\.?", text)  # it was asked for, so it may come alone
        if name:
            noted = f"I beg your pardon, {name[1]}. " if self.name else f"Thank you, {name[1]}. "
            self.name, self.booked = name[1], False
        elif words & {"change", "cancel", "instead"} or ("no" in words and not self.booked):
            self.day, self.time, self.booked = "", "", False
            noted = "No problem, I have crossed that out. "
        for day, times in self.free.items():
            if day.lower() in words and day != self.day:
                self.day, self.time, self.booked = day, "", False
                noted += f"{day}, let me have a look. "
            ways = {"the first": times[0], "the last": times[-1]} | dict(zip(times, times, strict=True))
            if day == self.day and (picked := [ways[way] for way in ways if way in text.lower()]):
                self.time, self.booked = picked[0], False
                noted += f"{picked[0].capitalize()} on {day}, that is free. "
        return noted

    def question(self) -> str | Say:
        """Return what to ask for next."""
        if not self.day:
            return "On which day would you like to come? We have room on Tuesday, Thursday and Friday."
        if not self.time:
            offer = ", or ".join(self.free[self.day])
            return Say(f"I could offer you {offer}. Which of them would suit you best?", brief=f"{offer.capitalize()}?")
        if not self.name:
            return "May I have your name for the book, please?"
        return f"So that is {self.day} at {self.time}, for {self.name}, about 25 minutes. Shall I book it?"

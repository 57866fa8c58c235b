"""What simulated callers say: scripts for the bots that ship, and general ones for anybody's bot.

Decides nothing about when a line is said or whether a caller interrupts: that is callers.py's.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from attrs import frozen


@frozen
class Keys:
    """Keys that a caller presses instead of saying a line."""

    digits: str


Line = str | Keys


@frozen
class Script:
    """What one caller says: `lines` in order, then `goodbye`; an interjection whenever it interrupts.

    Texts may hold `{name}`, the caller's own. An interjection settles nothing, so that the line after it makes sense.
    """

    lines: tuple[Line, ...]
    goodbye: str = "Thank you, that was all. Goodbye."
    interjections: tuple[str, ...] = (
        "Sorry, could you say that again?",
        "Hang on, what was that again?",
        "Wait, I missed that. Once again, please.",
    )

    def spoken_by(self, name: str) -> Script:
        """Return the script with the caller's `name` filled in."""
        lines = tuple(line if isinstance(line, Keys) else line.format(name=name) for line in self.lines)
        return attrs.evolve(self, lines=lines, goodbye=self.goodbye.format(name=name))


_APPOINTMENTS = (
    Script(
        (
            "Hello, I would like to make an appointment for a check-up, please.",
            "Thursday would be best for me.",
            "The last one sounds good.",
            "My name is {name}.",
            "Yes, please book it.",
        )
    ),
    Script(
        (
            "Hi, my name is {name}. I have chipped a tooth, so do you have anything on Tuesday?",
            "I will take the first one.",
            "Oh, wait. Could I change that to Friday? I forgot that my daughter has a football match.",
            "Then the first one on Friday, please.",
            "Yes, that works.",
        )
    ),
    Script(
        (
            "Good afternoon. It is time for a cleaning, and Friday suits me well.",
            "Twelve forty-five is perfect.",
            "The name is {name}.",
            "Yes, go ahead.",
            "I am so sorry, I have just looked at my diary. Could we make it Tuesday instead?",
            "The last one, please.",
            "Yes. Thank you for being so patient with me.",
        )
    ),
    Script(
        (
            "Hello there. I moved here 2 weeks ago, and I am looking for a new dentist. Do you take new patients?",
            "Tuesday, if that is possible.",
            "The first one, before I lose my courage.",
            "My name is Smith, at least on my insurance card.",
            "Actually, make that my married one. The name is {name}.",
            "Yes, please.",
        )
    ),
)

_SURVEY = (
    Script(
        (
            "I would say eight. It took me 5 minutes, and most of that was the stairs.",
            "The one at the station, because it is on my way home.",
            "Longer hours on Saturdays would be lovely, perhaps until half past six.",
            "Yes, I already did. Twice, in fact.",
        )
    ),
    Script(
        (
            Keys("9"),
            "Mill Lane.",
            "More chairs by the window. There are only 3, and I have never once found a free one.",
            "Yes, of course.",
        )
    ),
    Script(
        (
            "Three, to be honest. The signs on the second floor sent me round in circles.",
            "Harbour Street, when it is not raining.",
            "Mend the lift, please. It has been out of order since March.",
            "I am not sure. Ask me when the lift works.",
        )
    ),
    Script(
        (
            "Could you say that again, please? A tram just went past.",
            "Ah, I see. Then I give it a seven.",
            "I have been to all of them, but mostly Mill Lane, since they have the comics.",
            "Nothing, really. My name is {name}, and you may quote me on that.",
            "Yes, sure.",
        ),
        goodbye="You are welcome. Goodbye.",
    ),
)

_GENERAL = (
    Script(
        (
            "Hello, this is {name}. Can you hear me well?",
            "I am calling about a parcel. It left Rotterdam on the 14th, and it has not arrived.",
            "The number is 4 7 1 1.",
            "All right. How long do you think that will take?",
            "That is a little longer than I had hoped, but I can wait until Thursday.",
        )
    ),
    Script(
        (
            "Good evening.",
            "I have a question about my bill. It says 48 euros and 50 cents, and I expected 30.",
            "My name is {name}, and I have been with you for 7 years.",
            "Could you look that up for me, please?",
        )
    ),
    Script(
        (
            "Hi! A friend told me that one can talk with you about anything. Is that true?",
            "Then let us talk about the weather. It has been raining here since Sunday.",
            "Do you know a good soup for a day like this?",
            "I shall try it with carrots.",
            "By the way, I am {name}. What should I call you?",
        ),
        goodbye="It was nice to talk with you. Goodbye.",
    ),
    Script(
        (
            "Hello, am I too late? I would like to reserve a table for 6 people.",
            "Saturday at half past seven, near the window, if you can.",
            "Two of us do not eat meat, and one is allergic to nuts.",
            "Please put it down under {name}.",
        )
    ),
)

SCRIPTS: Mapping[str, tuple[Script, ...]] = {"appointments": _APPOINTMENTS, "survey": _SURVEY, "": _GENERAL}
"""The scripts by the name of the bot they are for; "" are for any other bot."""


def scripts_for(bot: str) -> tuple[Script, ...]:
    """Return the scripts for `bot`, given as an entry point's name or as `package.module:Class`."""
    return SCRIPTS.get(bot.partition(":")[0].rpartition(".")[2], SCRIPTS[""])

"""Decides how much a probe may ask of an account, and with which texts; pure, it asks nothing."""

from __future__ import annotations

import math
from statistics import median

from attrs import frozen

from orchestrator.probe.seen import Asked, Seen

LINKS_PER_SLOT = 5
"""WebSockets a slot (published): one more is tried, as many as that would be for all slots."""
SHORT = 45
"""Characters of a short text, about three seconds of sound."""
LONGER = 150
"""Characters of the longer text that the speed is measured with (the provider's own advice for one request)."""
LONGEST = 400
"""Characters of the texts that hold slots, at most."""
MOST_ROUNDS = 3
"""How often slots are looked for, where what was seen may be others' doing."""

_SHORTEST_HELD = 60
_SETTLE_SPAN = 2.5
"""Seconds for which a slot is to be held yet when its request is cut: settling is to show before it ends by itself."""
_USUAL_CHARACTER = 1 / 15
"""Seconds of sound for one character, until a voice was heard."""

_SENTENCES = (
    "Good morning, and thank you very much for waiting.",
    "The office is open from nine in the morning until six.",
    "Please bring the letter that we sent you last week.",
    "Your appointment is on Thursday, shortly after lunch.",
    "We have changed the address, but not the telephone number.",
    "The train leaves from the other platform this evening.",
    "Nobody has asked for the blue umbrella in the hall so far.",
)


def text_of(characters: int, *, number: int) -> str:
    """Return a text of about so many characters, of whole sentences but for the last: another one for each `number`,
    for a provider may keep what it spoke before."""
    text, place = "", number
    while len(text) < characters:
        text = f"{text} {_SENTENCES[place % len(_SENTENCES)]}".lstrip()
        place += 1
    return text if len(text) == characters else text[: characters - 1].rpartition(" ")[0].rstrip(",.") + "."


@frozen(kw_only=True)
class Budget:
    """What a probe asks for at most: it is told before, and never exceeded."""

    requests: int
    characters: int
    links: int
    """WebSockets at a time."""

    @classmethod
    def of(cls, most_slots: int) -> Budget:
        """Return the budget of a search up to so many slots: what one with a few other users takes, and some more."""
        return cls(
            requests=20 + 8 * most_slots,
            characters=2000 + 3 * LONGEST * (most_slots + 1),
            links=LINKS_PER_SLOT * most_slots + 1,
        )


@frozen(kw_only=True)
class Speed:
    """How fast requests were served that had the account for themselves; `character` is seconds of sound for one."""

    ttfb: float
    rtf: float
    character: float

    @classmethod
    def of(cls, seen: Seen) -> Speed:
        """Return the speed as far as it was seen."""
        spoken = [asked for asked in seen.alone if asked.ttfb is not None]
        sound = sum(asked.sound for asked in spoken)
        if not sound:
            return cls(ttfb=1.0, rtf=1.0, character=_USUAL_CHARACTER)
        return cls(
            ttfb=median(asked.ttfb for asked in spoken if asked.ttfb is not None),
            rtf=rtf_of(spoken) or 0.0,
            character=sound / sum(asked.characters for asked in spoken),
        )

    def ends(self, asked: Asked) -> float:
        """When a request that was served should end by itself (the probe's clock)."""
        return asked.at + self.ttfb + self.rtf * self.character * asked.characters

    def characters_that_hold(self, slots: int) -> int:
        """Return how long a text must be, at most LONGEST, for its request to go on until so many are asked, one after
        the other, and a while yet."""
        seconds = slots * (1.5 * self.ttfb + 0.1) + _SETTLE_SPAN
        if LONGEST * self.rtf * self.character <= seconds:
            return LONGEST
        return max(_SHORTEST_HELD, math.ceil(seconds / (self.rtf * self.character)))


def rtf_of(asked: list[Asked]) -> float | None:
    """Return the seconds that a second of sound took after the first byte, of several requests the median (one may have
    stalled); None without any."""
    return (
        median(paces)
        if (paces := [each.sounded_for / each.after_first for each in asked if each.after_first > 0])
        else None
    )

"""What was said and heard in a call: the caller's turns and the bot's replies, word by word; pure.

Writing it to files is transcript_files.py's. Times are in seconds of the call (zero when it was answered).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum

from attrs import Factory, define, frozen

_WORD = re.compile(r"\S+")


class WordState(Enum):
    """Where a word of a reply went."""

    HEARD = "heard"
    CUT = "cut"
    UNSPOKEN = "unspoken"


@frozen
class Word:
    """One word of a reply. `start` and `end` are None for a word that never sounded; a cut word may have begun to.

    `voice` is whose it was where that was not the reply's own: the local voice's.
    """

    text: str
    state: WordState
    start: float | None
    end: float | None
    voice: str = ""


@frozen
class CallerEntry:
    """A turn of the caller."""

    text: str
    start: float
    end: float


@frozen
class BotEntry:
    """A reply: `heard + cut + unspoken` is what the bot said. `start` is None where nothing sounded."""

    reply: int
    heard: str
    cut: str
    unspoken: str
    start: float | None
    end: float | None
    words: tuple[Word, ...]
    voice: str = ""

    def count(self, state: WordState) -> int:
        """How many words went that way."""
        return sum(word.state is state for word in self.words)


Entry = CallerEntry | BotEntry


@frozen
class SoundedWord:
    """Where a word stands in a reply's text, and when it sounded in the call, None for what did not.

    `voice` names the voice that spoke it, where that was not the reply's own.
    """

    start: int
    end: int
    begins: float | None
    ends: float | None
    voice: str = ""


@frozen(kw_only=True)
class Ending:
    """How far a reply came: offsets into its text, `heard` <= `given_up` <= its length."""

    heard: int
    given_up: int


@define
class Transcript:
    """One call's entries, in the order in which they began."""

    entries: list[Entry] = Factory(list)

    def add_turn(self, text: str, *, start: float, end: float) -> None:
        """The caller said something."""
        self.entries.append(CallerEntry(text, start, end))

    def add_reply(
        self, number: int, text: str, *, ending: Ending, sounded: Iterable[SoundedWord], voice: str
    ) -> BotEntry:
        """A reply is over: note which of its words were heard, cut and not spoken, and when."""
        words = tuple(_words(text, ending=ending, sounded=list(sounded)))
        begun = [word.start for word in words if word.start is not None]
        ended = [word.end for word in words if word.end is not None]
        entry = BotEntry(
            reply=number,
            heard=text[: ending.heard],
            cut=text[ending.heard : ending.given_up],
            unspoken=text[ending.given_up :],
            start=min(begun, default=None),
            end=max(ended, default=None),
            words=words,
            voice=voice,
        )
        self.entries.insert(self._place(entry.start), entry)
        return entry

    def _place(self, start: float | None) -> int:
        """Where an entry that began then belongs: a reply that the caller talked through began before that turn."""
        place = len(self.entries)
        while start is not None and place and (self.entries[place - 1].start or 0.0) > start:
            place -= 1
        return place


def _words(text: str, *, ending: Ending, sounded: list[SoundedWord]) -> Iterable[Word]:
    spans = iter(sorted(sounded, key=lambda span: span.start))
    span = next(spans, None)
    for match in _WORD.finditer(text):
        begins: float | None = None
        ends: float | None = None
        voice = ""
        # What the provider spoke as a word may be a part of what stands between two spaces.
        while span is not None and span.start < match.end():
            if span.start >= match.start() and span.begins is not None:
                if begins is None:
                    begins, voice = span.begins, span.voice
                ends = span.ends
            span = next(spans, None)
        yield Word(match.group(), _state(match.start(), ending), begins, ends, voice)


def _state(start: int, ending: Ending) -> WordState:
    if start < ending.heard:
        return WordState.HEARD
    return WordState.CUT if start < ending.given_up else WordState.UNSPOKEN

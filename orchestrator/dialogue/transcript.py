"""What was said and heard in a call, as values: the caller's turns and the bot's replies, word by word.

Writing it to files is transcript_files.py's. Times are in seconds of the call (zero when it was answered).
"""

from __future__ import annotations

from enum import Enum

from attrs import frozen


class WordState(Enum):
    """Where a word of a reply went."""

    HEARD = "heard"
    CUT = "cut"
    UNSPOKEN = "unspoken"


@frozen
class Word:
    """One word of a reply. `start` and `end` are None for a word that never sounded; a cut word may have begun to."""

    text: str
    state: WordState
    start: float | None
    end: float | None


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


Entry = CallerEntry | BotEntry

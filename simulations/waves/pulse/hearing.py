"""What a recogniser is, as a type, and the words it gives; how each understands is script.py's and ears.py's."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen


@frozen
class Word:
    """A recognised word; times in seconds from the start of the sound it was found in, confidence from 0 to 1."""

    text: str
    start: float
    end: float
    confidence: float


class Hearing(Protocol):
    """The recogniser of one session: it may keep what it needs from one utterance to the next."""

    async def transcribe(self, pcm: bytes, rate: int, *, language: str) -> list[Word]:
        """Return the words of a finished utterance: mono PCM of 16 bit at `rate` samples a second."""

    async def guess(self, pcm: bytes, rate: int, *, language: str) -> list[Word]:
        """Return what is understood of an utterance that goes on; nothing where that would take too long."""


class Recognizer(Protocol):
    """Turns sound into words, for any number of sessions."""

    @property
    def growing(self) -> float:
        """How often an utterance that goes on should be guessed at, in seconds of its sound."""

    def begin(self) -> Hearing:
        """Return the recogniser of a new session."""

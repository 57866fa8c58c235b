"""What the simulated Waves provider sends of one synthesis, and when: chunks of sound and word times; pure.

Who sends it, and in which form, is the business of each kind of link.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from attrs import define, field, frozen

from orchestrator.audio import SAMPLE_BYTES, samples_in
from orchestrator.ports import Spoken

FIRST_CHUNK = 0.1
LONGEST_CHUNK = 1.0
"""Seconds, where chunks have no fixed length (DESIGN 5.9)."""

_ROUNDING = 1e-9


@frozen
class Word:
    """When a word sounds, in seconds of the synthesis' audio as they are sent: whole milliseconds."""

    number: int
    text: str
    start: float
    end: float


@frozen
class Made:
    """A chunk of PCM that leaves at the time `at`, and the words told right behind it."""

    at: float
    chunk: bytes
    words: Sequence[Word] = ()


@define(kw_only=True)
class Schedule:
    """The pace of one synthesis, whose sound comes evenly after `first_byte` (a time): `rtf` seconds for each of sound.

    A long text is added part by part. `rate` is in samples a second; `chunk` is the length of every chunk in seconds,
    None for chunks that grow with what was sent before.
    """

    first_byte: float
    rtf: float
    rate: int
    chunk: float | None
    _samples: int = field(default=0, init=False)
    _words: int = field(default=0, init=False)

    @property
    def ends(self) -> float:
        """When the last sample of what was added so far is made."""
        return self.first_byte + self.rtf * (self._samples / self.rate)

    def add(self, text: str, spoken: Spoken, *, words: bool) -> Iterator[Made]:
        """Yield what is sent of the next part: each chunk when its last sample is made, with the words that end in it.

        What ends after the last sample comes with the last chunk; without `words` there are none.
        """
        told = deque(self._told(text, spoken)) if words else deque()
        before, sent, size = self._samples, 0, samples_in(spoken.pcm)
        self._samples += size
        self._words += len(spoken.words)
        while sent < size:
            length = min(self._next_chunk(before + sent), size - sent)
            chunk = spoken.pcm[SAMPLE_BYTES * sent : SAMPLE_BYTES * (sent + length)]
            sent += length
            until = (before + sent) / self.rate
            ended = []
            while told and (sent == size or told[0].end <= until + _ROUNDING):
                ended.append(told.popleft())
            yield Made(self.first_byte + self.rtf * until, chunk, ended)

    def _told(self, text: str, spoken: Spoken) -> Iterator[Word]:
        begins = self._samples / self.rate
        for number, (offset, length, start, end) in enumerate(spoken.words, self._words):
            word = text[offset : offset + length]
            yield Word(number, word, round(begins + start, 3), round(begins + end, 3))

    def _next_chunk(self, sent: int) -> int:
        if self.chunk is not None:
            return max(1, round(self.chunk * self.rate))
        return round(min(LONGEST_CHUNK * self.rate, sent or FIRST_CHUNK * self.rate))

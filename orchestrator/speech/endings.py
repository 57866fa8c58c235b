"""Decides whether all sound of a piece has come though the provider did not say so; pure.

A piece that is taken for whole too early loses its last words; one that is not says some of them twice, if its voice
does not tell when words sound. So: for sure by the last word's time, else by the length and the silence at the end.
"""

from __future__ import annotations

from attrs import define, field

from orchestrator.audio import SAMPLE_BYTES, sounding
from orchestrator.ports import WordTime
from orchestrator.slot.pace import Pace
from orchestrator.speech.silence import Spread

_TAIL = 0.06
"""Seconds of silence at a piece's end; a pause inside a word is shorter, voices add more than that after a text."""
_ROUNDING = 0.05
"""Seconds that a word's time may lie behind the end of the sound."""
_LEAST_SHARE = 0.75
"""Of the predicted length: pieces of one voice vary by some 15 %."""
_STEADY, _STEADY_SHARE = 0.2, 0.95
"""Where lengths are hardly ever further off than that part, so much of the predicted one is enough without silence."""


@define
class Sounded:
    """What has come of one piece: seconds of `audio`, the last word that was told, and how it ends."""

    text: str
    rate: int
    audio: float = 0.0
    word: WordTime | None = None
    _tail: bytes = b""

    def add(self, pcm: bytes) -> None:
        """Sound came."""
        self.audio += len(pcm) / (SAMPLE_BYTES * self.rate)
        self._tail = (self._tail + pcm)[-SAMPLE_BYTES * round(_TAIL * self.rate) :]

    def ends_silent(self) -> bool:
        """Whether it ends in silence."""
        return self.audio >= _TAIL and not bool(sounding(self._tail, self.rate).any())

    def last_word_came(self) -> bool:
        """Whether the text's last word was told, and its sound is there."""
        words, word = self.text.split(), self.word
        if word is None or not words or word.index < len(words) - 1:
            return False
        return _letters(word.word) == _letters(words[-1]) and word.end <= self.audio + _ROUNDING


@define
class Endings:
    """What is known of how pieces end at the provider."""

    pace: Pace
    _tells_last: bool = True
    """Whether the last word of a text is told as it stands there."""
    _off: Spread = field(factory=lambda: Spread(0.5, 0.5))
    """How far the length of a piece is off what was predicted, as a part of that: far, until many were not."""

    def is_whole(self, sounded: Sounded) -> bool:
        """Whether nothing of the piece is to come any more, as far as can be told."""
        if sounded.word is not None and self._tells_last:
            return sounded.last_word_came()
        share = self._share(sounded)
        return (share >= _LEAST_SHARE and sounded.ends_silent()) or (self._is_steady() and share >= _STEADY_SHARE)

    def learn(self, sounded: Sounded) -> None:
        """The provider said that this piece is complete."""
        if sounded.word is not None:
            self._tells_last = sounded.last_word_came()
        if sounded.audio > 0:
            self._off.learn(abs(1.0 - self._share(sounded)))

    def _share(self, sounded: Sounded) -> float:
        predicted = self.pace.audio_seconds(len(sounded.text))
        return sounded.audio / predicted if predicted > 0 else 0.0

    def _is_steady(self) -> bool:
        return self._off.at_most(unknown=1.0) <= _STEADY


def _letters(word: str) -> str:
    return "".join(filter(str.isalnum, word)).casefold() or word

"""Decides when each word of a piece sounds within the piece's audio; whether that was played is playout.py's.

Exact where the provider says when its words sound, else the audio spread over the words by how long they take to say.
Times are seconds from the start of the piece's audio.
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from attrs import define, field

from orchestrator.ports import WordTime
from orchestrator.speech.chunking import Piece
from orchestrator.speech.word_weights import Shares, Times, shares, spread, total

_SECONDS_PER_WEIGHT = 0.055
"""Fifteen characters of English a second, for words that the provider has not timed yet."""
_TOLERANCE = 0.001
_LONGEST_PIECE = 3600.0
_SKIPS = 2
"""Words of the piece that the provider may leave out besides those it names in words of its own."""


def word_times(piece: Piece, seconds: float) -> Times:
    """Spread `seconds` of audio over the words of `piece`: the start and end of each, without the pauses after it."""
    return spread(shares(piece.text)[: len(piece.words)], begin=0.0, end=max(0.0, seconds))


def heard_words(times: Sequence[tuple[float, float]], sounded: float) -> int:
    """Return how many words have sounded completely when `sounded` seconds of the audio have."""
    if sounded <= 0:
        return 0
    return next((count for count, (_, end) in enumerate(times) if end > sounded + _TOLERANCE), len(times))


@define(eq=False)
class WordAligner:
    """Fits the word times that a provider sends to the words of `piece`, as they arrive.

    Providers count words in their own way ("well-known" as two, "New York" as one), leave out punctuation or whole
    words, or name them differently ("hundred" for "100"): what cannot be placed is passed over, and words without a
    time of their own share the time between their neighbours. Whatever comes, times never run backwards.
    """

    piece: Piece
    _shares: Shares = field(init=False)
    _letters: str = field(init=False)
    """The words' letters without anything between."""
    _word_of: list[int] = field(init=False)
    """Which word each letter belongs to."""
    _known: list[tuple[float, float] | None] = field(init=False)
    _place: int = field(init=False, default=0)
    """How many letters lie behind."""
    _passed: int = field(init=False, default=0)
    """Words of the provider since then that could not be placed or did not come."""
    _last: WordTime | None = field(init=False, default=None)
    _end: float = field(init=False, default=0.0)

    def __attrs_post_init__(self) -> None:
        words = [_bare(word) for word in self.piece.text.split()][: len(self.piece.words)]
        self._shares = shares(self.piece.text)[: len(words)]
        self._letters = "".join(words)
        self._word_of = [number for number, letters in enumerate(words) for _ in letters]
        self._known = [None] * len(words)

    def add(self, word: WordTime) -> None:
        """Take the provider's next word time. Never raises: what makes no sense is passed over."""
        if word == self._last or not (math.isfinite(word.start) and math.isfinite(word.end)):
            return
        missing = word.index - self._last.index - 1 if self._last else word.index
        self._last = word
        self._passed += max(0, missing)
        letters = _bare(word.word)
        place = self._find(letters) if letters else None
        if place is not None:
            self._note(word, place=place, end=place + len(letters))
        elif letters:
            self._passed += 1

    @property
    def timed_words(self) -> int:
        """How many words there are up to the last one that the provider timed."""
        return next((count for count in range(len(self._known), 0, -1) if self._known[count - 1]), 0)

    def times(self, seconds: float | None = None) -> Times:
        """Return the start and end of each word.

        Words after the last known one share what is left of `seconds`, the length of the audio; while that is not known
        they are expected at the pace so far.
        """
        result: Times = []
        while len(result) < len(self._known):
            first = len(result)
            known = self._known[first]
            if known is not None:
                result.append(known)
                continue
            last = next((number for number in range(first, len(self._known)) if self._known[number]), len(self._known))
            begin = result[-1][1] if result else 0.0
            pause = self._shares[first - 1][1] if first else 0.0
            end = self._run_ends(first, last, seconds=seconds)
            result += spread(self._shares[first:last], begin=begin, end=max(begin, end), pause=pause)
        return result

    def _run_ends(self, first: int, last: int, *, seconds: float | None) -> float:
        """Return when the words `[first, last)`, which have no times, have sounded."""
        following = self._known[last] if last < len(self._known) else None
        if following is not None:
            return following[0]
        if seconds is not None:
            return seconds
        before, rest = total(self._shares[:first]), total(self._shares[first:last])
        return self._end + rest * (self._end / before if before else _SECONDS_PER_WEIGHT)

    def _find(self, letters: str) -> int | None:
        """Return from which letter on the provider's word lies: right here, or as whole words a little further on."""
        if self._letters.startswith(letters, self._place):
            return self._place
        if self._place == len(self._letters):
            return None
        here = self._word_of[self._place]
        for number in range(here + 1, min(here + 1 + _SKIPS + self._passed, len(self._known))):
            place = bisect_left(self._word_of, number)
            if self._letters.startswith(letters, place) and self._is_word_end(place + len(letters)):
                return place
        return None

    def _is_word_end(self, place: int) -> bool:
        return place == len(self._letters) or self._word_of[place] != self._word_of[place - 1]

    def _note(self, word: WordTime, *, place: int, end: int) -> None:
        """The provider's word is the letters `[place, end)`."""
        first, last = self._word_of[place], self._word_of[end - 1] + 1
        begins = min(max(word.start, self._end), _LONGEST_PIECE)
        ends = min(max(word.end, begins), _LONGEST_PIECE)
        times = spread(self._shares[first:last], begin=begins, end=ends)
        times[-1] = (times[-1][0], ends)  # where the provider says, with no pause of ours
        earlier = self._known[first]
        if earlier is not None:  # the second half of a word
            times[0] = (earlier[0], times[0][1])
        self._known[first:last] = times
        self._place, self._passed, self._end = end, 0, ends


@lru_cache(maxsize=4096)
def _bare(word: str) -> str:
    """Return what two spellings of a word have in common: letters and figures, no case, accents in one form."""
    plain = unicodedata.normalize("NFC", word).casefold()
    return "".join(char for char in plain if unicodedata.category(char)[0] in "LMN")

"""Owns a growing reply's words and the places between them where clauses and sentences end; chunking.py picks pieces.

Where these breaks lie depends on the text, not on how it was cut into deltas, with one exception, for promptness: see
`Clauses.feed`. A break that was found stays.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from attrs import Factory, define, field, frozen

from orchestrator.speech.sentences import Ending, ending, ends_phrase
from orchestrator.speech.speakable import UNSPACED_MARKS, SpokenWord, SpokenWords


@frozen
class Break:
    """A clause, or a whole sentence, ends after that many words of the reply."""

    after: int
    sentence: bool


@define(eq=False)
class Clauses:
    """The words of a reply so far, the breaks between them in order, and how long the text up to each word is."""

    breaks: list[Break] = field(init=False, default=Factory(list))
    lengths: list[int] = field(init=False, default=Factory(lambda: [0]))
    """Characters of the first n words, each with the space before it."""
    finished: bool = field(init=False, default=False)
    _spoken: SpokenWords = field(init=False, default=Factory(SpokenWords))
    _settled: int = field(init=False, default=0)
    """How many words are decided. A break beyond is certain, but not yet whether a sentence ends there."""
    _voiced: int = field(init=False, default=0)
    """How many words there are up to the last that has a sound: a break needs something to say before it."""

    @property
    def words(self) -> list[SpokenWord]:
        """The words that are complete."""
        return self._spoken.words

    def start_of(self, index: int) -> int:
        """Where word `index` begins in the reply; for a word that is not there yet, the end of the text so far."""
        return self._spoken.start_of(index)

    def feed(self, delta: str) -> None:
        """Take the text that follows.

        A mark is complete when white space follows it. What a bot yields often ends with the mark itself ("Hello
        there."), but so may a language model's tokens ("3.", then "14"). So the end of a delta completes a mark only if
        the delta is a phrase (several words, or all of a clause) and the marked word a plain one. That errs where a
        stream is cut in mid-phrase between "example." and "com", and nowhere else. Danda and full-width marks need no
        white space anyhow.
        """
        starts_clause = not self._spoken.open and self._last_break() == len(self.words)
        self._spoken.feed(delta)
        word = self._spoken.open
        is_phrase = starts_clause or len(delta.split(maxsplit=1)) > 1
        if word[-1:] in UNSPACED_MARKS or (is_phrase and ends_phrase(word)):
            self._spoken.close()
        self._settle()

    def close_word(self) -> None:
        """What follows begins another word."""
        self._spoken.close()
        self._settle()

    def finish(self) -> None:
        """Nothing follows: the end of the text ends the last word and the last sentence."""
        self.finished = True
        self._spoken.close()
        self._settle()
        if self._last_break() == len(self.words) > 0:
            self.breaks.pop()
        self.breaks.append(Break(len(self.words), sentence=True))

    # --- reading ---

    def word_at(self, start: int) -> int:
        """Return the first word that is not over before the offset `start`."""
        return bisect_right(self.words, start, key=lambda word: word.end)

    def length(self, begin: int, end: int | None = None) -> int:
        """Return how many characters the words `[begin, end)` make as a text of their own (to the last by default)."""
        last = self.lengths[-1] if end is None else self.lengths[end]
        return max(0, last - self._before(begin))

    def breaks_within(self, begin: int, most: int) -> list[Break]:
        """Return the breaks that leave something, but at most `most` characters, of the text from word `begin` on."""
        low = bisect_right(self.breaks, begin, key=_after)
        return self.breaks[low : bisect_right(self.breaks, self._last_word(begin, most), key=_after)]

    def sentence_end(self, begin: int, most: int) -> int | None:
        """Return after which word the sentence of word `begin` ends, None if it is not known to within `most`."""
        return next((cut.after for cut in self.breaks_within(begin, most) if cut.sentence), None)

    def last_word(self, begin: int, *, least: int, most: int) -> int:
        """Return the place after the last word that fits, or after one more if less than `least` would fit."""
        place = self._last_word(begin, most)
        return place + (self.length(begin, place) < least)

    def is_sentence_end(self, place: int) -> bool:
        """Whether a sentence ends after that many words."""
        at = bisect_left(self.breaks, place, key=_after)
        return at < len(self.breaks) and self.breaks[at] == Break(place, sentence=True)

    def _last_word(self, begin: int, most: int) -> int:
        return bisect_right(self.lengths, self._before(begin) + most) - 1

    def _before(self, begin: int) -> int:
        """Return the length of what lies before word `begin`, with the space that goes when a piece begins there."""
        return self.lengths[begin] + (begin < len(self.words) and not self.words[begin].joined)

    # --- finding ---

    def _last_break(self) -> int:
        return self.breaks[-1].after if self.breaks else 0

    def _settle(self) -> None:
        for word in self.words[len(self.lengths) - 1 :]:
            self.lengths.append(self.lengths[-1] + len(word.text) + (not word.joined))
        if self._last_break() > self._settled:
            self.breaks.pop()  # found again below, perhaps as a sentence's end
        while self._settled < len(self.words):
            found = self._ending(self._settled)
            if found is not Ending.OPEN:
                self._note(self._settled, found)
            if found in (Ending.OPEN, Ending.CLAUSE_OR_MORE):
                return
            self._settled += 1

    def _ending(self, index: int) -> Ending:
        word, following = self.words[index], index + 1
        if not word.whole:
            return Ending.NONE
        known = following < len(self.words)
        after = self.words[following].text if known else "" if self.finished else None
        found = ending(word.text, after=after, opens=index == self._last_break() or word.lines > 0)
        if found is not Ending.NONE:
            return found
        if (self.words[following].lines if known else self._spoken.lines) > 1:
            return Ending.SENTENCE  # a blank line ends a heading, whatever its last character
        return Ending.NONE if known or self._spoken.open or self.finished else Ending.OPEN

    def _note(self, index: int, found: Ending) -> None:
        if self.words[index].voiced:
            self._voiced = index + 1
        if found is not Ending.NONE and self._voiced > self._last_break():
            self.breaks.append(Break(index + 1, sentence=found is Ending.SENTENCE))


def _after(cut: Break) -> int:
    return cut.after

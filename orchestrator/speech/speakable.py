"""Decides which characters of a reply are spoken and how they fall into words; where clauses end is sentences.py's.

A reply arrives in deltas that may be cut anywhere, so this is a small state machine over characters: the words come out
the same however the text was cut.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from attrs import Factory, define, frozen

LONGEST_WORD = 60
"""Characters after which a word is cut: a piece may then end inside it (an endless word, Chinese without commas)."""

UNSPACED_STOPS = "।॥。！？"
UNSPACED_COMMAS = "，；：、"
UNSPACED_MARKS = UNSPACED_STOPS + UNSPACED_COMMAS
"""Marks that writers often put no white space after: whatever follows, they end the word."""

_HANGING = set(",;:!?" + UNSPACED_MARKS)
"""Marks that belong to the word before them, even across white space: "नमस्ते ।", "Hi 👋!" without its hand."""
_CLINGING = set(".…)]}»”’」』）")
"""Marks that belong to the word before them unless white space stands right before (".5" is a number)."""

_JOINERS = "\u200c\u200d"
_PICTURES = (
    (0x2300, 0x23FF),  # clocks and keys
    (0x2600, 0x27BF),  # symbols and dingbats
    (0x2B00, 0x2BFF),  # stars, arrows
    (0xFFFC, 0xFFFD),  # the replacement characters
    (0x1F000, 0x1FAFF),  # emoji
)


@frozen
class SpokenWord:
    """A word as it is spoken: `[start, end)` in the reply, `joined` to the word before without white space.

    `lines` line ends stand before it. `whole` is False where the word was cut for its length and goes on in the next.
    """

    text: str
    start: int
    end: int
    joined: bool
    lines: int
    whole: bool

    @property
    def voiced(self) -> bool:
        """Whether there is anything to say: a letter, a figure or a symbol with a name."""
        return is_voiced(self.text)


def is_voiced(text: str) -> bool:
    """Whether there is anything to say in `text`: punctuation alone is silence."""
    return any(unicodedata.category(char)[0] in "LNS" or char in "%&@#" for char in text)


@lru_cache(maxsize=4096)
def as_spoken(char: str) -> str:
    """Return what is left of a character: itself, one space for white space and pictures, nothing for the unspeakable.

    Unspeakable are control and format characters, lone surrogates, private and unassigned code points and the marks
    that only choose how a picture looks.
    """
    point = ord(char)
    if char.isspace() or any(low <= point <= high for low, high in _PICTURES):
        return " "
    if 0xFE00 <= point <= 0xFE0F or point == 0x20E3:
        return ""
    return "" if unicodedata.category(char)[0] == "C" and char not in _JOINERS else char


@define(eq=False)
class SpokenWords:
    """The words of a growing text. `words` holds those that are over; `open` is the text of the one that may go on."""

    words: list[SpokenWord] = Factory(list)
    lines: int = 0
    """Line ends since the last word."""
    _letters: list[str] = Factory(list)
    _start: int = 0
    _end: int = 0
    _joined: bool = False
    _length: int = 0
    _after_space: bool = False

    @property
    def open(self) -> str:
        """The text of the word that may go on, "" if there is none."""
        return "".join(self._letters)

    @property
    def length(self) -> int:
        """How many characters of the reply were fed."""
        return self._length

    def start_of(self, index: int) -> int:
        """Where word `index` begins in the reply; for a word that is not there yet, the end of the text so far."""
        if index < len(self.words):
            return self.words[index].start
        return self._start if self._letters else self._length

    def feed(self, delta: str) -> None:
        """Take the next characters."""
        for char in delta:
            self._take(char, as_spoken(char))
            self._length += 1

    def close(self, *, whole: bool = True) -> None:
        """End the word that is open, if one is: what follows begins another."""
        if self._letters:
            self.words.append(SpokenWord(self.open, self._start, self._end, self._joined, self.lines, whole))
            self._letters.clear()
            self.lines = 0

    def _take(self, char: str, spoken: str) -> None:
        if spoken == " ":
            self.close()
            self.lines += char == "\n"
        elif spoken and (spoken not in _JOINERS or self._after_indic()):
            self._add(spoken)
        self._after_space = char.isspace()

    def _after_indic(self) -> bool:
        # there the joiners choose between ligatures; everywhere else they glue pictures
        return bool(self._letters) and "\u0900" <= self._letters[-1] <= "\u0dff"

    def _add(self, char: str) -> None:
        if len(self._letters) == LONGEST_WORD:
            self.close(whole=False)
        elif self._letters and self._letters[-1] in UNSPACED_MARKS and not self._goes_on_with(char):
            self.close()
        if not self._letters:
            self._start = self._length
            self._joined = bool(self.words) and self._joins(char)
        self._letters.append(char)
        self._end = self._length + 1

    def _goes_on_with(self, char: str) -> bool:
        return char in _HANGING or char in _CLINGING or char.isdecimal() or char in "\"'"

    def _joins(self, char: str) -> bool:
        return not self.words[-1].whole or char in _HANGING or (char in _CLINGING and not self._after_space)

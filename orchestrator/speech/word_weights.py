"""Decides how long words take to say, relative to each other; times from a provider are timing.py's."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

Times = list[tuple[float, float]]
"""Start and end of each word."""
Shares = tuple[tuple[float, float], ...]
"""Weight of each word and of the pause after it."""

# Speaking time relative to a letter of an alphabet (0.04 to 0.06 s). Fitted to what espeak-ng takes for sixteen English
# and ten Hindi texts; the pauses are shorter than there (4 and 10), as natural voices make them and joins leave them.
LETTER = 1.0
SYLLABLE = 1.75
"""A letter without case: of Devanagari, where it carries its vowel, of Chinese, Arabic and so on."""
VOWEL_SIGN = 0.1
"""A combining mark: it changes the vowel of its letter and adds next to nothing."""
DIGIT = 5.0
"""Figures are spoken as words."""
SYMBOL = 6.0
"""So are "%" and "€"."""
POINT = 1.0
"""Punctuation inside a word, as in "3.14"."""
WORD_END = 2.0
"""What every word takes besides its letters."""
COMMA_PAUSE = 3.0
SENTENCE_PAUSE = 6.0

_SPOKEN_MARKS = "%&@#"
_PAUSES = dict.fromkeys(",;:–—،，；：、", COMMA_PAUSE) | dict.fromkeys(".…!?؟।॥。！？", SENTENCE_PAUSE)


def weights(text: str) -> list[float]:
    """Return how long each character takes to say, relative to a letter; a word's last one includes its end."""
    result: list[float] = []
    at_end, paused = True, False
    for char in reversed(text):
        if char.isspace():
            result.append(0.0)
            at_end, paused = True, False
        elif at_end and _is_silent(char):
            pause = 0.0 if paused else _PAUSES.get(char, 0.0)
            result.append(pause)
            paused = paused or pause > 0
        else:
            result.append(_speaking(char) + (WORD_END if at_end else 0.0))
            at_end = False
    return result[::-1]


@lru_cache(maxsize=256)
def shares(text: str) -> Shares:
    """Return what each word of `text` takes to say, and the pause after it, by weight."""
    result = []
    for word in text.split():
        by_character = weights(word)
        length = len(word)
        while length and _is_silent(word[length - 1]):
            length -= 1
        result.append((sum(by_character[:length]), sum(by_character[length:])))
    return tuple(result)


def total(words: Shares) -> float:
    """Return the weight of all of it."""
    return sum(word + pause for word, pause in words)


def spread(words: Shares, *, begin: float, end: float, pause: float = 0.0) -> Times:
    """Share the time from `begin` to `end` out to words, by weight, after a pause that belongs to the word before."""
    whole = pause + total(words)
    unit = (end - begin) / whole if whole else 0.0
    times, at = [], pause
    for word, following in words:
        times.append((min(end, begin + at * unit), min(end, begin + (at + word) * unit)))
        at += word + following
    return times


def _is_silent(char: str) -> bool:
    return unicodedata.category(char)[0] == "P" and char not in _SPOKEN_MARKS


def _speaking(char: str) -> float:
    category = unicodedata.category(char)
    if category == "Lo":
        return SYLLABLE
    by_kind = {"L": LETTER, "M": VOWEL_SIGN, "N": DIGIT, "P": POINT, "S": SYMBOL}
    return SYMBOL if char in _SPOKEN_MARKS else by_kind.get(category[0], 0.0)

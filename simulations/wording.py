"""Makes the sentences that simulated bots say: words without meaning that end where they are meant to; pure.

How long a sentence is and into how many clauses it falls is workload.py's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate, islice
from random import Random

from orchestrator.speech.sentences import Ending, ending, ends_phrase

SHORTEST, LONGEST = 2, 7
"""Letters of a word."""
ROOMY = LONGEST + 3
"""Characters per clause with which every clause is sure to have a word of its own."""
LEAST = SHORTEST + 2
"""Characters of the shortest sentence: a word, its full stop and a space."""
_STOPS = {"en": ".", "hi": "।"}
_WORDS_PER_LENGTH = 120
_ENGLISH = ("bdfgklmnprstvz", "aeiou")
_HINDI = ("कखगघचछजटडतदनपफबभमरलवशसह", "ािीुूेैो")

Vocabulary = Mapping[int, Sequence[str]]
"""Words by their length in characters."""


def clauses(characters: int, *, parts: int, language: str, rng: Random) -> list[str]:
    """Return the `parts` clauses of a sentence, as equal as whole words allow, each with a space at its end.

    Together they have exactly that many `characters`, marks and spaces counted: LEAST at least, and ROOMY a part.
    """
    words = _words(characters - parts, language=language, rng=rng)
    words[0] = words[0].capitalize()
    begin, texts = 0, []
    for end in _cuts([len(word) + 1 for word in words], parts):
        texts.append(" ".join(words[begin:end]) + ("," if end < len(words) else _STOPS[language]) + " ")
        begin = end
    return texts


def _words(characters: int, *, language: str, rng: Random) -> list[str]:
    """Return words that make so many characters, each with one space."""
    known, words, rest = vocabulary(language), [], characters
    while rest > 0:
        length = _length(rest, rng)
        words.append(known[length][int(rng.random() * len(known[length]))])
        rest -= length + 1
    return words


def _length(rest: int, rng: Random) -> int:
    """Draw a word's length evenly from those that leave room for a word, or for none at all."""
    if rest >= LONGEST + SHORTEST + 2:
        return SHORTEST + int(rng.random() * (LONGEST - SHORTEST + 1))
    left_by = ((length, rest - length - 1) for length in range(SHORTEST, LONGEST + 1))
    fitting = [length for length, left in left_by if left == 0 or left > SHORTEST]
    return fitting[int(rng.random() * len(fitting))]


def _cuts(lengths: Sequence[int], parts: int) -> Iterator[int]:
    """Yield after how many words each part ends: at the word boundary nearest to its share of the whole."""
    ends = list(accumulate(lengths))
    place = 0
    for part in range(1, parts):
        share = ends[-1] * part / parts
        while abs(ends[place + 1] - share) < abs(ends[place] - share):
            place += 1
        yield place + 1
        place += 1
    yield len(lengths)


@cache
def vocabulary(language: str) -> Vocabulary:
    """Return the words of "en" (no language, but it can be spoken) or "hi": none that a mark would not end at once."""
    rng = Random(f"the words of {language}")
    make = _hindi_word if language == "hi" else _english_word
    found: dict[int, list[str]] = {}
    for length in range(SHORTEST, LONGEST + 1):
        candidates = dict.fromkeys(make(length, rng) for _ in range(4 * _WORDS_PER_LENGTH))
        fitting = (word for word in candidates if _ends_clearly(word, _STOPS[language]))
        found[length] = list(islice(fitting, _WORDS_PER_LENGTH))
    return found


def _english_word(length: int, rng: Random) -> str:
    first = rng.randrange(2)
    return "".join(rng.choice(_ENGLISH[(first + place) % 2]) for place in range(length))


def _hindi_word(length: int, rng: Random) -> str:
    return "".join(rng.choice(_HINDI[place % 2]) for place in range(length))


def _ends_clearly(word: str, stop: str) -> bool:
    """Whether a mark after `word` is never taken for that of an abbreviation, wherever the word stands."""
    return all(
        ending(form + stop, after=None, opens=opens) is Ending.SENTENCE
        and ending(form + ",", after=None, opens=opens) is Ending.CLAUSE
        and ends_phrase(form + stop)
        for form in (word, word.capitalize())
        for opens in (False, True)
    )

"""Decides whether a word ends a clause or a sentence, from it and the next; which words make a piece is chunking.py's.

The clear cases are decided at once, from the word alone, so that "Hello there. " is complete before anything follows.
pysbd, which knows English abbreviations, is asked about those only, a few words at a time: odd or endless text never
reaches it, and its answers are few enough to be remembered.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from functools import lru_cache

import pysbd  # type: ignore[import-untyped]  # ships no types
from pysbd.lang.english import English  # type: ignore[import-untyped]

from orchestrator.speech.speakable import UNSPACED_COMMAS, UNSPACED_STOPS

_COMMAS = ",;:–—،" + UNSPACED_COMMAS
_STOPS = "!?؟" + UNSPACED_STOPS
_DOTS = ".…"
_MARKS = _COMMAS + _STOPS + _DOTS
_CLOSERS = "\"')]}»”’」』）*_"
_OPENERS = "\"'([{«“‘「『（*_"


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NEVER_LAST = _set_of("e.g i.e cf viz approx vs")
# In pysbd's list, but at the end of a sentence they are nearly always the plain words.
_PLAIN_WORDS = _set_of(
    "ala arc ark art bart cal con det fed id ill is ken la man mass may me miss ok op ore pa que ref wash yuk"
)
_ABBREVIATIONS = (_set_of(" ".join(English.Abbreviation.ABBREVIATIONS)) | _NEVER_LAST) - _PLAIN_WORDS
# Titles, units and Latin letters by name, as initials ("एम. एस. धोनी"), but for those that are plain words, too.
_HINDI_ABBREVIATIONS = _set_of(
    "डॉ डा प्रो श्री पं रु मो सं कु स्व ए बी सी डी एफ एच आई जे के एल एम एन पी क्यू आर एस टी यू वी डब्ल्यू एक्स वाई जेड"
)
_DOTTED = re.compile(r"(?:\w\.)+\w")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_STARTERS = frozenset(English.AbbreviationReplacer.SENTENCE_STARTERS)
_segmenter = pysbd.Segmenter(language="en", clean=False, char_span=True)


class Ending(Enum):
    """What ends with a word."""

    NONE = "nothing"
    CLAUSE = "a clause"
    SENTENCE = "a sentence"
    CLAUSE_OR_MORE = "a clause for certain, perhaps a sentence: the next word tells"
    OPEN = "the next word tells"


def ending(word: str, *, after: str | None, opens: bool = False) -> Ending:
    """Return what ends with `word`, which white space or the end of the text follows.

    `after` is the whole next word, "" at the end of the text, None while it is not known: only then the answer may be
    CLAUSE_OR_MORE or OPEN. `opens` says that a sentence, clause or line begins with `word` (a number is a list's then).
    """
    stem, tail = _split(word)
    marks = tail.strip(_CLOSERS)
    if not marks:
        return Ending.NONE
    if word in "–—" and after is None:
        return Ending.OPEN
    if marks[-1] in _COMMAS:
        return Ending.NONE if word in "–—" and after and after[0].isdecimal() else Ending.CLAUSE
    if marks == ".":
        if _NUMBER.fullmatch(stem) and opens:
            return Ending.NONE
        if _is_abbreviation(stem):
            return _after_abbreviation(stem, after)
    goes_on = tail[-1] in _CLOSERS or marks[-1] == "…" or marks.endswith("..")
    return _unless_lower(after) if goes_on else Ending.SENTENCE


def ends_phrase(word: str) -> bool:
    """Whether `word`, at the end of what a bot yielded in one go, is surely complete although no white space follows.

    Surely: a mark after a plain word of two letters or more. Not after a figure ("3." may become "3.14"), an
    abbreviation or anything that looks like an address.
    """
    stem, tail = _split(word)
    marks = tail.strip(_CLOSERS)
    if not marks or (marks == "." and _is_abbreviation(stem)):
        return False
    return len(stem) >= 2 and all(unicodedata.category(char)[0] in "LM" or char in "'’-" for char in stem)


def _split(word: str) -> tuple[str, str]:
    """Return the word's bare stem, and the marks and closing quotes or brackets after it."""
    body = word.lstrip(_OPENERS)
    stem = body.rstrip(_MARKS + _CLOSERS)
    return stem, body[len(stem) :]


def _is_abbreviation(stem: str) -> bool:
    if stem in _HINDI_ABBREVIATIONS or stem.lower() in _ABBREVIATIONS or _DOTTED.fullmatch(stem):
        return True
    return len(stem) == 1 and stem.isalpha() and stem.isascii() and stem != "I"


def _after_abbreviation(stem: str, after: str | None) -> Ending:
    if not after:
        return Ending.OPEN if after is None else Ending.SENTENCE
    if stem.lower() in _NEVER_LAST or stem in _HINDI_ABBREVIATIONS:
        return Ending.NONE
    return Ending.SENTENCE if _breaks_after(_canonical(stem), _shape(after)) else Ending.NONE


def _unless_lower(after: str | None) -> Ending:
    if after is None:
        return Ending.CLAUSE_OR_MORE
    return Ending.CLAUSE if after.lstrip(_OPENERS)[:1].islower() else Ending.SENTENCE


def _canonical(stem: str) -> str:
    """Return the abbreviation in the one form that stands for all that pysbd treats alike: few questions to ask."""
    if len(stem) == 1 or stem in {"U.S", "U.K", "E.U", "U.S.A"}:
        return stem
    known = stem.lower() in _ABBREVIATIONS or stem.lower() in {"a.m", "p.m"}
    return stem.lower() if known else "a.b"


def _shape(after: str) -> str:
    """Return a word that stands for all next words that pysbd treats alike."""
    bare = after.lstrip(_OPENERS).rstrip(_MARKS + _CLOSERS)
    if bare in _STARTERS:
        return bare
    first = bare[:1]
    return "5" if first.isdecimal() else "xx" if first.islower() else "Xx" if first.isalpha() else "-"


@lru_cache(maxsize=8192)
def _breaks_after(abbreviation: str, after: str) -> bool:
    before = f"x {abbreviation}. "
    return any(span.end == len(before) for span in _segmenter.segment(f"{before}{after} x"))

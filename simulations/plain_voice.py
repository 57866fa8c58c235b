"""Voices for simulated worlds: steady sound that bears the mark of what it is made for; no more than a world needs.

The ideal voice has an exact length and no silence at all; the lifelike one is uneven and padded as a real provider's.
Which request is whose follows from its id, "CALL-REPLY-PIECE"; phrases are for any call ("phrase-..."), and so is what
the local voice says.
"""

from __future__ import annotations

import random
import re
from itertools import pairwise

import numpy as np

from orchestrator.audio import SAMPLE_BYTES, silence, to_samples
from orchestrator.ports import Spoken
from simulations.draws import lognormal
from simulations.voices import CHARACTERS_PER_SECOND, LEAD_SECONDS, TAIL_SECONDS, Voice, Wanted

_UNMARKED = 2000
"""The level of sound that was made for no call.

One sample of it in an otherwise silent window of 5 ms at 44.1 kHz lies above audio.SILENCE_DBFS: nothing of a piece is
ever taken for silence, its last, shorter window neither.
"""
_LARGEST = 32765
"""The level of the last call's sound; above it lie those that belong to no single call."""
PHRASE, LOCAL = "phrase", "local"
"""The marks of phrases from the cache, and of the local voice."""
_RESERVED = {PHRASE: _LARGEST + 1, LOCAL: _LARGEST + 2}
_NAMES = {level: name for name, level in _RESERVED.items()}
_LEAST_RUN = 40
"""Equal samples that make a mark: 5 ms at 8 kHz. In a fade, and in any tone, neighbours differ."""
_PIECE_CV = _WORD_CV = 0.15
"""How uneven the lifelike voice is: from piece to piece (DESIGN 7), and on top from word to word (our choice)."""
_PAUSES_AFTER = re.compile(r"[,;:.!?…।—][\"')\]}»”’]*$")
_WORD = re.compile(r"\S+")


# --- marks ---


def mark_of(call: str) -> int:
    """Return the level (sample value) of sound made for a call, "1" to "30765". Raises ValueError for other names."""
    number = int(call) if call.isascii() and call.isdecimal() and not call.startswith("0") else 0
    if not 0 < number <= _LARGEST - _UNMARKED:
        raise ValueError(f"a call named {call!r} has no mark: only 1 to {_LARGEST - _UNMARKED} have")
    return _UNMARKED + number


def call_marked(pcm: bytes) -> str:
    """Return the call whose mark a run of sound bears, PHRASE or LOCAL where it is any call's, "" where it bears none.

    The mark is found where 5 ms of it (8 kHz) are whole, whatever silence and fades lie around; of several the longest.
    """
    around = len(pcm) // (4 * SAMPLE_BYTES) * SAMPLE_BYTES
    middle = pcm[around : len(pcm) - around]
    sample = middle[:SAMPLE_BYTES]
    level = int.from_bytes(sample, "little", signed=True)
    count = len(middle) // SAMPLE_BYTES
    if level > _UNMARKED and count >= _LEAST_RUN and middle == sample * count:
        return _name(level)  # as mostly: half of it is one run, so no other is longer
    return _longest_marked(pcm)


def _longest_marked(pcm: bytes) -> str:
    if not pcm:
        return ""
    samples = to_samples(pcm)
    edges = np.flatnonzero(samples[1:] != samples[:-1]) + 1
    bounds = np.concatenate(([0], edges, [len(samples)]))
    levels, lengths = samples[bounds[:-1]], bounds[1:] - bounds[:-1]
    lengths[levels <= _UNMARKED] = 0
    longest = int(np.argmax(lengths))
    return _name(int(levels[longest])) if lengths[longest] >= _LEAST_RUN else ""


def _name(level: int) -> str:
    return _NAMES.get(level) or str(level - _UNMARKED)


def _level(request: str) -> int:
    """The level of what is made for a request; a client's own kind of id belongs to no call."""
    if request.startswith(f"{PHRASE}-"):
        return _RESERVED[PHRASE]
    call, *rest = request.rsplit("-", 2)
    try:
        return mark_of(call) if len(rest) == 2 else _UNMARKED
    except ValueError:
        return _UNMARKED


# --- the ideal voice ---


def plain_voice() -> Voice:
    """Return the ideal voice: (characters + 1) / (15 * speed) seconds of one level, for any text, and no silence.

    The space that follows a piece belongs to it, so cutting a text costs no time; a word lasts until the next begins.
    """

    async def speak(wanted: Wanted) -> Spoken:
        return _spoken_plainly(wanted, _level(wanted.request))

    return speak


class SimulatedLocalVoice:
    """The ideal voice as one of this machine, with a mark of its own: implements ports.LocalVoice, in no time."""

    name = "simulated"

    def name_in(self, language: str) -> str:
        """Return its one name."""
        return self.name

    def speaks(self, language: str) -> bool:
        """Any language."""
        return True

    async def speak(self, text: str, *, language: str, rate: int, speed: float = 1.0) -> Spoken:
        """Return `text` as sound, its words timed."""
        wanted = Wanted(text=text, voice=self.name, rate=rate, speed=speed)
        return _spoken_plainly(wanted, _RESERVED[LOCAL])


def _spoken_plainly(wanted: Wanted, level: int) -> Spoken:
    text, character = wanted.text, 1 / (CHARACTERS_PER_SECOND * wanted.speed)
    samples = round((len(text) + 1) * character * wanted.rate)
    edges = [match.span() for match in _WORD.finditer(text)] + [(len(text) + 1, 0)]
    words = tuple(
        (start, end - start, start * character, following * character)
        for (start, end), (following, _) in pairwise(edges)
    )
    return Spoken(_steady(level, samples), wanted.rate, words)


def _steady(level: int, samples: int) -> bytes:
    return level.to_bytes(SAMPLE_BYTES, "little") * samples  # one copy of memory: no cache is faster


# --- the lifelike voice ---


def lifelike_voice(rng: random.Random) -> Voice:
    """Return an uneven voice; what it draws depends on nothing but `rng` and the order in which it is asked.

    80 ms of silence before a text and 120 ms after it. The time that a text takes is, on the average, that of the ideal
    voice; it varies from piece to piece and from word to word (lognormal, both with a cv of 0.15). Words follow each
    other without a gap, but the space after punctuation is silent.
    """

    async def speak(wanted: Wanted) -> Spoken:
        return _spoken_unevenly(wanted, rng)

    return speak


def _spoken_unevenly(wanted: Wanted, rng: random.Random) -> Spoken:
    rate, level = wanted.rate, _level(wanted.request)
    lead = silence(LEAD_SECONDS, rate)
    pcm, words = bytearray(lead), []
    at = float(len(lead) // SAMPLE_BYTES)
    piece = lognormal(rng, mean=rate / (CHARACTERS_PER_SECOND * wanted.speed), cv=_PIECE_CV)
    edges = [match.span() for match in _WORD.finditer(wanted.text)] + [(len(wanted.text) + 1, 0)]
    for (start, end), (following, _) in pairwise(edges):
        character = lognormal(rng, mean=piece, cv=_WORD_CV)
        pauses = _PAUSES_AFTER.search(wanted.text, start, end) is not None
        sounds_until = at + ((end if pauses else following) - start) * character
        words.append((start, end - start, at / rate, sounds_until / rate))
        pcm += _steady(level, round(sounds_until) - len(pcm) // SAMPLE_BYTES)
        at += (following - start) * character
        pcm += _steady(0, round(at) - len(pcm) // SAMPLE_BYTES)
    return Spoken(bytes(pcm) + silence(TAIL_SECONDS, rate), rate, tuple(words))

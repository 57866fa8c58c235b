"""A playout that is fed and played by hand: what a provider that says exactly 15 characters a second would send."""

from __future__ import annotations

import re

import numpy as np
from attrs import Factory, define

from orchestrator.audio import samples_in
from orchestrator.ports import WordTime
from orchestrator.speech.chunking import Piece, ReplyText
from orchestrator.speech.play_clock import PlayClock
from orchestrator.speech.playout import Playout

RATE = 8000
PER_CHARACTER = RATE // 20
"""Samples a character takes: at 20 characters a second these are whole samples."""


def reply_of(text: str) -> ReplyText:
    """A reply whose text is all there."""
    reply = ReplyText()
    reply.feed(text)
    reply.finish()
    return reply


def pieces_of(text: str) -> list[Piece]:
    """The sentences of a text as pieces."""
    reply, pieces = reply_of(text), list[Piece]()
    while (start := pieces[-1].end if pieces else 0) < len(text):
        piece = reply.next_piece(start, most_characters=40)
        assert piece is not None
        pieces.append(piece)
    return pieces


def sound(samples: int, *, seed: int = 0) -> bytes:
    """Samples that tell where they belong."""
    return ((np.arange(samples) + 7919 * seed) % 30000).astype("<i2").tobytes()


def time_words(playout: Playout, piece: Piece) -> None:
    """Send the piece's exact word times."""
    for index, match in enumerate(re.finditer(r"\S+", piece.text)):
        begin, end = (place * PER_CHARACTER / RATE for place in match.span())
        playout.add_word(WordTime("1", index, match.group(), begin, end))


@define
class Played:
    """A playout whose sound is played as soon as it is there, from second 0 on, each chunk's mark on time."""

    playout: Playout = Factory(lambda: Playout(PlayClock(RATE), 1 / 20))
    taken: bytearray = Factory(bytearray)
    places: list[int] = Factory(lambda: [0])
    """Where each take ended, in samples."""

    def arrive(self, piece: Piece, *, timed: bool = True, part: float = 1.0, seed: int = 0) -> bytes:
        """Begin a piece and send that part of its sound; return it."""
        self.playout.begin(piece)
        if timed:
            time_words(self.playout, piece)
        pcm = sound(round(part * len(piece.text) * PER_CHARACTER), seed=seed)
        self.playout.add(pcm, lead_trimmed=0.0)
        return pcm

    def play(self, seconds: float) -> bool:
        """Take one chunk and hand it to the leg; False when there is none."""
        pcm = self.playout.take(seconds)
        clock = self.playout.clock
        if pcm:
            clock.marked(clock.written, clock.written / RATE)
            clock.wrote(samples_in(pcm))
            self.taken += pcm
            self.places.append(clock.written)
        return bool(pcm)

    def play_all(self, seconds: float = 0.2) -> None:
        """Play what is there."""
        while self.play(seconds):
            pass

    @property
    def seconds(self) -> float:
        """How long all that was played sounds."""
        return self.playout.clock.written / RATE

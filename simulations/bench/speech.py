"""Measures what a reply costs on its way: cutting its text, joining its sound, being interrupted; in short and endless
replies."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice

import numpy as np

from orchestrator.audio import silence
from orchestrator.speech.chunking import ReplyText
from orchestrator.speech.joins import Joiner
from simulations.bench.figures import MICROSECONDS, Figure, Tell, least_seconds
from simulations.workload import Plans, Traits

RATE = 8000
SHORT, ENDLESS = 50, 5000
"""Clauses: of a minute, and of two hours."""
_TRIES = 5


def clauses(count: int) -> list[str]:
    """Return the first clauses of an endless reply of the reference workload."""
    turn = Plans(Traits(endless=True), seed=1).turn("1.1", 1)
    return [clause.text for clause in islice(turn.clauses(), count)]


# --- text ---


def measure_chunker(tell: Tell) -> Iterator[Figure]:
    """Yield what a clause costs: fed, asked for in vain, and at last taken as a part of a piece."""
    costs = {}
    for count in (SHORT, ENDLESS):
        tell(f"{count} clauses")
        texts = clauses(count)
        tries = _TRIES * (10 if count == SHORT else 1)
        costs[count] = least_seconds([partial(_cut, texts)] * tries) / count * MICROSECONDS
    # A clause is a second of speech: nine calls that all speak spend a thousandth of a core on it.
    yield Figure(bench="chunker", name="a clause, in a reply of a minute", value=costs[SHORT], unit="us", limit=200)
    yield growth("chunker", "a clause", ratio=costs[ENDLESS] / costs[SHORT])


def _cut(texts: list[str]) -> None:
    reply, start = ReplyText(), 0
    for text in texts:
        reply.feed(text)
        while (piece := reply.next_piece(start, most_characters=45)) is not None:
            start = piece.end
    reply.finish()


# --- sound ---


def measure_joiner(tell: Tell) -> Iterator[Figure]:
    """Yield what a second of sound costs that comes in tenths of a second, and in whole ones."""
    speech = _speech(seconds=6.0)
    for seconds, limit in ((0.1, 200.0), (1.0, 60.0)):
        tell(f"chunks of {seconds:g} s")
        size = 2 * round(seconds * RATE)
        chunks = [speech[place : place + size] for place in range(0, len(speech), size)]
        cost = least_seconds([partial(_join, chunks)] * 10 * _TRIES) / (len(speech) / 2 / RATE) * MICROSECONDS
        name = f"a second of sound in chunks of {seconds:g} s"
        yield Figure(bench="joiner", name=name, value=cost, unit="us", limit=limit)


def _join(chunks: list[bytes]) -> None:
    joiner = Joiner(rate=RATE)
    for chunk in chunks:
        joiner.feed(chunk)
    joiner.finish()


def _speech(*, seconds: float) -> bytes:
    """Return noise with pauses in it, silence around it: words of a third of a second, a pause of a tenth after each
    third one."""
    draw = np.random.default_rng(1)
    word = draw.integers(-8000, 8000, round(seconds * RATE)).astype("<i2").tobytes()
    third, pause = 2 * RATE, silence(0.1, RATE)
    body = b"".join(word[place : place + third] + pause for place in range(0, len(word), third))
    return silence(0.08, RATE) + body + silence(0.12, RATE)


def growth(bench: str, what: str, *, ratio: float) -> Figure:
    """Return how much dearer `what` is in a reply of two hours than in one of a minute, which is a hundredth of it.

    A scan of the whole reply would make it a hundred times dearer; a search and colder caches take the limit at most.
    """
    return Figure(bench=bench, name=f"{what}: two hours to a minute", value=ratio, unit="times", limit=3)

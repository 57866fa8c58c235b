"""Measures how many real-time streams one core serves: clients on real sockets, each of which asks for as many seconds
of sound as pass, and a provider ten times as fast as that."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import count

import trio

from simulations.bench.client import Heard, hear, milliseconds
from simulations.bench.figures import Figure, Tell
from simulations.bench.served import served
from simulations.bench.speech import clauses
from simulations.waves.options import WavesOptions

STREAMS = 60
"""That one core must serve."""
_SECONDS = 20.0
"""How long each of them asks for more."""
_SPREAD = 6.0
"""Within so many seconds they begin: about what a text takes."""
_CLAUSES = 4
"""Of a text."""


def measure(tell: Tell) -> Iterator[Figure]:
    """Yield what a second of one stream costs the provider, and how late its chunks are with all of them."""
    # A socket for each text, as the provider has it without other options.
    options = WavesOptions(slots=STREAMS, links=2 * STREAMS, ttfb=0.1, rtf=0.1, chunk_ms=100)
    tell(f"{STREAMS} streams, {_SECONDS + _SPREAD:g} s")
    with served(options) as provider:
        before = provider.usage()
        heard = trio.run(partial(_listen, provider.address, options=options))
        after = provider.usage()
    if after.books["completed"] != after.books["requests"]:
        raise RuntimeError(f"not every text was spoken: {after.books}")
    cost = 1000 * (after.processor - before.processor) / heard.sound
    tell(f"{1000 / cost:.0f} streams take all of a core")
    yield Figure(bench="streams", name="a second of a stream", value=cost, unit="ms", limit=1000 / STREAMS, aim=5)
    late = milliseconds(heard.late, 99)
    # Half a chunk as it is played.
    yield Figure(bench="streams", name=f"lateness of chunks, {STREAMS} streams, p99", value=late, unit="ms", limit=50)


async def _listen(address: str, *, options: WavesOptions) -> Heard:
    heard, began = Heard(), trio.current_time()
    async with trio.open_nursery() as nursery:
        for number in range(STREAMS):
            begins = began + _SPREAD * number / STREAMS
            nursery.start_soon(partial(_stream, address, begins=begins, heard=heard, options=options))
    return heard


async def _stream(address: str, *, begins: float, heard: Heard, options: WavesOptions) -> None:
    """Ask for a text whenever the one before has been played."""
    said = clauses(_CLAUSES * 10)
    texts = [" ".join(said[place : place + _CLAUSES]) for place in range(0, len(said), _CLAUSES)]
    due = begins
    for number in count():
        if due > begins + _SECONDS:
            return
        await trio.sleep_until(due)
        due += await hear(texts[number % len(texts)], heard, address=address, options=options)

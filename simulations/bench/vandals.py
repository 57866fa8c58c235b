"""Measures what vandals on 200 sockets do to the simulated provider: memory and sockets that it does not get back, and
what an honest client beside them hears of it. What they do there is deeds.py's."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from urllib.parse import urlsplit

import attrs
import trio
from attrs import define, frozen

from simulations.bench.client import Heard, hear, milliseconds
from simulations.bench.deeds import DEEDS, KEY
from simulations.bench.figures import Figure, Tell
from simulations.bench.served import Served, Usage, served
from simulations.bench.speech import clauses
from simulations.many import Tell as TellPart
from simulations.many import run_all
from simulations.waves.accounts import Plan
from simulations.waves.options import WavesOptions

VANDALS = 200
_SECONDS = 20.0
"""How long they go on, and how long the honest client is heard, with them and without."""
_MEAN_DEED = 5.0
"""Seconds from one deed of a vandal to its next: exponential, so that some outlast the provider's patience."""
_SETTLED_WITHIN = 15.0
"""Seconds that the provider gets to notice that they are gone: more than a client may take to take a message."""
_HONEST = "honest"
_OPTIONS = WavesOptions(ttfb=0.1, rtf=0.1, chunk_ms=100)
_PLANS = {_HONEST: Plan(), KEY: Plan(slots=VANDALS, links=2 * VANDALS)}
_READS_AHEAD = 4096
"""Bytes that a vandal's machine takes for it."""
_BY_RESET = struct.pack("ii", 1, 0)
"""Of SO_LINGER: who vanishes so, does not even say that it is gone."""


def measure(tell: Tell) -> Iterator[Figure]:
    """Yield what is left behind of vandals, and how much they delay an honest client's chunks."""
    with served(_OPTIONS, plans=_PLANS) as provider:
        part = Part(address=provider.address, seconds=_SECONDS)
        at_first = provider.usage()
        tell(f"an honest client, {_SECONDS:g} s")
        (quiet,) = run_all([part], take_part)
        before = _settled(provider, files=at_first.files)
        tell(f"an honest client and {VANDALS} vandals, {_SECONDS:g} s")
        disturbed, rage = run_all([part, attrs.evolve(part, vandals=VANDALS)], take_part, processes=2)
        after = _settled(provider, files=at_first.files)
    tell(f"{rage.deeds} deeds; p99 of gaps: {quiet.p99:.1f} ms without them, {disturbed.p99:.1f} ms beside them")
    more, left = after.resident - before.resident, after.files - before.files
    yield Figure(bench="vandals", name="memory, more after them", value=more, unit="MB", limit=20)
    yield Figure(bench="vandals", name="sockets left open after them", value=left, unit="", limit=0)
    added = disturbed.p99 - quiet.p99
    yield Figure(bench="vandals", name="gaps of an honest client's chunks, p99, more", value=added, unit="ms", limit=10)


def _settled(provider: Served, *, files: int) -> Usage:
    """Return the provider's usage as soon as it has no more than so many files open, or has had its time for that."""
    until = time.monotonic() + _SETTLED_WITHIN
    while (usage := provider.usage()).files > files and time.monotonic() < until:
        time.sleep(0.1)
    return usage


# --- the processes around the provider ---


@frozen(kw_only=True)
class Part:
    """What one process does for so many seconds: vandals' deeds, or (no vandals) an honest client's listening."""

    address: str
    seconds: float
    vandals: int = 0


@define
class Taken:
    """What came of a part: the gaps between the chunks that were heard, in seconds, or how many deeds were done."""

    gaps: Sequence[float] = ()
    deeds: int = 0

    @property
    def p99(self) -> float:
        """What 99 of 100 gaps keep within, in milliseconds."""
        return milliseconds(self.gaps, 99)


def take_part(part: Part, _tell: TellPart) -> Taken:
    """Do the part. A worker for many.py."""
    return trio.run(_rage if part.vandals else _listen, part)


async def _listen(part: Part) -> Taken:
    """Ask for text after text."""
    heard, until = Heard(), trio.current_time() + part.seconds
    text = " ".join(clauses(8))
    while trio.current_time() < until:
        await hear(text, heard, address=part.address, options=_OPTIONS, key=_HONEST)
    return Taken(gaps=heard.gaps)


async def _rage(part: Part) -> Taken:
    taken = Taken()
    with trio.move_on_after(part.seconds):
        async with trio.open_nursery() as nursery:
            for number in range(part.vandals):
                nursery.start_soon(partial(_misbehave, part, number=number, taken=taken))
    return taken


async def _misbehave(part: Part, *, number: int, taken: Taken) -> None:
    """Do one deed after the other, each on a connection of its own, and vanish from each."""
    rng = random.Random(f"vandal:{number}")
    where = urlsplit(part.address)
    await trio.sleep(_MEAN_DEED * rng.random())
    for place in count(number):
        deed = DEEDS[place % len(DEEDS)]
        over = trio.current_time() + rng.expovariate(1 / _MEAN_DEED)
        async with await _connected(where.hostname or "", where.port or 0) as stream:
            if rng.random() < 0.5:
                stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, _BY_RESET)
            taken.deeds += 1
            with trio.move_on_at(over), suppress(trio.BrokenResourceError):
                await deed(stream, rng)
        await trio.sleep_until(over)


async def _connected(host: str, port: int) -> trio.SocketStream:
    """Return a connection that takes little ahead of its reader: who is deaf is noticed sooner."""
    socket = trio.socket.socket()
    socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, _READS_AHEAD)
    await socket.connect((host, port))
    return trio.SocketStream(socket)

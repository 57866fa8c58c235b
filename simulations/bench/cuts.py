"""Measures how soon a bot that talks is cut off: 50 calls whose callers begin to speak at random moments, from the
moment at which the leg tells that to the clear on the wire. The server's side, and its clock, are cut_server.py's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import numpy as np
import trio

from simulations.bench.cut_server import CutServer, CutTimes, cut_server
from simulations.bench.echo_calls import milliseconds
from simulations.bench.figures import Figure, Tell
from simulations.carriers.calling import CallResult, Condition, Exchange, Outcome, PlacedCall, Script
from simulations.carriers.carrier import Payload, call_drawn
from simulations.carriers.line import Line
from simulations.carriers.target import Target, parse_url
from simulations.carriers.twilio import FakeTwilio

LEGS = 50
_SECONDS = 60.0
_APART = 0.05
"""Seconds from the beginning of one call to that of the next."""
_SPOKEN_FRAMES = 20
_LISTENS = 1.5
"""Seconds for which a caller hears at least: its turn is over after 0.5, and the bot talks again."""
_MEAN = 2.0
"""Seconds more, exponential."""


def measure(tell: Tell) -> Iterator[Figure]:
    """Yield how long clears take."""
    tell(f"{LEGS} legs, {_SECONDS:g} s")
    with cut_server(legs=LEGS) as server:
        times = trio.run(_interrupt, server)
    tell(f"{len(times.seconds)} cuts; {times.uncut} times nothing was being said")
    if len(times.seconds) < times.uncut:
        raise RuntimeError("the bots hardly talked")
    for percentile, limit in ((50, 30.0), (99, 30.0), (100, 100.0)):
        name = f"speech started to clear, {LEGS} legs, " + ("worst" if percentile == 100 else f"p{percentile}")
        value = milliseconds(list(times.seconds), percentile)
        yield Figure(bench="cut", name=name, value=value, unit="ms", limit=limit)


async def _interrupt(server: CutServer) -> CutTimes:
    """Call from all phones, talk into what the bots say until the time is up, and return what the server noted."""
    exchange, target = Exchange(), Target(url=parse_url(f"ws://127.0.0.1:{server.port}/"))
    until = trio.current_time() + LEGS * _APART + _SECONDS
    results: list[CallResult] = []
    async with trio.open_nursery() as helpers:
        helpers.start_soon(exchange.run)
        async with trio.open_nursery() as nursery:
            for number in range(LEGS):
                rng = Random(f"cut:{number}")
                line = Line(FakeTwilio(call_drawn(rng)))
                results.append(CallResult(line, dialled=trio.current_time()))
                nursery.start_soon(PlacedCall(target, exchange, results[-1], _caller(line, rng=rng, until=until)).run)
                await trio.sleep(_APART)
        helpers.cancel_scope.cancel()
    if broken := [result.reason for result in results if result.outcome is not Outcome.CALLER]:
        raise RuntimeError(f"{len(broken)} calls ended early: {broken[0]}")
    return server.times()


def _caller(line: Line, *, rng: Random, until: float) -> Script:
    """Listen for a while and talk into it, again and again."""
    said = _said(line)
    now = yield lambda _now: True
    while now < until:
        now = yield _by(min(until, now + _LISTENS + rng.expovariate(1 / _MEAN)))
        line.say(said, interrupts=True)
        now = yield lambda _now: not line.busy


def _by(time: float) -> Condition:
    return lambda now: now >= time


def _said(line: Line) -> Sequence[Payload]:
    samples = 8000 * np.sin(np.arange(line.carrier.frame_bytes // 2) * 2 * np.pi * 300 / line.carrier.rate)
    return [line.carrier.payload(samples.astype("<i2").tobytes())] * _SPOKEN_FRAMES

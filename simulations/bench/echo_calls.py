"""Calls that listen for their own echo, as a simulated Twilio makes them from one core: how long echoes take, and how
much of that is to be believed. Which server they call, and how many there are, is decided elsewhere."""

from __future__ import annotations

from random import Random

import numpy as np
import trio
from attrs import frozen

from simulations.carriers.calling import CallResult, Exchange, Outcome, PlacedCall, Script
from simulations.carriers.carrier import call_drawn
from simulations.carriers.target import Target, parse_url
from simulations.carriers.twilio import FakeTwilio
from simulations.load.echo import Echo

_APART = 0.01
"""Seconds from the beginning of one call to that of the next."""
_WARM = 2.0
"""Seconds after the last beginning that count for nothing."""


@frozen(kw_only=True)
class Echoes:
    """What came back: seconds that each echo took, those that never came, calls that did not last, and by how many
    seconds the callers themselves were late."""

    trips: list[float]
    lost: int
    broken: int
    late: list[float]

    def told(self) -> str:
        """Return all of it as a line of text."""
        trips = ", ".join(f"p{each} {milliseconds(self.trips, each):.1f}" for each in (50, 99))
        worst, late = milliseconds(self.trips, 100), milliseconds(self.late, 99)
        lost = f"{self.lost} lost, {self.broken} calls broken"
        return f"{len(self.trips)} echoes, {trips}, worst {worst:.1f} ms; {lost}; callers late by {late:.1f} ms at p99"


def milliseconds(seconds: list[float], percentile: float) -> float:
    """Return a percentile of times in seconds, in milliseconds; without any the time is endless."""
    return 1000 * float(np.percentile(seconds, percentile)) if seconds else float("inf")


async def hear_echoes(url: str, *, calls: int, seconds: float) -> Echoes:
    """Call so often, and listen for so long once all calls are up."""
    exchange, target = Exchange(), Target(url=parse_url(url))
    echoes = [Echo() for _ in range(calls)]
    results: list[CallResult] = []
    ends = trio.current_time() + calls * _APART + _WARM + seconds
    async with trio.open_nursery() as helpers:
        helpers.start_soon(exchange.run)
        async with trio.open_nursery() as nursery:
            for number, echo in enumerate(echoes):
                carrier = FakeTwilio(call_drawn(Random(f"echo:{number}")), playback=echo.make_playback)
                results.append(CallResult(echo.open_line(carrier), dialled=trio.current_time()))
                nursery.start_soon(PlacedCall(target, exchange, results[-1], hold_on(ends)).run)
                await trio.sleep(_APART)
            await trio.sleep(_WARM)
            for echo in echoes:
                echo.times.clear()
            del exchange.pacer.lateness[:]
        helpers.cancel_scope.cancel()
    for echo in echoes:
        echo.finish(trio.current_time())
    return Echoes(
        trips=[time for echo in echoes for time in echo.times],
        lost=sum(echo.lost for echo in echoes),
        broken=sum(result.outcome is not Outcome.CALLER for result in results),
        late=list(exchange.pacer.lateness),
    )


def hold_on(until: float) -> Script:
    """Do nothing until the time has come."""
    yield lambda now: now >= until

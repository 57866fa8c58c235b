"""Measures how many legs that echo fit on one core: their number is raised until echoes are late."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import trio

from simulations.bench.echo_calls import Echoes, hear_echoes, milliseconds
from simulations.bench.figures import Figure, Tell
from simulations.bench.leg_server import leg_server

LEGS = (75, 100, 130, 150, 175, 200, 225, 250, 275, 300)
"""The numbers that are tried: where the largest fits, so may more."""
_SECONDS = 10.0
_WITHIN = 20.0
"""Milliseconds that 99 of 100 echoes may take: the next frame is due."""


def measure(tell: Tell) -> Iterator[Figure]:
    """Yield the largest number of legs whose echoes come in time; the server has one core, the callers another."""
    most = 0
    for legs in LEGS:
        echoes, cores = _measured(legs)
        tell(f"{legs} legs, {cores:.2f} cores: {echoes.told()}")
        if milliseconds(echoes.trips, 99) > _WITHIN or echoes.lost or echoes.broken:
            break
        most = legs
    name = f"echoing legs on one core, round trip p99 <= {_WITHIN:g} ms"
    yield Figure(bench="most", name=name, value=most, unit="legs", limit=130, more=True)


def _measured(legs: int) -> tuple[Echoes, float]:
    """Return the echoes of so many legs, and the cores that the server took for them from their first call on."""
    with leg_server("echo") as server:
        before, began = server.usage(), time.monotonic()
        echoes = trio.run(partial(hear_echoes, f"ws://127.0.0.1:{server.port}/", calls=legs, seconds=_SECONDS))
        return echoes, (server.usage().processor - before.processor) / (time.monotonic() - began)

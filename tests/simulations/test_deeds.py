"""Whatever vandals do at the simulated provider, and whenever they vanish, nothing of it is left there."""

from __future__ import annotations

import random
from contextlib import suppress
from functools import partial

import pytest
import trio
from trio.testing import MockClock, lockstep_stream_pair

from simulations.bench.deeds import DEEDS, KEY, Deed
from simulations.plain_voice import plain_voice
from simulations.waves.accounts import Plan
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer

PATIENCE = 15.0
"""Seconds within which the provider is through with a vandal: more than a client may take to take a message."""


async def vandalise(server: WavesServer, deed: Deed, *, seconds: float) -> float:
    """Do a deed for so long at most, vanish, and return how long the provider went on after that."""
    near, far = lockstep_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(server.serve_stream, far))
        with trio.move_on_after(seconds), suppress(trio.BrokenResourceError):
            await deed(near, random.Random(f"{seconds}"))
        vanished = trio.current_time()
        await trio.aclose_forcefully(near)
    return trio.current_time() - vanished


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.05, 1.0, 30.0])
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
async def test_nothing_is_left_of_a_vandal(
    deed: Deed, seconds: float, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection ends, sockets and slots are free again, every request is accounted for, and nothing failed."""
    server = WavesServer(WavesOptions(chunk_ms=100), plain_voice(), plans={KEY: Plan()})
    assert await vandalise(server, deed, seconds=seconds) < PATIENCE
    await trio.sleep(server.options.settle)
    books = server.snapshot()
    assert (books["sockets"], books["in_flight"]) == (0, 0)
    assert books["requests"] == books["completed"] + books["abandoned"]
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []

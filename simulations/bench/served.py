"""Owns the simulated provider that a benchmark measures, in a process of its own, with what it takes there. Who asks it
for what is not decided here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from attrs import frozen

from simulations.bench.apart import answer, heard, process_apart
from simulations.bench.memory import resident_megabytes
from simulations.voices import voice_named
from simulations.waves.accounts import Plan
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer, open_waves_server

_FILES = Path("/proc/self/fd")


@frozen(kw_only=True)
class Usage:
    """What the provider has taken so far: seconds of processor, megabytes (resident), open files; and its books."""

    processor: float
    resident: float
    files: int
    books: Mapping[str, int | float]


@frozen
class Served:
    """A provider that serves at `address`."""

    address: str
    _pipe: Connection

    def usage(self) -> Usage:
        """Ask the provider, which answers between two other things that it does. Raises RuntimeError if it is gone."""
        self._pipe.send(None)
        usage = heard(self._pipe)
        assert isinstance(usage, Usage)
        return usage


@contextmanager
def served(options: WavesOptions, *, plans: Mapping[str, Plan] | None = None) -> Iterator[Served]:
    """Yield a provider that speaks with the tone, with an account for each of the keys that have `plans`; leaving ends
    it."""
    with process_apart(_serve, options=options, plans=plans or {}) as pipe:
        address = heard(pipe)
        assert isinstance(address, str)
        yield Served(address, pipe)


# --- the provider's process ---


async def _serve(pipe: Connection, *, options: WavesOptions, plans: Mapping[str, Plan]) -> None:
    """Serve until nobody is at the other end of the pipe; whatever comes through it is a question for the usage."""
    async with open_waves_server(WavesServer(options, voice_named("tone"), plans=plans)) as server:
        pipe.send(server.address)
        await answer(pipe, partial(_usage, server))


def _usage(server: WavesServer) -> Usage:
    return Usage(
        processor=time.process_time(),
        resident=resident_megabytes(),
        files=len(list(_FILES.iterdir())) if _FILES.exists() else 0,
        books=server.snapshot(),
    )

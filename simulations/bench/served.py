"""Owns the simulated provider that a benchmark measures: in a process of its own, on a core of its own where there is a
second one, with what it takes there. Who asks it for what is not decided here."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import trio
from attrs import frozen

from simulations.bench.memory import resident_megabytes
from simulations.voices import voice_named
from simulations.waves.accounts import Plan
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer, open_waves_server

_PATIENCE = 30.0
"""Seconds that its process gets to start, to answer, and to end."""
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
        usage = _heard(self._pipe)
        assert isinstance(usage, Usage)
        return usage


@contextmanager
def served(options: WavesOptions, *, plans: Mapping[str, Plan] | None = None) -> Iterator[Served]:
    """Yield a provider that speaks with the tone, with an account for each of the keys that have `plans`; leaving ends
    it. Meanwhile this process keeps off the provider's core, and so do those that it starts."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    with _core_apart() as core:
        given = {"options": options, "plans": plans or {}, "core": core}
        process = context.Process(target=_run, args=(theirs,), kwargs=given, daemon=True)
        process.start()
        theirs.close()  # else its end would not be noticed
        try:
            address = _heard(ours)
            assert isinstance(address, str)
            yield Served(address, ours)
        finally:
            ours.close()
            process.join(_PATIENCE)
            process.kill()
            process.join()


def _heard(pipe: Connection) -> object:
    if not pipe.poll(_PATIENCE):
        raise RuntimeError(f"the provider said nothing for {_PATIENCE:g} s")
    try:
        return pipe.recv()
    except (EOFError, ConnectionError):
        raise RuntimeError("the provider's process ended") from None


@contextmanager
def _core_apart() -> Iterator[int | None]:
    """Yield the core that is left to the provider; None where that can't be arranged."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if len(cores) < 2:
        yield None
        return
    core = max(cores)
    os.sched_setaffinity(0, cores - {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, cores)


# --- the provider's process ---


def _run(pipe: Connection, *, options: WavesOptions, plans: Mapping[str, Plan], core: int | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all: the other process ends this one
    if core is not None:
        os.sched_setaffinity(0, {core})
    trio.run(partial(_serve, pipe, options=options, plans=plans))


async def _serve(pipe: Connection, *, options: WavesOptions, plans: Mapping[str, Plan]) -> None:
    """Serve until nobody is at the other end of the pipe; whatever comes through it is a question for the usage."""
    async with open_waves_server(WavesServer(options, voice_named("tone"), plans=plans)) as server:
        pipe.send(server.address)
        while True:
            await trio.lowlevel.wait_readable(pipe.fileno())
            try:
                pipe.recv()
                pipe.send(_usage(server))
            except (EOFError, ConnectionError):
                return


def _usage(server: WavesServer) -> Usage:
    return Usage(
        processor=time.process_time(),
        resident=resident_megabytes(),
        files=len(list(_FILES.iterdir())) if _FILES.exists() else 0,
        books=server.snapshot(),
    )

"""Runs what a benchmark measures in a process of its own, on a core of its own where there is a second one; what runs
there, and what is asked of it through the pipe, is decided elsewhere."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import trio

_PATIENCE = 30.0
"""Seconds that the process gets to start, to answer, and to end."""


@contextmanager
def process_apart(serve: Callable[..., Any], **given: Any) -> Iterator[Connection]:
    """Run `serve(pipe, **given)`, an async function, under Trio in a process of its own and yield our end of its pipe.

    Leaving ends it. Meanwhile this process keeps off its core, and so do those that it starts.
    """
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    with core_apart() as core:
        process = context.Process(target=_run, args=(theirs, serve, core), kwargs=given, daemon=True)
        process.start()
        theirs.close()  # else its end would not be noticed
        try:
            yield ours
        finally:
            ours.close()
            process.join(_PATIENCE)
            process.kill()
            process.join()


def heard(pipe: Connection) -> Any:
    """Return what the process said next. Raises RuntimeError if it is gone or says nothing."""
    if not pipe.poll(_PATIENCE):
        raise RuntimeError(f"the process apart said nothing for {_PATIENCE:g} s")
    try:
        return pipe.recv()
    except (EOFError, ConnectionError):
        raise RuntimeError("the process apart ended") from None


async def answer(pipe: Connection, said: Callable[[], Any]) -> None:
    """In the process apart: answer whatever is asked with what `said` returns, until nobody asks any more."""
    while True:
        await trio.lowlevel.wait_readable(pipe.fileno())
        try:
            pipe.recv()
            pipe.send(said())
        except (EOFError, ConnectionError):
            return


@contextmanager
def core_apart() -> Iterator[int | None]:
    """Yield the core that is left to one process, while this one keeps off it; None where that can't be arranged."""
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


def _run(pipe: Connection, serve: Callable[..., Any], core: int | None, **given: Any) -> None:  # Process' signature
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all: the other process ends this one
    if core is not None:
        os.sched_setaffinity(0, {core})
    trio.run(partial(serve, pipe, **given))

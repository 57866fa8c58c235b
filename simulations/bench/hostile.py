"""Measures what 500 hostile connections do to a running `talkingstick serve`: how late the echoes of ten honest calls
beside them are, the memory that it takes more, and how soon it ends at Ctrl-C. Their deeds are hostile_deeds.py's."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import trio
from attrs import define, field

from simulations.bench.apart import answer, core_apart, heard, process_apart
from simulations.bench.echo_calls import Echoes, hear_echoes, milliseconds
from simulations.bench.figures import Figure, Tell
from simulations.bench.hostile_deeds import DEEDS, PATH
from simulations.bench.memory import resident_megabytes_of

HOSTILE = 500
_HONEST = 10
_QUIET_SECONDS = 5.0
_SECONDS = 20.0
_ADDRESSES = 5
"""Other than the honest one: none of them may have so many connections that the rest is turned away at once."""
_AGAIN_AFTER = 0.5
"""Seconds after which a hostile client whose connection is over comes again."""
_LOOKS_EVERY = 0.25
_PATIENCE = 30.0
_CONFIG = """\
[[serve.lines]]
carrier = "twilio"
bot = "audio-echo"

[log]
blocked_after = 0.02
"""


def measure(tell: Tell) -> Iterator[Figure]:
    """Yield what honest calls hear beside hostile clients, and what those cost."""
    with _running_serve() as serve:
        listen = partial(_listen, serve)
        quiet, before = trio.run(partial(listen, seconds=_QUIET_SECONDS))
        tell(f"{_HONEST} honest calls alone: {quiet.told()}")
        with process_apart(_rage, port=serve.port, number=HOSTILE) as rage:
            disturbed, most = trio.run(partial(listen, seconds=_SECONDS))
            tell(f"beside {HOSTILE} hostile connections: {disturbed.told()}")
            rage.send(None)
            tell(f"deeds: {heard(rage)}")
            shutdown = serve.end()
        tell(f"serve says: {serve.told()}")
    if quiet.broken or disturbed.broken or disturbed.lost:
        raise RuntimeError("honest calls broke")
    p99 = milliseconds(disturbed.trips, 99)
    yield Figure(bench="hostile", name="honest echo beside them, p99", value=p99, unit="ms", limit=20)
    yield Figure(bench="hostile", name="memory, most more beside them", value=most - before, unit="MB", limit=20)
    yield Figure(bench="hostile", name="from Ctrl-C to the end, beside them", value=shutdown, unit="s", limit=2)


async def _listen(serve: _Serve, *, seconds: float) -> tuple[Echoes, float]:
    """Return the honest calls' echoes, and the most memory that the server had meanwhile."""
    most = 0.0

    async def look() -> None:
        nonlocal most
        while True:
            most = max(most, resident_megabytes_of(serve.process.pid))
            await trio.sleep(_LOOKS_EVERY)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(look)
        echoes = await hear_echoes(f"ws://127.0.0.1:{serve.port}{PATH}", calls=_HONEST, seconds=seconds)
        nursery.cancel_scope.cancel()
    return echoes, most


# --- the server ---


@define
class _Serve:
    """A `talkingstick serve` that runs; its log is a file, for a pipe would fill."""

    process: subprocess.Popen[bytes]
    port: int
    _log: Path

    def end(self) -> float:
        """Send what Ctrl-C sends; return the seconds until the process was gone. Raises TimeoutExpired."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(_PATIENCE)
        return time.monotonic() - began

    def told(self) -> str:
        """Return how often which event is in the log, and the longest time for which a task kept the loop."""
        lines = logged(self._log)
        counts = Counter(line["event"] for line in lines)
        longest = max((line["seconds"] for line in lines if line["event"] == "TaskBlocked"), default=0.0)
        return f"{dict(counts.most_common(6))}, the longest step {1000 * longest:.0f} ms"


@contextmanager
def _running_serve() -> Iterator[_Serve]:
    with TemporaryDirectory() as folder, core_apart() as core:
        config, log = Path(folder, "serve.toml"), Path(folder, "log")
        config.write_text(_CONFIG, "utf-8")
        command = [sys.executable, "-m", "orchestrator", "serve", "--config", str(config), "--port", "0"]
        with log.open("wb") as errors:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        try:
            if core is not None:
                os.sched_setaffinity(process.pid, {core})
            yield _Serve(process, _port(process, log), log)
        finally:
            process.kill()
            process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """Wait until the port is open. Raises RuntimeError with the log if it is not."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        for line in logged(log):
            if line["event"] == "PortsOpened":
                return int(line["port"])
        time.sleep(0.05)
    raise RuntimeError(f"serve does not come up: {log.read_text('utf-8')}")


def logged(log: Path) -> list[dict[str, Any]]:
    """Return what is in a log, but for a last line that is being written."""
    whole = log.read_text("utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]


# --- the hostile clients' process ---


@define
class _Deeds:
    """How often each was begun."""

    begun: Counter[str] = field(factory=Counter)


async def _rage(pipe: Connection, *, port: int, number: int) -> None:
    with suppress(AttributeError):  # there is none on Windows
        os.nice(10)  # the honest callers may have the same core, and are to be on time
    deeds = _Deeds()
    async with trio.open_nursery() as nursery:
        for place in range(number):
            nursery.start_soon(partial(_misbehave, deeds, port=port, number=place))
        await answer(pipe, lambda: dict(deeds.begun))
        nursery.cancel_scope.cancel()


async def _misbehave(deeds: _Deeds, *, port: int, number: int) -> None:
    """Do one kind of deed again and again, each on a connection of its own."""
    rng, deed = random.Random(f"hostile:{number}"), DEEDS[number % len(DEEDS)]
    await trio.sleep(rng.random())
    while True:
        with suppress(OSError, trio.BrokenResourceError):
            async with await _connected(port, source=f"127.0.0.{2 + number % _ADDRESSES}") as stream:
                deeds.begun[deed.__name__] += 1
                await deed(stream, rng)
        await trio.sleep(_AGAIN_AFTER)


async def _connected(port: int, *, source: str) -> trio.SocketStream:
    socket = trio.socket.socket()
    try:
        await socket.bind((source, 0))
        await socket.connect(("127.0.0.1", port))
    except BaseException:
        socket.close()
        raise
    return trio.SocketStream(socket)

"""Serves the telephony legs that a benchmark measures, in a process of its own, on a plain TCP port: the legs and
sockets of the product, and nothing of calls. What is asked of them is legs.py's."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Literal

import trio
from attrs import frozen

from orchestrator.adapters.telephony.codecs.audiosocket import AudioSocketCodec
from orchestrator.adapters.telephony.codecs.twilio import TwilioCodec
from orchestrator.adapters.telephony.echo import echo_call
from orchestrator.adapters.telephony.local_clock import open_clock_leg
from orchestrator.adapters.telephony.options import LegOptions
from orchestrator.adapters.telephony.remote_buffer import open_remote_leg
from orchestrator.adapters.telephony.socket import open_carrier_socket
from orchestrator.app import run_clock
from orchestrator.errors import LegClosed
from orchestrator.ports import Leg
from simulations.bench.apart import answer, heard, process_apart
from simulations.bench.memory import resident_megabytes

_SOUND = bytes(range(1, 101)) * 32
"""A stride at 8000 samples a second."""
Kind = Literal["echo", "remote", "clock"]
"""Twilio-like legs that echo, or whose bot talks all the time; AudioSocket legs whose bot does."""


@frozen(kw_only=True)
class LegUsage:
    """What the process has taken so far: seconds of processor, megabytes (resident)."""

    processor: float
    resident: float


@frozen
class LegServer:
    """Legs at `port` of this machine."""

    port: int
    _pipe: Connection

    def usage(self) -> LegUsage:
        """Ask the process. Raises RuntimeError if it is gone."""
        self._pipe.send(None)
        usage = heard(self._pipe)
        assert isinstance(usage, LegUsage)
        return usage


@contextmanager
def leg_server(kind: Kind) -> Iterator[LegServer]:
    """Yield a server of legs; leaving ends it."""
    with process_apart(_serve, kind=kind) as pipe:
        port = heard(pipe)
        assert isinstance(port, int)
        yield LegServer(port, pipe)


# --- the legs' process ---


async def _serve(pipe: Connection, *, kind: Kind) -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(trio.serve_listeners, _HANDLERS[kind], [listener]))
        pipe.send(listener.socket.getsockname()[1])
        await answer(pipe, _usage)
        nursery.cancel_scope.cancel()


def _usage() -> LegUsage:
    return LegUsage(processor=time.process_time(), resident=resident_megabytes())


async def _echo(stream: trio.SocketStream) -> None:
    async with open_carrier_socket(stream) as socket:
        await echo_call(socket, TwilioCodec())


async def _remote(stream: trio.SocketStream) -> None:
    async with (
        open_carrier_socket(stream) as socket,
        open_remote_leg(socket, TwilioCodec(), options=LegOptions(), now=run_clock()) as leg,
    ):
        await _talk(leg)


async def _clock(stream: trio.SocketStream) -> None:
    async with open_clock_leg(stream, AudioSocketCodec(), options=LegOptions(), now=run_clock()) as leg:
        await _talk(leg)


async def _talk(leg: Leg) -> None:
    """Talk without an end, as the mouth does: a stride, a mark, a stride."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_listen, leg)
        number = 0
        with suppress(LegClosed):
            while True:
                await leg.write(_SOUND)
                leg.mark(f"{number}")
                number += 1
        nursery.cancel_scope.cancel()


async def _listen(leg: Leg) -> None:
    async for _ in leg.events():
        pass


_HANDLERS: Mapping[Kind, Callable[[trio.SocketStream], Awaitable[None]]] = {
    "echo": _echo,
    "remote": _remote,
    "clock": _clock,
}

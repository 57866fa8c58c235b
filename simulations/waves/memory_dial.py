"""Dials a simulated provider without a network: the real WebSocket protocol, both sides of it, over memory streams."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import trio

from orchestrator.ports import Connection, Dial
from orchestrator.speech.dialling import dial
from simulations.waves.server import WavesServer
from simulations.waves.transport import stream_pair

_OPEN_WITHIN = 4.0


def memory_dial(server: WavesServer, nursery: trio.Nursery) -> Dial:
    """Return how to open a WebSocket to `server`, whose side of it runs in `nursery`.

    Bytes are under way for the server's `transport`. The nursery has to outlive the connections by a second or so in
    which the provider notices that they are closed.
    """

    @asynccontextmanager
    async def dial_server(address: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
        near, far = stream_pair(server.options.transport)
        nursery.start_soon(server.serve_stream, far)
        plain = address.replace("wss://", "ws://")  # no TLS inside a process
        opening: AbstractAsyncContextManager[Connection] = dial(plain, headers, within=_OPEN_WITHIN, stream=near)
        async with opening as connection:
            yield connection

    return dial_server

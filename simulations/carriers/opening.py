"""Opens a call's connection and ends it: TCP, TLS, the upgrade, the goodbye, each within its time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from simulations.carriers.target import Refused, Target, cause_of
from simulations.carriers.wire import WebSocketWire, Wire

_GOODBYE_WITHIN = 0.3
"""Seconds, also when the program is being ended: Ctrl-C ends everything within one."""


@asynccontextmanager
async def open_wire(target: Target) -> AsyncIterator[Wire]:
    """Connect; yield the wire; say goodbye. Raises Refused, also when it takes too long."""
    wire = None
    try:
        with trio.move_on_after(target.within):
            wire = await _connect(target)
    except (OSError, trio.BrokenResourceError) as error:
        raise Refused(0, cause_of(error)) from None
    if wire is None:
        raise Refused(0, f"not connected within {target.within:g} s")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wire.write_on)
        try:
            yield wire
        finally:
            with trio.move_on_after(_GOODBYE_WITHIN) as goodbye:
                goodbye.shield = True
                await wire.say_goodbye()
            nursery.cancel_scope.cancel()
            await wire.aclose()


async def _connect(target: Target) -> Wire:
    stream: trio.abc.Stream = await trio.open_tcp_stream(target.url.hostname or "", target.port)
    try:
        if target.tls is not None:
            stream = trio.SSLStream(stream, target.tls, server_hostname=target.url.hostname, https_compatible=True)
        return await open_over(stream, target)
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise


async def open_over(stream: trio.abc.Stream, target: Target) -> Wire:
    """Return the wire over a stream that is open, in memory too. Raises Refused."""
    if target.url.scheme == "audiosocket":
        return Wire(stream)
    wire = WebSocketWire(stream)
    try:
        await wire.shake_hands(target)
    except BaseException:
        await wire.aclose()
        raise
    return wire

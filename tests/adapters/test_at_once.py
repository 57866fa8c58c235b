"""Plain sockets, real ones: what comes is read as Trio reads it, and a peer that is gone is noticed by the machine."""

from __future__ import annotations

import socket as sockets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from orchestrator.adapters.telephony.at_once import arrived
from orchestrator.adapters.telephony.wire import open_carrier_bytes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no plain sockets")


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[trio.SocketStream, trio.SocketStream]]:
    """Yield both ends of a TCP connection."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    theirs = await trio.open_tcp_stream("127.0.0.1", listener.socket.getsockname()[1])
    async with listener, theirs, await listener.accept() as ours:
        yield ours, theirs


async def test_what_comes_is_read_to_the_end() -> None:
    """In whatever sizes: more than one read takes, little, nothing for a while, the end."""
    async with connection() as (ours, theirs), open_carrier_bytes(ours) as wire, trio.open_nursery() as nursery:
        sizes = [1, 4096, 4095, 100_000, 320]

        async def send() -> None:
            for size in sizes:
                await theirs.send_all(bytes(size))
                await trio.sleep(0.01)
            await theirs.send_eof()

        nursery.start_soon(send)
        came = 0
        while messages := await wire.receive():
            came += sum(map(len, messages))
        assert came == sum(sizes)
        assert wire.over.is_set()


async def test_a_reset_ends_the_connection() -> None:
    """Without an error for whoever reads."""
    async with connection() as (ours, theirs), open_carrier_bytes(ours) as wire:
        await theirs.send_all(b"x")
        assert await wire.receive() == [b"x"]
        theirs.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await trio.aclose_forcefully(theirs)
        with trio.fail_after(2):
            assert await wire.receive() == []
        assert wire.over.is_set()


async def test_a_socket_that_was_closed_is_the_streams_to_tell() -> None:
    """Nothing can be waited for there."""
    async with connection() as (ours, _):
        await trio.aclose_forcefully(ours)
        assert await arrived(ours, 1) is None


@pytest.mark.skipif(not hasattr(sockets, "TCP_USER_TIMEOUT"), reason="Linux only")
async def test_the_machine_notices_a_peer_that_is_gone() -> None:
    """One that acknowledges neither sound nor probes for ten seconds; AudioSocket has no pings."""
    async with connection() as (ours, _), open_carrier_bytes(ours):
        await trio.testing.wait_all_tasks_blocked()
        assert ours.getsockopt(sockets.SOL_SOCKET, sockets.SO_KEEPALIVE) == 1
        assert ours.getsockopt(sockets.IPPROTO_TCP, sockets.TCP_USER_TIMEOUT) == 10_000
        idle, apart, probes = (
            ours.getsockopt(sockets.IPPROTO_TCP, option)
            for option in (sockets.TCP_KEEPIDLE, sockets.TCP_KEEPINTVL, sockets.TCP_KEEPCNT)
        )
        assert idle + apart * probes == 10


async def test_a_unix_socket_is_as_good() -> None:
    """It has no times to set; its peer can't vanish unnoticed."""
    near, far = trio.socket.socketpair()
    async with open_carrier_bytes(trio.SocketStream(near)) as wire:
        await trio.testing.wait_all_tasks_blocked()
        await far.send(b"hi")
        assert await wire.receive() == [b"hi"]
        far.close()
        assert await wire.receive() == []

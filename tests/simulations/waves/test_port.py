"""The simulated provider on real loopback sockets: its books, hostile peers, and its end."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, memory_stream_pair
from websockets.exceptions import ConnectionClosed
from websockets.trio.client import connect

from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer, open_waves_server
from tests.simulations.waves.peer import LIVE, ask, dialled, frames_until, next_frame, pcm_of, spelling_voice

UPGRADE = (
    f"GET {LIVE} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
).encode()
QUICK = WavesOptions(ttfb=0.01, rtf=0.01, settle=0.01)


def port_of(server: WavesServer) -> int:
    """Return the port the server is on."""
    return int(server.address.rpartition(":")[2])


async def fetched(stream: trio.abc.Stream, path: str) -> tuple[int, dict[str, object]]:
    """Return status and JSON body of a GET, and close the stream."""
    data = b""
    async with stream:
        await stream.send_all(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        while some := await stream.receive_some():
            data += bytes(some)
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition of another task; it has no event that would tell."""
    with trio.fail_after(5):
        while not condition():  # noqa: ASYNC110
            await trio.sleep(0.005)


@pytest.mark.realtime
async def test_it_speaks_over_a_real_socket_and_shows_its_books() -> None:
    """The same server on a port: a spoken request, and books that are those of the snapshot."""
    with trio.fail_after(10):
        async with open_waves_server(WavesServer(QUICK, spelling_voice)) as server:
            async with connect(server.address + LIVE, proxy=None, compression=None) as socket:
                await socket.send(ask("Hello there."))
                assert len(pcm_of(await frames_until(socket))) == 800 * len("Hello there.")
            await until(lambda: server.books.sockets == 0)
            status, books = await fetched(await trio.open_tcp_stream("127.0.0.1", port_of(server)), "/books")
            assert (status, {**books, **server.snapshot()}) == (200, books)
            assert (books["requests"], books["completed"], books["audio_seconds"]) == (1, 1, 0.6)


@pytest.mark.parametrize(
    ("peer", "path", "status"),
    [
        ("127.0.0.1", "/books", 200),
        ("::1", "/books", 200),
        ("::ffff:127.0.0.1", "/books", 200),
        ("10.1.2.3", "/books", 403),
        ("", "/books", 403),
        ("127.0.0.1", "/", 404),
        ("127.0.0.1", LIVE, 405),
    ],
)
async def test_the_books_are_for_this_machine_only(peer: str, path: str, status: int) -> None:
    """Loopback peers read the books, others get 403; every other path is 404; all in JSON."""
    near, far = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(WavesServer(QUICK, spelling_voice).serve_stream, far, peer=peer))
        answered, body = await fetched(near, path)
    assert answered == status
    assert ("error" in body) == (status != 200)


@pytest.mark.realtime
async def test_its_end_is_everything_s_end() -> None:
    """Leaving the server closes open sockets, those in mid-request too, within a second."""
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        async with open_waves_server(WavesServer(WavesOptions(ttfb=0.01, rtf=5.0), spelling_voice)) as server:
            sockets = []
            for _ in range(3):
                connection = connect(server.address + LIVE, proxy=None, compression=None)
                sockets.append(await nursery.start(hold_open, connection))
            await sockets[0].send(ask("A long sentence is being spoken."))
            await next_frame(sockets[0])
            began = trio.current_time()
        assert server.snapshot()["sockets"] == 0
        assert server.snapshot()["abandoned"] == 1
    assert trio.current_time() - began < 1


async def hold_open(connection: connect, task_status: trio.TaskStatus[object]) -> None:
    """Keep a client socket until the server closes it."""
    async with connection as socket:
        task_status.started(socket)
        await socket.wait_closed()


@pytest.mark.realtime
async def test_hostile_peers_leave_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    """Random bytes, half frames, huge messages and vanishing sockets harm no honest client and leave no socket."""
    dice = random.Random(7)
    with trio.fail_after(20):
        options = WavesOptions(links=50, ttfb=0.01, rtf=0.01)
        async with open_waves_server(WavesServer(options, spelling_voice)) as server:
            for kind in range(40):
                stream = await trio.open_tcp_stream("127.0.0.1", port_of(server))
                with suppress(trio.BrokenResourceError):
                    await misbehave(stream, kind=kind % 5, dice=dice)
                await trio.aclose_forcefully(stream)
            await until(lambda: server.books.sockets == 0 and not server.snapshot()["in_flight"])
            async with connect(server.address + LIVE, proxy=None, compression=None) as socket:
                await socket.send(ask("Still here."))
                assert len(pcm_of(await frames_until(socket))) == 800 * len("Still here.")
            books = server.snapshot()
    assert books["requests"] == books["completed"] + books["abandoned"]
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def misbehave(stream: trio.SocketStream, *, kind: int, dice: random.Random) -> None:
    """Open a socket and do one of the things that no client should do."""
    if kind == 0:
        await stream.send_all(dice.randbytes(dice.randrange(1, 9000)))
        return
    await stream.send_all(UPGRADE)
    await stream.receive_some()
    if kind == 1:
        await stream.send_all(dice.randbytes(dice.randrange(1, 9000)))
    elif kind == 2:
        await stream.send_all(masked(ask("A sentence.").encode())[: dice.randrange(1, 20)])
    elif kind == 3:
        await stream.send_all(b"\x81\xff" + (10_000_000).to_bytes(8, "big") + bytes(4) + b"x" * 1_500_000)
    else:
        await stream.send_all(masked(ask("This sentence will not be heard.").encode()))
        await stream.receive_some()


def masked(payload: bytes) -> bytes:
    """Return a text frame as clients send it (the mask being all zeros)."""
    return b"\x81\xfe" + len(payload).to_bytes(2, "big") + bytes(4) + payload


async def test_a_message_that_is_too_big_closes_its_socket(autojump_clock: MockClock) -> None:
    """Beyond 1 MiB the socket is closed with 1009."""
    server = WavesServer(QUICK, spelling_voice)
    async with dialled(server) as socket:
        await socket.send("x" * 1_100_000)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    assert server.snapshot()["sockets"] == 0


@given(st.lists(st.binary(max_size=40), max_size=10))
@settings(max_examples=100, deadline=None)
def test_whatever_follows_the_upgrade_ends_quietly(pieces: list[bytes]) -> None:
    """Any bytes instead of frames end the socket without an exception and without a trace in the books' gauges."""

    async def main() -> None:
        server = WavesServer(QUICK, spelling_voice)
        near, far = memory_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.serve_stream, far)
            await near.send_all(UPGRADE)
            await near.receive_some()
            with suppress(trio.BrokenResourceError):  # it may have had enough before we are done
                for piece in filter(None, pieces):
                    await near.send_all(piece)
                await near.send_eof()
        assert (server.books.sockets, server.books.opened) == (0, 1)
        await trio.sleep(1)
        assert server.snapshot()["in_flight"] == 0

    trio.run(main, clock=MockClock(autojump_threshold=0))

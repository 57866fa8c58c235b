"""Opening and closing a WebSocket: which fault each refusal and each close is, and that leaving never takes long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import trio
from trio.testing import MockClock, lockstep_stream_pair, memory_stream_pair
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Connection
from orchestrator.speech.dialling import dial

Peer = Callable[[WebSocketConnection], Awaitable[None]]

ADDRESS = "ws://provider/live"


async def serve(stream: trio.abc.Stream, peer: Peer) -> None:
    """Accept a WebSocket, with somebody else's library, and let `peer` use it."""
    async with trio.open_nursery() as reading:
        socket = await (await wrap_server_stream(reading, stream)).accept()
        with suppress(ConnectionClosed):
            await peer(socket)
        reading.cancel_scope.cancel()


@asynccontextmanager
async def dialled(peer: Peer) -> AsyncIterator[Connection]:
    """Yield a connection to `peer`."""
    near, far = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, far, peer)
        async with dial(ADDRESS, {"Authorization": "Bearer x"}, stream=near) as connection:
            yield connection
        nursery.cancel_scope.cancel()


async def opening(answer: bytes | None, *, address: str = ADDRESS) -> ProviderFault:
    """Return the fault of a dial that is answered with these bytes and the end of the stream, or with nothing."""
    near, far = memory_stream_pair()
    if answer is not None:
        await far.send_all(answer)
        await far.send_eof()
    if answer == b"":
        await far.aclose()
    with pytest.raises(ProviderFault) as caught:
        async with dial(address, {"Authorization": "Bearer sk_secret"}, within=3.0, stream=near):
            pytest.fail("opened")
    assert "sk_secret" not in repr(caught.value)
    return caught.value


STATUSES = [
    (400, FaultKind.REQUEST),
    (401, FaultKind.FINAL),
    (403, FaultKind.FINAL),
    (404, FaultKind.FINAL),
    (410, FaultKind.FINAL),
    (429, FaultKind.LINKS),
    (500, FaultKind.RETRY),
    (503, FaultKind.RETRY),
]


@pytest.mark.parametrize(("status", "kind"), STATUSES)
async def test_a_refused_upgrade_has_the_kind_of_its_status(
    autojump_clock: MockClock, status: int, kind: FaultKind
) -> None:
    """With the address, the status and the provider's words in the message."""
    fault = await opening(b"HTTP/1.1 %d No\r\nContent-Length: 9\r\n\r\nbecause 1" % status)
    assert fault.kind is kind
    assert fault.message == f"{ADDRESS} answered HTTP {status}: because 1"


HEADERS = [
    (b"Retry-After: 7", 7.0),
    (b"Retry-After: 0", 0.0),
    (b"Date: Sun, 22 Nov 2026 08:00:00 GMT\r\nRetry-After: Sun, 22 Nov 2026 08:01:30 GMT", 90.0),
    (b"Date: Sun, 22 Nov 2026 08:00:00 GMT\r\nRetry-After: Sun, 22 Nov 2026 07:00:00 GMT", 0.0),
    (b"Retry-After: Sun, 22 Nov 2026 08:01:30 GMT", None),
    (b"Date: Sun, 22 Nov 2026 08:00:00 GMT\r\nRetry-After: Sun, 22 Nov 2026 08:01:30 -0000", None),
    (b"Retry-After: 99999999999", None),
    (b"Retry-After: -1", None),
    (b"Retry-After: soon", None),
    (b"X: y", None),
]


@pytest.mark.parametrize(("header", "seconds"), HEADERS)
async def test_retry_after_is_told(autojump_clock: MockClock, header: bytes, seconds: float | None) -> None:
    """Seconds, or a date by the answer's own clock: ours may be wrong. What is neither is not there."""
    fault = await opening(b"HTTP/1.1 429 No\r\n%s\r\nContent-Length: 24\r\n\r\nConcurrency limit reached" % header)
    assert (fault.kind, fault.retry_after) == (FaultKind.LINKS, seconds)


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"\0" * 99]
)
async def test_a_peer_that_speaks_something_else_is_worth_another_try(autojump_clock: MockClock, answer: bytes) -> None:
    """Garbage or a plain page in place of an upgrade."""
    assert (await opening(answer)).kind is FaultKind.RETRY


async def test_a_peer_that_is_gone_is_worth_another_try(autojump_clock: MockClock) -> None:
    """The stream is closed before our request is out: also an error of the library that is no handshake's."""
    assert (await opening(b"")).kind is FaultKind.RETRY


async def test_a_peer_that_says_nothing_is_given_up_in_time(autojump_clock: MockClock) -> None:
    """After `within` seconds."""
    fault = await opening(None)
    assert (fault.kind, fault.message) == (FaultKind.RETRY, f"{ADDRESS} did not answer within 3 s")
    assert 3 <= trio.current_time() <= 5


async def test_no_address_is_final(autojump_clock: MockClock) -> None:
    """Nothing is tried with it again."""
    assert (await opening(None, address="http://provider")).kind is FaultKind.FINAL


async def test_messages_go_both_ways(autojump_clock: MockClock) -> None:
    """Text both ways, through two independent implementations."""

    async def echo(socket: WebSocketConnection) -> None:
        while True:
            await socket.send_message((await socket.get_message()).upper())

    async with dialled(echo) as connection:
        for text in ("hello", "Grüße, नमस्ते", "x" * 100_000):
            await connection.send(text)
            assert await connection.receive() == text.upper()


CLOSES = [(1000, FaultKind.RETRY), (1011, FaultKind.RETRY), (1008, FaultKind.LINKS), (1013, FaultKind.LINKS)]


@pytest.mark.parametrize(("code", "kind"), CLOSES)
async def test_a_close_has_the_kind_of_its_code(autojump_clock: MockClock, code: int, kind: FaultKind) -> None:
    """1008 and 1013 are too many sockets; whoever sends or receives afterwards learns it."""

    async def close(socket: WebSocketConnection) -> None:
        await socket.aclose(code, "enough")

    async with dialled(close) as connection:
        with pytest.raises(ProviderFault, match=f"closed with {code} enough") as caught:
            await connection.receive()
        assert caught.value.kind is kind
        with pytest.raises(ProviderFault, match=str(code)):
            await connection.send("late")


async def test_a_stream_that_breaks_is_worth_another_try(autojump_clock: MockClock) -> None:
    """Without a close frame."""
    near, far = memory_stream_pair()

    async def vanish(_socket: WebSocketConnection) -> None:
        await far.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, far, vanish)
        async with dial(ADDRESS, {}, stream=near) as connection:
            with pytest.raises(ProviderFault, match="lost") as caught:
                await connection.receive()
            assert caught.value.kind is FaultKind.RETRY


@pytest.mark.parametrize("answers", [True, False])
async def test_leaving_is_quick_with_frames_unread(autojump_clock: MockClock, answers: bool) -> None:
    """Hundreds of messages lie unread and the peer may answer no close: two seconds, by a cancel as well."""

    async def flood(socket: WebSocketConnection) -> None:
        for _ in range(500):
            await socket.send_message("x" * 1000)
        if not answers:
            await trio.sleep_forever()

    near, far = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, far, flood)
        with trio.CancelScope() as scope:
            async with dial(ADDRESS, {}, stream=near) as connection:
                await connection.receive()
                await trio.sleep(1)
                left = trio.current_time()
                scope.cancel()
                await trio.sleep_forever()
        assert trio.current_time() - left <= 2
        nursery.cancel_scope.cancel()


async def test_leaving_is_quick_when_the_peer_reads_no_more(autojump_clock: MockClock) -> None:
    """Not even our close frame can be sent."""
    near, far = lockstep_stream_pair()
    accepted = trio.Event()

    async def freeze(_socket: WebSocketConnection) -> None:
        accepted.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, far, freeze)
        async with dial(ADDRESS, {}, stream=near) as connection:
            await accepted.wait()
            with trio.move_on_after(2) as stuck:
                await connection.send("x" * 100_000)
                await connection.send("more")
            assert stuck.cancelled_caught
            left = trio.current_time()
        assert trio.current_time() - left <= 2
        nursery.cancel_scope.cancel()

"""A WebSocket that we open: over real sockets and TLS, against servers that others wrote, closed by either side."""

from __future__ import annotations

import ssl
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair
from trio_websocket import ConnectionClosed, WebSocketRequest, serve_websocket, wrap_server_stream

from orchestrator.adapters.telephony.dialled import dial_socket
from orchestrator.adapters.telephony.wire import WireLimits, kept_open
from orchestrator.errors import CarrierFault
from orchestrator.port.tls import secured, server_context
from tests.port.test_tls import certificate, client_context

__all__ = ["certificate"]


async def echo(request: WebSocketRequest) -> None:
    """Send back what comes, as `media`, until it is `bye`."""
    if request.path != "/media/1":
        await request.reject(404, body=b"not found")
        return
    socket = await request.accept(subprotocol="media")
    with suppress(ConnectionClosed):
        while (message := await socket.get_message()) != "bye":
            await socket.send_message(message)
        await socket.aclose()


async def test_over_a_real_socket_it_talks_and_closes() -> None:
    """Text and sound, both ways, masked as a client's have to be; the server says goodbye first, or we do."""
    async with trio.open_nursery() as nursery:
        port = (await nursery.start(partial(serve_websocket, echo, "127.0.0.1", 0, None))).port
        for last in ("bye", ""):
            with trio.fail_after(5):
                socket = await dial_socket(f"ws://127.0.0.1:{port}/media/1", subprotocols=["media"])
                async with kept_open(socket):
                    assert socket.subprotocol == "media"
                    socket.send(["one", b"\0\1" * 40_000])
                    await socket.flush()
                    came: list[Any] = []
                    while len(came) < 2:
                        came += await socket.receive()
                    assert came == ["one", b"\0\1" * 40_000]
                    if last:
                        socket.send([last])
                        await socket.flush()
                        assert await socket.receive() == []
        with pytest.raises(CarrierFault, match=r"/media/2: no WebSocket handshake: .*404"):
            await dial_socket(f"ws://127.0.0.1:{port}/media/2", subprotocols=["media"])
        nursery.cancel_scope.cancel()
    with pytest.raises(CarrierFault, match=f"ws://127.0.0.1:{port}/media/1: .*refused"):
        await dial_socket(f"ws://127.0.0.1:{port}/media/1")


async def test_over_tls_the_certificate_counts(autojump_clock: MockClock, certificate: tuple[Path, Path]) -> None:
    """One that is trusted is talked to; one that is not is told."""
    pem, key = certificate
    async with trio.open_nursery() as nursery:

        async def serve(stream: trio.abc.Stream) -> None:
            inside: Any = await secured(stream, server_context(str(pem), str(key)), within=5)
            if inside is not None:
                async with trio.open_nursery() as ours:
                    await echo(await wrap_server_stream(ours, inside))
                    ours.cancel_scope.cancel()

        async def connect(host: str, port: int) -> trio.abc.Stream:
            assert (host, port) == ("pbx", 443)
            near, far = memory_stream_pair()
            nursery.start_soon(serve, far)
            return near

        dial = partial(dial_socket, "wss://pbx/media/1", subprotocols=["media"], connect=connect)
        socket = await dial(context=client_context(pem))
        async with kept_open(socket):
            socket.send(["hello"])
            await socket.flush()
            assert await socket.receive() == ["hello"]
        with pytest.raises(CarrierFault, match=r"wss://pbx/media/1: .*certificate verify failed"):
            await dial(context=ssl.create_default_context())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: ws://elsewhere/\r\nContent-Length: 0\r\n\r\n", "302"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", "200"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "HTTP"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "Accept"),
        (b"", "no WebSocket handshake within 2 s"),
    ],
)
async def test_whatever_answers_is_told_in_time(autojump_clock: MockClock, answer: bytes, reason: str) -> None:
    """A redirection is not followed; what is no WebSocket server is said, or that nothing came; nothing stays open."""
    near, far = memory_stream_pair()

    async def connect(host: str, port: int) -> trio.abc.Stream:
        await far.send_all(answer)
        return near

    with pytest.raises(CarrierFault, match=reason):
        await dial_socket("ws://pbx/media/1", limits=WireLimits(handshake_within=2), connect=connect)
    assert trio.current_time() <= 2
    with pytest.raises(trio.ClosedResourceError):
        await near.send_all(b"x")


async def test_what_was_missing_when_the_time_was_over_is_told(autojump_clock: MockClock) -> None:
    """A host that does not answer, and one that answers late and then says nothing: never more than the time in all."""
    near, far = memory_stream_pair()

    async def connect(host: str, port: int) -> trio.abc.Stream:
        await trio.sleep(3 if host == "far" else 1)
        return near

    for host, missing in (("far", "connection"), ("mute", "WebSocket handshake")):
        began = trio.current_time()
        with pytest.raises(CarrierFault, match=f"ws://{host}/media/1: no {missing} within 2 s"):
            await dial_socket(f"ws://{host}/media/1", limits=WireLimits(handshake_within=2), connect=connect)
        assert trio.current_time() - began == pytest.approx(2)
    await far.aclose()


async def test_a_host_that_no_dns_has_is_told() -> None:
    """A label of 70 letters can't even be asked for."""
    with pytest.raises(CarrierFault, match=r"ws://a{70}/media/1: .*label"):
        await dial_socket(f"ws://{'a' * 70}/media/1")


async def test_a_server_that_says_goodbye_and_stays_is_left(autojump_clock: MockClock) -> None:
    """By the protocol the server closes the connection; nobody waits for that."""
    async with trio.open_nursery() as nursery:
        near, far = memory_stream_pair()

        async def serve() -> None:
            stream: Any = far
            socket = await (await wrap_server_stream(nursery, stream)).accept()
            await socket._stream.send_all(b"\x88\x02\x03\xe8")

        async def connect(host: str, port: int) -> trio.abc.Stream:
            nursery.start_soon(serve)
            return near

        socket = await dial_socket("ws://pbx/media/1", connect=connect)
        async with kept_open(socket):
            with trio.fail_after(0.5):
                assert await socket.receive() == []
        nursery.cancel_scope.cancel()

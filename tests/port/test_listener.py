"""The listener on real loopback sockets: it serves, drains and says when its port is taken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial

import httpx2
import pytest
import trio

from orchestrator.port.listener import OpenPort, PortTaken, open_port, serve_port
from orchestrator.port.messages import Limits, Receive, Scope, Send
from tests.port.peers import GET, listen, piece, refuse, start, whole_body


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Say who asks."""
    await send(start())
    await send(piece(scope["client"][0].encode(), more=False))


serve = partial(serve_port, host="127.0.0.1", app=answer, upgrade=refuse)


async def test_it_serves_many_and_drains() -> None:
    """Connections are served beside each other; a drain closes the idle ones and ends the serving."""
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            opened: OpenPort = await nursery.start(partial(serve, port=0))
            peers = [await trio.open_tcp_stream("127.0.0.1", opened.number) for _ in range(3)]
            for peer in peers:
                await peer.send_all(GET)
                assert b"127.0.0.1" in await peer.receive_some()
            opened.drain()
            assert [await peer.receive_some() for peer in peers] == [b""] * 3
            for peer in peers:
                await peer.aclose()
        with pytest.raises(OSError, match="connect"):
            await trio.open_tcp_stream("127.0.0.1", opened.number)


async def test_a_taken_port_is_named() -> None:
    """PortTaken is an OSError that says which port it is."""
    async with trio.open_nursery() as nursery:
        opened: OpenPort = await nursery.start(partial(serve, port=0))
        with pytest.raises(PortTaken) as taken:
            await open_port(host="127.0.0.1", port=opened.number)
        assert str(taken.value) == f"port {opened.number} is taken"
        assert isinstance(taken.value, OSError)
        nursery.cancel_scope.cancel()


class Shop:
    """An app with a stream, an upload and a wait; it notes who left."""

    def __init__(self) -> None:
        self.clients: list[tuple[str, int]] = []
        self.left: list[str] = []
        self.both_left = trio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.clients.append(scope["client"])
        if scope["path"] == "/upload":
            body = await whole_body(receive)
            await send(start(201))
            await send(piece(b"%d" % len(body), more=False))
        elif scope["path"] == "/wait":
            await listen(scope, receive, send)
            self._note("/wait")
        else:
            await self._stream(send)

    async def _stream(self, send: Send) -> None:
        """Send for ever."""
        await send(start(content_type="text/event-stream"))
        try:
            while True:
                await send(piece(b"data: x\n\n"))
                await trio.sleep(0.01)
        except OSError:
            self._note("/stream")
            raise

    def _note(self, path: str) -> None:
        self.left.append(path)
        if len(self.left) > 1:
            self.both_left.set()


@pytest.mark.realtime
@pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning")  # httpx2 leaves its own behind
async def test_a_client_of_other_people_is_served() -> None:
    """httpx2 uploads 3 MB in pieces, is refused 4 MB, reads a stream as it comes and leaves two answers unfinished."""
    shop = Shop()
    limits = Limits(body_bytes=3 * 1024 * 1024)
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            opened = await nursery.start(partial(serve, port=0, app=shop, limits=limits))
            base = f"http://127.0.0.1:{opened.number}"
            async with httpx2.AsyncClient(base_url=base, trust_env=False) as client:

                async def pieces(count: int) -> AsyncIterator[bytes]:
                    for _ in range(count):
                        yield b"x" * 65536

                uploaded = await client.post("/upload", content=pieces(48))
                assert (uploaded.status_code, uploaded.text) == (201, str(3 * 1024 * 1024))
                again = await client.post("/upload", content=b"x" * 100)
                assert (again.text, len(set(shop.clients))) == ("100", 1), "the connection is kept"
                refused = await client.post("/upload", content=b"x" * 4 * 1024 * 1024)
                assert refused.status_code == 413
                async with client.stream("GET", "/stream") as stream, aclosing(stream.aiter_raw(9)) as parts:
                    assert [await anext(parts) for _ in range(3)] == [b"data: x\n\n"] * 3
                with trio.move_on_after(0.2):
                    await client.get("/wait")
                await shop.both_left.wait()
            assert sorted(shop.left) == ["/stream", "/wait"]
            opened.drain()

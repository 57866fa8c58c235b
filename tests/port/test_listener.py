"""The listener on real loopback sockets: it serves, drains and says when its port is taken."""

from __future__ import annotations

from functools import partial

import pytest
import trio

from orchestrator.port.listener import OpenPort, PortTaken, open_port, serve_port
from orchestrator.port.messages import Request, Response

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def answer(request: Request) -> Response:
    """Say who asks."""
    return Response(200, {}, request.peer.encode())


async def no_upgrade(stream: trio.abc.Stream, request: Request) -> Response | None:
    """Take none."""
    return Response.refusal(404)


serve = partial(serve_port, host="127.0.0.1", answer=answer, upgrade=no_upgrade)


async def test_it_serves_many_and_drains() -> None:
    """Connections are served beside each other; a drain closes the idle ones and ends the serving."""
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            opened: OpenPort = await nursery.start(partial(serve, port=0))
            peers = [await trio.open_tcp_stream("127.0.0.1", opened.number) for _ in range(3)]
            for peer in peers:
                await peer.send_all(GET)
                assert (await peer.receive_some()).endswith(b"127.0.0.1")
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

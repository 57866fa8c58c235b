"""The HTTP bridge over memory streams: what a peer gets, whatever it sends and however slowly."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, lockstep_stream_pair, memory_stream_pair
from trio_websocket import wrap_server_stream
from websockets.trio.client import connect

from orchestrator.port.bridge import serve_connection
from orchestrator.port.messages import Request, Response
from tests.port.peers import LIMITS, bridged, echo, read_all, read_until_end, refuse


async def websocket_echo(stream: trio.abc.Stream, request: Request) -> Response | None:
    """Take an upgrade with trio-websocket and say one message back, with the path."""
    async with trio.open_nursery() as nursery:
        socket = await (await wrap_server_stream(nursery, stream)).accept()
        await socket.send_message(f"{request.path} {await socket.get_message()!r}")
        await socket.aclose()
    return None


async def test_requests_on_one_connection_are_answered_in_turn(autojump_clock: MockClock) -> None:
    """Pipelined requests get their answers in order, with path, query, body and headers as sent."""
    async with bridged() as peer:
        await peer.send_all(b"GET /a%20b?x=1&y=%202 HTTP/1.1\r\nHost: a\r\nX-It: one\r\nX-It: two\r\n\r\n")
        await peer.send_all(b"POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /d HTT")
        await peer.send_all(b"P/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        first, second, third = await read_all(peer)
    assert json.loads(first[1]) == {
        "method": "GET",
        "path": "/a b",
        "query": {"x": "1", "y": " 2"},
        "peer": "10.0.0.1",
        "body": "",
        "x": ["one", "two"],
    }
    assert (json.loads(second[1])["method"], json.loads(second[1])["body"]) == ("POST", "hello")
    assert json.loads(third[1])["path"] == "/d"
    assert [answer[2] for answer in (first, second, third)] == [False, False, True]


async def test_a_chunked_body_arrives_whole(autojump_clock: MockClock) -> None:
    """Chunks are put together."""
    async with bridged() as peer:
        await peer.send_all(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        for chunk in (b"3\r\nabc\r\n", b"2\r\nde\r\n", b"0\r\n\r\n"):
            await peer.send_all(chunk)
        [(status, body, _)] = await read_all(peer)
    assert (status, json.loads(body)["body"]) == (200, "abcde")


async def test_head_is_answered_without_a_body(autojump_clock: MockClock) -> None:
    """HEAD gets the head of the same answer."""
    async with bridged() as peer:
        await peer.send_all(b"HEAD / HTTP/1.0\r\n\r\n")
        data = await read_until_end(peer)
    assert data.startswith(b"HTTP/1.1 200 OK\r\n")
    assert data.endswith(b"\r\n\r\n")
    assert b"content-length: " in data


async def test_a_peer_that_expects_to_be_asked_is_asked(autojump_clock: MockClock) -> None:
    """`Expect: 100-continue` gets its 100 before the body is sent; any other expectation a 417."""
    async with bridged() as peer:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n"
        await peer.send_all(head)
        assert bytes(await peer.receive_some()).startswith(b"HTTP/1.1 100 ")
        await peer.send_all(b"ok")
        [(status, body, _)] = await read_all(peer)
    assert (status, json.loads(body)["body"]) == (200, "ok")
    async with bridged() as peer:
        await peer.send_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: miracles\r\n\r\n")
        assert [answer[0] for answer in await read_all(peer)] == [417]


UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", None),
        (b"rubbish\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 980 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 6000 + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2001\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d1\r\n" + b"x" * 2001, 413),
        (UPGRADE + b"Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: k\r\n\r\n", 426),
        (UPGRADE + b"Sec-WebSocket-Version: 13\r\n\r\n", 400),
        (UPGRADE + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: k\r\n\r\n", 403),
        (b"GET /broken HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 500),
    ],
)
async def test_what_cannot_be_served_gets_an_error_and_an_end(
    autojump_clock: MockClock, data: bytes, status: int | None
) -> None:
    """Rubbish, large heads and bodies, and wrong upgrades get the status that says so; then the connection closes."""
    async with bridged() as peer:
        await peer.send_all(data)
        await peer.send_eof()
        answers = await read_all(peer)
    assert [answer[0] for answer in answers] == [status or 400]
    assert answers[0][2]
    assert "error" in json.loads(answers[0][1])


@pytest.mark.parametrize(
    ("data", "seconds", "statuses"),
    [
        (b"", 60, []),
        (b"GET / HTTP/1.1\r\nHost:", 10, [408]),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel", 30, [408]),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 60, [200]),
    ],
)
async def test_a_slow_peer_is_not_waited_for(
    autojump_clock: MockClock, data: bytes, seconds: float, statuses: list[int]
) -> None:
    """Nothing at all, half a head, half a body, nothing more: each has its time, then the connection ends."""
    async with bridged() as peer:
        began = trio.current_time()
        if data:
            await peer.send_all(data)
        assert [answer[0] for answer in await read_all(peer)] == statuses
        # a refused peer is listened to a little longer, in case its answer is still on the way
        assert seconds <= trio.current_time() - began <= seconds + 1.001


async def test_a_peer_that_reads_nothing_is_dropped(autojump_clock: MockClock) -> None:
    """A send that nobody takes ends after its time, and the connection with it."""
    near, far = lockstep_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(near.send_all, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        began = trio.current_time()
        await serve_connection(far, peer="", app=echo, upgrade=refuse, limits=LIMITS)
        assert trio.current_time() - began == pytest.approx(5)


async def test_draining_ends_connections_with_their_exchange(autojump_clock: MockClock) -> None:
    """An idle connection is closed at once; an answer that is under way is its connection's last."""
    draining = trio.Event()
    async with bridged(draining=draining) as idle, bridged(draining=draining) as busy:
        await busy.send_all(b"GET / HTTP/1.1\r\n")
        await trio.sleep(1)
        draining.set()
        assert await read_all(idle) == []
        await busy.send_all(b"Host: a\r\n\r\n")
        [(status, _, last)] = await read_all(busy)
    assert (status, last) == (200, True)


async def test_an_upgrade_is_taken_from_its_first_byte(autojump_clock: MockClock) -> None:
    """A WebSocket library on each side speaks through the bridge; an exchange before it does not disturb."""
    near, far = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: serve_connection(far, peer="", app=echo, upgrade=websocket_echo))
        await near.send_all(b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"/first" in await near.receive_some()
        async with connect("ws://here/talk", stream=near, proxy=None, compression=None) as socket:
            await socket.send("hello")
            assert await socket.recv() == "/talk 'hello'"


async def test_a_failing_taker_ends_its_connection_only(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The failure is logged, and nothing but the end of the stream reaches the peer."""

    async def fail(stream: trio.abc.Stream, request: Request) -> Response | None:
        raise ValueError("broken")

    near, far = memory_stream_pair()
    await near.send_all(UPGRADE + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: k\r\n\r\n")
    await serve_connection(far, peer="", app=echo, upgrade=fail)
    assert await near.receive_some() == b""
    assert [record.levelname for record in caplog.records] == ["ERROR"]


# --- whatever comes ---

BITS = [b"GET ", b"POST ", b"/ HTTP/1.1", b"\r\n", b"\r\n\r\n", b"Host: a", b"Content-Length: 3", b"abc", b"\x00\xff"]
BITS += [b"Transfer-Encoding: chunked", b"3\r\nabc\r\n", b"0\r\n\r\n", b"Upgrade: websocket", b"Connection: upgrade"]


@given(st.lists(st.sampled_from(BITS) | st.binary(max_size=20), max_size=20))
@settings(max_examples=150, deadline=None)
def test_whatever_a_peer_sends_the_bridge_ends_quietly(pieces: list[bytes]) -> None:
    """No exception comes out, and every byte that goes back is part of a well-formed answer."""

    async def main() -> None:
        async with bridged() as peer:
            with suppress(trio.BrokenResourceError):  # it may have had enough before we are done
                for piece in filter(None, pieces):
                    await peer.send_all(piece)
                await peer.send_eof()
            assert all(200 <= status < 500 for status, _, _ in await read_all(peer))

    trio.run(main, clock=MockClock(autojump_threshold=0))


WHOLE = [b"GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n", b"POST /d HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\nGET / H"]
WHOLE += [b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n"]
WHOLE += [b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000]


@given(st.lists(st.sampled_from(WHOLE) | st.sampled_from(BITS), min_size=1, max_size=8), st.data())
@settings(max_examples=100, deadline=None)
def test_how_bytes_are_split_changes_nothing(requests: list[bytes], data: st.DataObject) -> None:
    """The same bytes get the same answers, whether they come at once or in any pieces, as fast or as slow as may be."""
    sent = b"".join(requests)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(len(sent) - 1, 1)), max_size=30)))
    pauses = data.draw(st.lists(st.sampled_from([0.0, 0.1]), min_size=len(cuts) + 1, max_size=len(cuts) + 1))
    pieces = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]

    async def answered(pieces: list[bytes]) -> bytes:
        async with bridged() as peer:
            with suppress(trio.BrokenResourceError):  # it may have had enough before we are done
                for piece, pause in zip(filter(None, pieces), pauses, strict=False):
                    await peer.send_all(piece)
                    await trio.sleep(pause)
                await peer.send_eof()
            return await read_until_end(peer)

    at_once = trio.run(answered, [sent], clock=MockClock(autojump_threshold=0))
    assert trio.run(answered, pieces, clock=MockClock(autojump_threshold=0)) == at_once

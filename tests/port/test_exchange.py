"""Bodies in pieces, both ways: what an ASGI app receives of a request, and what a peer gets of an answer."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import pytest
import trio
from trio.testing import MockClock, lockstep_stream_pair

from orchestrator.port.bridge import serve_connection
from orchestrator.port.messages import Receive, Scope, Send
from tests.port.peers import (
    CHUNKED,
    GET,
    LIMITS,
    POST,
    Recorder,
    answer_late,
    answers_in,
    bridged,
    echo,
    listen,
    now,
    piece,
    read_all,
    read_until_end,
    refuse,
    start,
    tick,
    whole_body,
)

# --- answers in pieces ---


async def test_an_answer_arrives_piece_by_piece(autojump_clock: MockClock) -> None:
    """Each piece is at the peer when it is sent, the head with the first, chunked; the connection goes on."""
    async with bridged(tick) as peer:
        pieces: list[tuple[float, bytes]] = []
        await peer.send_all(GET)
        while not pieces or pieces[-1][1] != b"0\r\n\r\n":
            data = bytes(await peer.receive_some())
            pieces.append((now(), data))
        assert pieces[0][1].startswith(b"HTTP/1.1 200 OK\r\n")
        assert pieces[0][1].endswith(b"Transfer-Encoding: chunked\r\n\r\n1\r\n0\r\n")
        assert [data for _, data in pieces[1:]] == [b"1\r\n1\r\n", b"1\r\n2\r\n", b"0\r\n\r\n"]
        assert [when for when, _ in pieces] == [0, 1, 2, 3]
        await peer.send_all(GET.replace(b"a\r\n", b"a\r\nConnection: close\r\n", 1))
        assert [answer[:2] for answer in await read_all(peer)] == [(200, b"012")]


async def test_an_empty_piece_sends_the_head_alone(autojump_clock: MockClock) -> None:
    """A peer can be told that its answer has begun before there is any."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(202, x_it="y"))
        await send(piece(b""))
        await trio.sleep(9)
        await send(piece(b"z", more=False))

    async with bridged(app) as peer:
        await peer.send_all(GET)
        head = bytes(await peer.receive_some())
        assert head.startswith(b"HTTP/1.1 202 ")
        assert b"x-it: y" in head
        assert head.endswith(b"\r\n\r\n")
        assert bytes(await peer.receive_some()) == b"1\r\nz\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("request_line", "status", "end"),
    [
        (b"GET / HTTP/1.0", 200, b"\r\n\r\n012"),
        (b"HEAD / HTTP/1.1", 200, b"\r\n\r\n"),
        (b"GET / HTTP/1.1", 204, b"\r\n\r\n"),
    ],
)
async def test_a_body_is_framed_as_the_peer_understands_it(
    autojump_clock: MockClock, request_line: bytes, status: int, end: bytes
) -> None:
    """HTTP/1.0 reads to the connection's end; HEAD and 204 have no body, whatever the app sends."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(status, transfer_encoding="gzip"))
        for number in range(3):
            await send(piece(b"%d" % number))
        await send(piece(b"", more=False))

    async with bridged(app) as peer:
        await peer.send_all(request_line + b"\r\nHost: a\r\nConnection: close\r\n\r\n")
        data = await read_until_end(peer)
    assert data.startswith(b"HTTP/1.1 %d " % status)
    assert data.count(b"\r\n\r\n") == 1
    assert data.endswith(end)
    assert b"gzip" not in data


async def test_a_large_answer_has_its_time_for_each_part(autojump_clock: MockClock) -> None:
    """A peer that takes a megabyte in a minute is served, though one send has five seconds."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(content_length="1000000"))
        await send(piece(b"x" * 1_000_000, more=False))

    near, far = lockstep_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(serve_connection, far, peer="", app=app, upgrade=refuse, limits=LIMITS))
        await near.send_all(GET)
        data = b""
        while not data.endswith(b"x" * 1_000_000):
            await trio.sleep(4)
            data += bytes(await near.receive_some())
        await near.aclose()


# --- requests in pieces ---


async def test_a_body_arrives_piece_by_piece(autojump_clock: MockClock) -> None:
    """The app has each piece when it was sent, and `more_body` until the end."""
    got: list[tuple[float, bytes, bool]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            got.append((now(), message["body"], more))
        await send(start(204))
        await send(piece(b"", more=False))

    async with bridged(app) as peer:
        await peer.send_all(CHUNKED)
        for chunk in (b"1\r\na\r\n", b"2\r\nbc\r\n", b"1\r\nd\r\n0\r\n\r\n"):
            await peer.send_all(chunk)
            await trio.sleep(1)
        assert bytes(await peer.receive_some()).startswith(b"HTTP/1.1 204 ")
    assert got == [(0, b"a", True), (1, b"bc", True), (2, b"d", False)]


@pytest.mark.parametrize(
    ("sent", "status", "seconds"),
    [
        (CHUNKED + b"7d1\r\n" + b"x" * 2001, 413, 0),
        (CHUNKED + b"3\r\nabc\r\n", 408, 30),
        (CHUNKED + b"rubbish\r\n", 400, 0),
    ],
)
async def test_a_bad_body_is_refused_and_the_app_is_told(
    autojump_clock: MockClock, sent: bytes, status: int, seconds: float
) -> None:
    """Too long, too slow, malformed: the peer gets the status and an end, the app `http.disconnect`; its send fails."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await listen(scope, receive, send)
        await trio.sleep(2)
        await echo(scope, receive, send)

    recorder = Recorder(app)
    async with bridged(recorder) as peer:
        await peer.send_all(sent)
        answer = bytes(await peer.receive_some())
        assert now() == seconds
        assert [(said, last) for said, _, last in answers_in(answer + await read_until_end(peer))] == [(status, True)]
    assert recorder.received[-2] == (seconds, "disconnect")
    assert recorder.ended == [(seconds + 2, ConnectionError)]


async def test_only_waiting_for_the_body_counts(autojump_clock: MockClock) -> None:
    """An app that takes its time between pieces does not shorten its peer's; a peer's waits add up."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(ConnectionError):
            await whole_body(receive, pause=100)

    recorder = Recorder(app)
    async with bridged(recorder) as peer:
        await peer.send_all(CHUNKED + b"1\r\na\r\n")
        await trio.sleep(220)  # the app looks again at 200: 20 s were waited
        await peer.send_all(b"1\r\nb\r\n")
        assert [answer[0] for answer in await read_all(peer)] == [408]
    assert recorder.ended == [(220 + 100 + 10, None)]


async def test_a_body_that_nobody_asked_for_is_read_past(autojump_clock: MockClock) -> None:
    """After an answer that needed no body the next request is served, unless the body is over its limit."""
    body = b"7d0\r\n" + b"x" * 2000 + b"\r\n"
    async with bridged(answer_late) as peer:
        await peer.send_all(CHUNKED + body + b"0\r\n\r\n" + GET + CHUNKED + body + body + b"0\r\n\r\n" + GET)
        assert [answer[:2] for answer in await read_all(peer)] == [(200, b"ok")] * 3


async def test_a_peer_that_waits_to_be_asked_is_asked_only_by_the_app(autojump_clock: MockClock) -> None:
    """Until it asks there is no 100; without one its answer is the connection's last: nobody knows what follows."""
    waiting = POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    async with bridged(answer_late) as peer:
        await peer.send_all(waiting)
        data = await read_until_end(peer)
        assert data.startswith(b"HTTP/1.1 200 ")
        assert answers_in(data) == [(200, b"ok", True)]

    async def ask_late(scope: Scope, receive: Receive, send: Send) -> None:
        await trio.sleep(5)
        await echo(scope, receive, send)

    async with bridged(ask_late) as peer:
        began = now()
        await peer.send_all(waiting)
        assert bytes(await peer.receive_some()).startswith(b"HTTP/1.1 100 ")
        assert now() == began + 5
        await peer.send_all(b"ok")
        assert bytes(await peer.receive_some()).startswith(b"HTTP/1.1 200 ")

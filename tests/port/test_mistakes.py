"""What becomes of an ASGI app's mistakes, and of an app that is cancelled."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, lockstep_stream_pair

from orchestrator.port.bridge import serve_connection
from orchestrator.port.messages import App, Receive, Scope, Send
from tests.port.peers import (
    GET,
    LIMITS,
    Recorder,
    answer_late,
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
)

# --- the app's mistakes ---


async def fail_at_once(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail before anything was sent, though the answer was begun."""
    await send(start(content_length="5"))
    raise ValueError("on purpose")


async def say_nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Return without an answer."""


async def begin_twice(scope: Scope, receive: Receive, send: Send) -> None:
    """Begin an answer two times."""
    await send(start())
    await send(start())


async def body_first(scope: Scope, receive: Receive, send: Send) -> None:
    """Send a body without its beginning."""
    await send(piece(b"x"))


async def bad_header(scope: Scope, receive: Receive, send: Send) -> None:
    """Send a header that is two."""
    await send(start(x_it="a\r\nb: c"))


@pytest.mark.parametrize("app", [fail_at_once, say_nothing, begin_twice, body_first, bad_header])
async def test_a_failure_before_anything_was_sent_is_a_500(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, app: App
) -> None:
    """It is logged, and the connection serves on."""
    async with bridged(app) as peer:
        await peer.send_all(GET + GET)
        await peer.send_eof()
        assert [(status, last) for status, _, last in await read_all(peer)] == [(500, False)] * 2
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 2


async def fail_in_the_middle(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail with half the answer sent."""
    await send(start())
    await send(piece(b"half"))
    raise ValueError("on purpose")


async def stop_in_the_middle(scope: Scope, receive: Receive, send: Send) -> None:
    """Return with half the answer sent."""
    await send(start())
    await send(piece(b"half"))


async def too_little(scope: Scope, receive: Receive, send: Send) -> None:
    """Send less than was announced."""
    await send(start(content_length="10"))
    await send(piece(b"half"))
    await send(piece(b"", more=False))


async def too_much(scope: Scope, receive: Receive, send: Send) -> None:
    """Send more than was announced."""
    await send(start(content_length="4"))
    await send(piece(b"half"))
    await send(piece(b"x"))


@pytest.mark.parametrize("app", [fail_in_the_middle, stop_in_the_middle, too_little, too_much])
async def test_a_failure_in_the_middle_ends_the_connection_at_once(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, app: App
) -> None:
    """No proper end of the body is sent: the peer sees that its answer is broken."""
    async with bridged(app) as peer:
        await peer.send_all(GET + GET)
        data = await read_until_end(peer)
        assert now() == 0
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert body in (b"4\r\nhalf\r\n", b"half")
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.parametrize("sent", [b"", b"half"])
async def test_an_app_may_cut_its_connection(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    """ConnectionAbortedError ends it at once, before or in the middle of an answer, and nothing is logged as failed."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if sent:
            await send(start())
            await send(piece(sent))
        raise ConnectionAbortedError("on purpose")

    async with bridged(app) as peer:
        await peer.send_all(GET + GET)
        data = await read_until_end(peer)
        assert now() == 0
    assert data.endswith(sent and b"4\r\nhalf\r\n")
    assert data.count(b"HTTP/1.1") == bool(sent)
    assert caplog.records == []


async def test_a_failure_behind_the_answer_is_only_logged(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The peer has its answer and is served on."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await echo(scope, receive, send)
        await send(piece(b"more"))

    async with bridged(app) as peer:
        await peer.send_all(GET + GET)
        await peer.send_eof()
        assert [answer[0] for answer in await read_all(peer)] == [200, 200]
    assert ["out of order" in (record.exc_text or "") for record in caplog.records] == [True, True]


async def test_a_send_that_the_app_cuts_off_ends_the_connection(autojump_clock: MockClock) -> None:
    """Nobody knows how much of it went out: nothing is sent behind it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(content_length="6"))
        with trio.move_on_after(2):
            await send(piece(b"abc"))
        await trio.sleep(1)
        await send(piece(b"def", more=False))

    recorder = Recorder(app)
    near, far = lockstep_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(near.send_all, GET)
        await serve_connection(far, peer="", app=recorder, upgrade=refuse, limits=LIMITS)
    [(when, failure)] = recorder.ended
    assert when == 3
    assert failure is not None
    assert issubclass(failure, OSError)


@pytest.mark.parametrize("app", [tick, listen, answer_late])
async def test_a_cancel_reaches_everything_at_once(autojump_clock: MockClock, app: App) -> None:
    """Whether it sends to a peer that takes nothing, listens or sleeps: no time passes."""
    recorder = Recorder(app)
    near, far = lockstep_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(near.send_all, GET)
        with trio.move_on_after(2) as scope:
            await serve_connection(far, peer="", app=recorder, upgrade=refuse, limits=LIMITS)
        assert scope.cancelled_caught
        assert recorder.ended == [(2, trio.Cancelled)]
        assert now() == 2

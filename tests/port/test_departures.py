"""A peer's end as an ASGI app sees it: leaving, listening no more, ending its own side, and sending ahead."""

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
    Recorder,
    answer_late,
    answers_in,
    bridged,
    listen,
    now,
    read_all,
    read_until_end,
    refuse,
    tick,
    whole_body,
)


async def test_a_peer_that_leaves_in_the_middle_ends_the_stream(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The next send raises OSError; that is no failure of ours."""
    recorder = Recorder(tick)
    async with bridged(recorder) as peer:
        await peer.send_all(GET)
        await trio.sleep(0.5)
        await peer.aclose()
    [(when, failure)] = recorder.ended
    assert when == 1
    assert failure is not None
    assert issubclass(failure, OSError)
    assert caplog.records == []


@pytest.mark.parametrize("behind", [b"", GET])
async def test_an_app_that_only_listens_is_told(autojump_clock: MockClock, behind: bytes) -> None:
    """`http.disconnect` comes when the peer leaves, also when it had sent another request ahead."""
    recorder = Recorder(listen)
    async with bridged(recorder) as peer:
        await peer.send_all(GET + behind)
        await trio.sleep(7)
        assert recorder.received == [(0, "request")]
        await peer.aclose()
    assert recorder.received[1] == (7, "disconnect")


async def test_a_peer_that_leaves_within_its_body_is_told_of(autojump_clock: MockClock) -> None:
    """The app doesn't wait for the rest."""
    recorder = Recorder(listen)
    async with bridged(recorder) as peer:
        await peer.send_all(CHUNKED + b"3\r\nabc\r\n")
        await trio.sleep(1)
        await peer.aclose()
    assert [kind for _, kind in recorder.received] == ["request", "disconnect"]


async def test_after_the_answer_receive_says_disconnect(autojump_clock: MockClock) -> None:
    """A listener beside the answer ends with it, and the connection goes on."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen, scope, receive, send)
            await tick(scope, receive, send)

    recorder = Recorder(app)
    async with bridged(recorder) as peer:
        await peer.send_all(GET + GET)
        await peer.send_eof()
        assert len(await read_all(peer)) == 2
    assert [round(when) for when, _ in recorder.ended] == [3, 6]


async def test_a_peer_that_ended_its_own_side_is_still_answered(autojump_clock: MockClock) -> None:
    """A half-closed peer may read on: nothing is withheld from it."""
    async with bridged(tick) as peer:
        await peer.send_all(GET)
        await peer.send_eof()
        assert [answer[:2] for answer in await read_all(peer)] == [(200, b"012")]


async def test_a_peer_that_stops_reading_is_dropped(autojump_clock: MockClock) -> None:
    """After its time for one send the app is told by both its channels, and the connection ends."""
    told: list[tuple[str, float]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def listening() -> None:
            await listen(scope, receive, send)
            told.append(("receive", now()))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(listening)
            try:
                await tick(scope, receive, send)
            except OSError:
                told.append(("send", now()))

    near, far = lockstep_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(near.send_all, GET)
        await serve_connection(far, peer="", app=app, upgrade=refuse, limits=LIMITS)
    assert sorted(told) == [("receive", 5), ("send", 5)]


async def test_what_is_sent_behind_a_stream_waits_its_turn(autojump_clock: MockClock) -> None:
    """Requests sent while another is answered are kept and served in order."""
    async with bridged(tick) as peer:
        await peer.send_all(GET)
        for _ in range(3):
            await trio.sleep(0.7)
            await peer.send_all(GET[:10])
            await peer.send_all(GET[10:])
        await peer.send_eof()
        assert [answer[:2] for answer in await read_all(peer)] == [(200, b"012")] * 4


async def test_only_so_much_is_kept_of_what_is_sent_ahead(autojump_clock: MockClock) -> None:
    """Behind as many bytes as a head may have nothing more is read until the answer is complete."""
    near, far = lockstep_stream_pair()
    taken: list[float] = []

    async def flood() -> None:
        with suppress(trio.ClosedResourceError):  # it is refused in the end
            for _ in range(3):
                await near.send_all(b"x" * LIMITS.head_bytes)
                taken.append(now())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await whole_body(receive)
        await answer_late(scope, receive, send)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(serve_connection, far, peer="", app=app, upgrade=refuse, limits=LIMITS))
        await near.send_all(GET)
        nursery.start_soon(flood)
        data = await read_until_end(near)
        await near.aclose()
    assert [answer[0] for answer in answers_in(data)] == [200, 431]
    assert taken[0] == 0
    assert taken[1] == 10

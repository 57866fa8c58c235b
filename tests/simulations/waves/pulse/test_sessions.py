"""Sessions with Pulse: who is let in, what keeps a session, and what ends it."""

from __future__ import annotations

import json
import tracemalloc

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair
from websockets.exceptions import InvalidStatus

from orchestrator.audio import silence
from simulations.waves.pulse.sessions import MOST_SESSIONS
from simulations.waves.pulse.socket import IDLE_MESSAGE
from tests.simulations.waves.pulse.peer import (
    LINES,
    LIVE,
    RATE,
    Served,
    frames_to_the_end,
    next_frame,
    send_sound,
    signal,
    speech,
)


async def test_keepalives_are_answered_and_unknown_signals_pass(autojump_clock: MockClock) -> None:
    """A session with keep-alives outlives the idle time-out."""
    async with Served().dialled() as socket:
        for _ in range(5):
            await trio.sleep(20.0)
            await signal(socket, "keepalive")
            assert await next_frame(socket) == {"type": "pong"}
        for passed in ('{"flag": "END"}', "[]", "null", '{"type": ["finalize"]}'):
            await socket.send(passed)
        await signal(socket, "finalize")
        assert (await next_frame(socket))["from_finalize"]


async def test_an_idle_session_is_closed(autojump_clock: MockClock) -> None:
    """After 30 s without a message it is told and closed."""
    async with Served().dialled() as socket:
        assert await frames_to_the_end(socket) == [{"type": "error", "status": "error", "message": IDLE_MESSAGE}]
        assert trio.current_time() >= 30.0
        assert socket.close_code == 1000


@pytest.mark.parametrize("text", ["", "hello", "[" * 100_000])
async def test_text_that_is_no_signal_ends_the_session(autojump_clock: MockClock, text: str) -> None:
    """An error frame comes before the close."""
    async with Served().dialled() as socket:
        await socket.send(text)
        (frame,) = await frames_to_the_end(socket)
        assert (frame["type"], socket.close_code) == ("error", 1007)


async def test_one_session_too_many_is_closed_with_1008(autojump_clock: MockClock) -> None:
    """Session 101 is let in, told and closed; when one has gone there is room again."""
    served = Served()
    async with trio.open_nursery() as nursery:
        leave = trio.Event()

        async def stay() -> None:
            async with served.dialled():
                await leave.wait()

        for _ in range(MOST_SESSIONS):
            nursery.start_soon(stay)
        await trio.sleep(0.1)
        async with served.dialled() as socket:
            (frame,) = await frames_to_the_end(socket)
            assert (frame["type"], socket.close_code) == ("error", 1008)
        leave.set()
    async with served.dialled() as socket:
        await signal(socket, "keepalive")
        assert await next_frame(socket) == {"type": "pong"}
    assert (served.counts["max_open"], served.counts["refused"]) == (MOST_SESSIONS, 1)


@pytest.mark.parametrize(
    ("query", "message", "errors"),
    [
        ({"model": "pulse-pro"}, "Invalid model query parameter.", "no streaming transport"),
        ({"model": "whisper"}, "Invalid model query parameter.", "received 'whisper'"),
        ({"sample_rate": "11025"}, "Invalid query parameters.", "sample_rate"),
        ({"encoding": "opus"}, "Invalid query parameters.", "not supported by this simulation"),
    ],
)
async def test_a_wrong_query_is_refused_before_the_upgrade(
    autojump_clock: MockClock, query: dict[str, str], message: str, errors: str
) -> None:
    """HTTP 400 with the body that was seen live; no session is counted."""
    served = Served()
    with pytest.RaisesGroup(pytest.RaisesExc(InvalidStatus)) as caught:
        async with served.dialled(**query):
            pass
    error = caught.value.exceptions[0]
    assert isinstance(error, InvalidStatus)
    body = json.loads(error.response.body)
    assert (error.response.status_code, body["status"], body["message"]) == (400, "error", message)
    assert errors in body["errors"]
    assert served.counts["opened"] == 0


async def test_sessions_are_no_sockets_of_speech(autojump_clock: MockClock) -> None:
    """The books of speech, with their few sockets, know nothing of them; each begins the script anew."""
    served = Served(links=1)
    async with served.dialled() as first, served.dialled() as second:
        for socket in (first, second):
            await send_sound(socket, speech(1.0))
            await signal(socket, "close_stream")
            assert (await frames_to_the_end(socket))[-1]["transcript"] == LINES[0]
    assert served.provider.accounts.first.books.opened == 0


async def test_silence_is_not_kept(autojump_clock: MockClock) -> None:
    """A caller who says nothing for long costs no memory."""
    async with Served().dialled() as socket:
        await socket.send(silence(1.0, RATE))
        await trio.sleep(1.0)
        tracemalloc.start()
        for _ in range(200):
            await socket.send(silence(1.0, RATE))
        await trio.sleep(1.0)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert kept < 1_000_000


@pytest.mark.parametrize(
    "after",
    [b"", b"\x82", b"\xff" * 1000, b"\x82\xfe\xff\xff" + bytes(1000), b"\x82\xff" + b"\x7f" * 8 + bytes(100)],
    ids=["leaves", "half a frame", "no frames", "half a message", "an enormous message"],
)
async def test_a_client_that_misbehaves_ends_its_own_session_only(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, after: bytes
) -> None:
    """Whatever comes after the upgrade, nothing is raised or logged, and the session is counted out."""
    served = Served()
    near, far = memory_stream_pair()
    head = (
        f"GET {LIVE}?model=pulse HTTP/1.1\r\nHost: waves\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(served.serve, far)
        await near.send_all(head.encode())
        assert b" 101 " in await near.receive_some(4096)
        await near.send_all(after)
        await trio.sleep(1.0)
        await near.aclose()
    assert (served.counts["sessions"], served.counts["opened"]) == (0, 1)
    assert not caplog.records

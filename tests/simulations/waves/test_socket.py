"""One socket at the simulated Waves provider: how it ends, what it refuses, and what the books say of it."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, lockstep_stream_pair
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK
from websockets.trio.client import connect

from orchestrator.ports import Spoken
from simulations.voices import Wanted
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer
from tests.simulations.waves.peer import (
    LIVE,
    OLDER,
    TEN,
    ask,
    dialled,
    frames_until,
    next_frame,
    provider,
    spelling_voice,
)

# --- the end of a socket ---


async def test_complete_closes_the_socket_by_default(autojump_clock: MockClock) -> None:
    """After a lone request's `complete` the server closes with 1000; with the option off the socket serves on."""
    server = WavesServer(WavesOptions(), spelling_voice)
    async with dialled(server) as socket:
        await socket.send(ask(TEN))
        await frames_until(socket)
        with pytest.raises(ConnectionClosedOK) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000
    assert server.snapshot()["sockets"] == 0
    async with dialled(provider()) as socket:
        for _ in range(3):
            await socket.send(ask(TEN))
            await frames_until(socket)


@pytest.mark.parametrize(("path", "seconds"), [(LIVE, 60), (LIVE + "?timeout=5", 5), (OLDER + "?timeout=999", 999)])
async def test_an_idle_socket_is_told_and_closed(autojump_clock: MockClock, path: str, seconds: int) -> None:
    """Without a message for the time-out: the documented error frame, then the close."""
    server = provider()
    async with dialled(server, path=path) as socket:
        began = trio.current_time()
        frame = await next_frame(socket)
        assert trio.current_time() - began == pytest.approx(seconds)
        message = f"Connection timed out after {seconds} seconds of inactivity"
        assert frame == {"status": "error", "message": message}
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    assert server.snapshot()["errors"] == 1


async def test_a_request_whose_socket_goes_away_settles(autojump_clock: MockClock) -> None:
    """The slot is freed `settle` seconds after the socket went away; until then others are refused."""
    server = provider(settle=0.5)
    async with dialled(server) as socket, dialled(server) as other:
        await socket.send(ask(TEN))
        await next_frame(socket)
        await socket.aclose()
        gone = trio.current_time()
        await trio.sleep(0.4)
        assert server.snapshot()["in_flight"] == 1
        await other.send(ask(TEN))
        assert (await next_frame(other))["message"] == "Concurrency limit reached"
        await trio.sleep_until(gone + 0.51)
        assert server.snapshot()["in_flight"] == 0
        await other.send(ask(TEN))
        assert (await next_frame(other))["status"] == "chunk"
        await frames_until(other)
    books = server.snapshot()
    assert (books["requests"], books["abandoned"], books["completed"]) == (2, 1, 1)


# --- limits ---


async def test_one_too_many_is_refused_with_an_error_and_nothing_else(autojump_clock: MockClock) -> None:
    """Over all sockets no more than `slots` are in flight; the refused socket stays open and may ask again."""
    server = provider(slots=2)
    async with dialled(server) as one, dialled(server) as two, dialled(server, path=OLDER) as three:
        await one.send(ask(TEN))
        await two.send(ask(TEN))
        await trio.sleep(0.01)
        await three.send(ask(TEN))
        assert await next_frame(three) == {"status": "error", "message": "Concurrency limit reached"}
        await frames_until(one)
        await frames_until(two)
        await three.send(ask(TEN))
        assert (await next_frame(three))["status"] == "chunk"
        await frames_until(three)
    books = server.snapshot()
    assert (books["max_in_flight"], books["refused_concurrency"], books["requests"]) == (2, 1, 3)
    assert books["errors"] == 0
    assert (books["words_asked"], books["characters_asked"], books["audio_seconds"]) == (6, 30, 1.5)


async def test_complete_leaves_the_slot_free_for_whoever_reads_it(autojump_clock: MockClock) -> None:
    """A client that asks again the moment it read `complete`, on any socket, is never refused."""
    server = provider()
    async with dialled(server) as one, dialled(server) as two:
        for socket in (one, two) * 10:
            await socket.send(ask("abc"))
            await frames_until(socket)
    assert server.snapshot()["refused_concurrency"] == 0


# --- what is wrong ---


@pytest.mark.parametrize(
    ("message", "path"),
    [
        (ask(None), ["text"]),
        (ask(TEN, voice_id=None), ["voice_id"]),
        (ask(TEN, sample_rate=12345), ["sample_rate"]),
        (ask(TEN, context_id="c", flush=True), ["context_id"]),
        ("not JSON", []),
        (b"\x00\x01", []),
    ],
)
async def test_a_wrong_request_gets_its_issues_and_no_slot(
    autojump_clock: MockClock, message: str | bytes, path: list[str]
) -> None:
    """A wrong request is answered with an error frame that names the field; the socket serves on."""
    server = provider()
    async with dialled(server) as socket:
        await socket.send(message)
        frame = await next_frame(socket)
        assert (frame["status"], frame["message"]) == ("error", "Invalid input data")
        assert frame["errors"][0]["path"] == path
        await socket.send(ask(TEN, surprise={"unknown": 1}))
        await frames_until(socket)
    books = server.snapshot()
    assert (books["errors"], books["requests"], books["completed"]) == (1, 1, 1)


async def test_a_voice_that_fails_is_an_error_frame(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The request ends with an error and frees its slot; the next one is served."""
    failures = [ValueError("no voice today")]

    async def hoarse(wanted: Wanted) -> Spoken:
        if failures:
            raise failures.pop()
        return await spelling_voice(wanted)

    server = WavesServer(WavesOptions(), hoarse)
    async with dialled(server) as socket:
        await socket.send(ask(TEN))
        assert (await next_frame(socket))["status"] == "error"
        assert server.snapshot()["in_flight"] == 0
        await socket.send(ask(TEN))
        await frames_until(socket)
    assert server.snapshot()["errors"] == 1
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["the voice failed"]


async def test_a_client_that_reads_nothing_loses_its_socket(autojump_clock: MockClock) -> None:
    """A frame that nobody takes within the time ends the socket; the slot settles and is free."""
    server = provider(send_within=3.0, settle=0.5)
    near, far = lockstep_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve_stream, far)
        async with connect(f"ws://waves{LIVE}", stream=near, proxy=None, compression=None, max_queue=1) as socket:
            await socket.send(ask(TEN))
            await trio.sleep(3.0)
            assert server.snapshot()["sockets"] == 1
            await trio.sleep(0.4)
            assert server.snapshot()["sockets"] == 0
            assert server.snapshot()["in_flight"] == 1
            await trio.sleep(0.4)
            # the client library would wait for ever: it neither reads on nor sees that the stream is broken
            nursery.cancel_scope.cancel()
    books = server.snapshot()
    assert (books["in_flight"], books["sockets"], books["abandoned"]) == (0, 0, 1)

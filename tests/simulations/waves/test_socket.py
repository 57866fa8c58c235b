"""One socket at the simulated Waves provider: how it ends, what it refuses, and what the books say of it."""

from __future__ import annotations

import json

import pytest
import trio
from trio.testing import MockClock, lockstep_stream_pair
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK
from websockets.trio.client import connect

from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer
from tests.simulations.waves.peer import (
    LIVE,
    OLDER,
    TEN,
    Frame,
    ask,
    dialled,
    frames_until,
    hoarse_voice,
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


def tasks_below(task: trio.lowlevel.Task | None) -> int:
    """Count the tasks that run below one."""
    children = [child for nursery in (task.child_nurseries if task else ()) for child in nursery.child_tasks]
    return len(children) + sum(map(tasks_below, children))


async def test_a_flood_of_requests_is_refused_as_it_comes(autojump_clock: MockClock) -> None:
    """Of three thousand requests on one socket one is spoken; the others wait nowhere."""
    server = provider()
    async with dialled(server) as socket, trio.open_nursery() as nursery:
        statuses: list[str] = []

        async def read() -> None:
            async for message in socket:
                statuses.append(json.loads(message)["status"])

        nursery.start_soon(read)
        for _ in range(3_000):
            await socket.send(ask(TEN))
        assert tasks_below(trio.lowlevel.current_root_task()) < 30
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    books = server.snapshot()
    assert books["requests"] == books["completed"] >= 1
    assert books["refused_concurrency"] == statuses.count("error") == 3_000 - books["requests"]


async def test_a_refusal_bears_the_ids_of_its_request(autojump_clock: MockClock) -> None:
    """Of those that the client gave: VideoSDK's plugin looks at no other frame."""
    async with dialled(provider()) as socket:
        await socket.send(ask(TEN, request_id="r1"))
        session = (await next_frame(socket))["session_id"]
        await socket.send(ask(TEN, request_id="r2", session_id="s2"))
        await socket.send(ask(TEN, request_id="r3", speed=99))
        refused, wrong = await frames_until(socket, "error"), await frames_until(socket, "error")
    names = {"session_id": session, "external_session_id": "s2", "external_request_id": "r2"}
    assert refused[-1] == {**names, "status": "error", "message": "Concurrency limit reached"}
    issues = wrong[-1].pop("errors")
    assert [issue["path"] for issue in issues] == [["speed"]]
    names = {"session_id": session, "external_request_id": "r3"}
    assert wrong[-1] == {**names, "status": "error", "message": "Invalid input data"}


async def test_errors_have_the_shape_that_was_chosen(autojump_clock: MockClock) -> None:
    """Of refusals, wrong requests and time-outs alike."""
    async with dialled(provider(error_shape="nested", idle_timeout=5.0)) as socket:
        for message in (ask(TEN), ask(TEN), "not JSON"):
            await socket.send(message)
        frames: list[Frame] = []
        for _ in range(3):
            frames += [(await frames_until(socket, "error"))[-1]]
    errors = [frame["error"] for frame in frames]
    assert [error["code"] for error in errors] == ["CONCURRENCY_LIMIT_REACHED", "INVALID_INPUT", "CONNECTION_TIMEOUT"]
    assert [error["message"] for error in errors] == [
        "Concurrency limit reached",
        "Invalid input data",
        "Connection timed out after 5 seconds of inactivity",
    ]
    assert not any("message" in frame for frame in frames)


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


async def test_an_unknown_voice_is_wrong(autojump_clock: MockClock) -> None:
    """There are those of the pools, and an error frame names the field; by option any name will do."""
    async with dialled(provider(unknown_voices=True)) as socket:
        await socket.send(ask(TEN, voice_id="en-gb+f2"))
        await frames_until(socket)
    async with dialled(provider()) as socket:
        await socket.send(ask(TEN, voice_id="en-gb+f2"))
        frame = await next_frame(socket)
        assert [(issue["path"], issue["message"]) for issue in frame["errors"]] == [(["voice_id"], "Invalid Voice ID")]
        await socket.send(ask(TEN))
        await frames_until(socket)


async def test_a_voice_that_fails_is_an_error_frame(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The request ends with an error and frees its slot; the next one is served."""
    server = WavesServer(WavesOptions(), hoarse_voice())
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

"""Text that is buffered without a context, on a socket, as clients of the first generation stream it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from trio.testing import MockClock
from websockets.exceptions import ConnectionClosedOK

from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer
from tests.simulations.waves.peer import (
    TEN,
    Frame,
    ask,
    dialled,
    expect_silence,
    frames_until,
    hoarse_voice,
    next_frame,
    pcm_of,
    provider,
    spelling_voice,
    wanted,
)

MORE = {"continue": True, "flush": False}
FLUSH = {"continue": False, "flush": True}


def part(text: str, **more: Any) -> str:
    """Return a message of the official SDK's streaming class, without a back-off."""
    return ask(text, **{"max_buffer_flush_ms": 0, "continue": False, "flush": False, **more})


async def sound_of(text: str) -> bytes:
    """Return what the voice makes of it."""
    return (await spelling_voice(wanted(text))).pcm


@pytest.mark.parametrize(("holds", "until"), [(False, 0.65), (True, 4.65)])
async def test_the_option_holds_the_slot_through_the_back_off(
    autojump_clock: MockClock, holds: bool, until: float
) -> None:
    """Of text that was buffered as of any other, and no longer than to its `complete`."""
    server = provider(backoff_holds_slot=holds, ttfb=0.1, rtf=1.0)
    async with dialled(server) as socket:
        await socket.send(part(TEN, complete_backoff_ms=4000, **MORE))
        await socket.send(part("", complete_backoff_ms=4000, **FLUSH))
        began = trio.current_time()
        await trio.sleep_until(began + until - 0.1)
        assert server.snapshot()["in_flight"] == 1
        await trio.sleep_until(began + until)
        assert server.snapshot()["in_flight"] == 0
        assert len({frame["request_id"] for frame in await frames_until(socket)}) == 1


@pytest.mark.parametrize("end", [FLUSH, {"continue": False}, {"continue": True, "flush": True}])
async def test_buffered_text_is_one_request(autojump_clock: MockClock, end: dict[str, bool]) -> None:
    """As the SDKs and LiveKit stream: tokens, then a flush; no sound before, then all of it and one `complete`."""
    server = WavesServer(WavesOptions(), spelling_voice)
    async with dialled(server) as socket:
        for token in ("This ", "is. ", "spoken ", "at once"):
            await socket.send(part(token, request_id="r", **MORE))
        await expect_silence(socket)
        assert server.snapshot()["in_flight"] == 0
        await socket.send(part("", request_id="r", **end))
        frames = await frames_until(socket)
        assert pcm_of(frames) == await sound_of("This is. spoken at once")
        assert len({frame["request_id"] for frame in frames}) == 1
        assert {frame["external_request_id"] for frame in frames} == {"r"}
        with pytest.raises(ConnectionClosedOK):
            await socket.recv()
    books = server.snapshot()
    assert (books["requests"], books["completed"], books["characters_asked"]) == (1, 1, 23)


async def test_the_last_text_may_come_with_the_end(autojump_clock: MockClock) -> None:
    """`continue: false` with text behind buffered text: all of it is spoken as one."""
    async with dialled(provider()) as socket:
        await socket.send(part("abc", **MORE))
        await socket.send(part("def"))
        assert pcm_of(await frames_until(socket)) == await sound_of("abcdef")
        await expect_silence(socket)


async def test_a_text_that_is_flushed_at_once_is_a_lone_request(autojump_clock: MockClock) -> None:
    """With nothing buffered `flush` says nothing new, and a time to wait neither (VideoSDK's plugin has one)."""
    async with dialled(provider()) as socket:
        for more in (FLUSH, {"max_buffer_flush_ms": 100}):
            await socket.send(part(TEN, **more))
            assert len(await frames_until(socket)) == 26
        await expect_silence(socket)


async def test_buffered_text_is_spoken_after_its_time(autojump_clock: MockClock) -> None:
    """`max_buffer_flush_ms` after the first of it; the request ends at the flush only, with its one `complete`.

    The slot is its own from the first sound to the last; each part has its own request id, and words from 0 on.
    """
    server = provider(ttfb=0.1, rtf=0.1)
    async with dialled(server) as socket:
        began = trio.current_time()
        for token in ("one ", "two "):
            await socket.send(part(token, max_buffer_flush_ms=500, word_timestamps=True, **MORE))
            await trio.sleep(0.2)
        first = await frames_until(socket, "word_timestamp")
        assert trio.current_time() - began == pytest.approx(0.5 + 0.1 + 0.1 * 0.16)
        await trio.sleep_until(began + 5)
        assert server.snapshot()["in_flight"] == 1
        await socket.send(part("three", max_buffer_flush_ms=500, word_timestamps=True, **MORE))
        await socket.send(part("", max_buffer_flush_ms=500, **FLUSH))
        frames = [*first, *await frames_until(socket)]
        assert server.snapshot()["in_flight"] == 0
        await expect_silence(socket)
    assert pcm_of(frames) == await sound_of("one two") + await sound_of("three")
    words = [
        (frame["data"]["word"], frame["data"]["id"], frame["data"]["start"])
        for frame in frames
        if "word" in frame["status"]
    ]
    assert words == [("one", 0, 0.0), ("two", 1, 0.2), ("three", 0, 0.0)]
    assert len({frame["request_id"] for frame in frames}) == 2
    books = server.snapshot()
    assert (books["requests"], books["completed"], books["max_in_flight"]) == (2, 2, 1)


@pytest.mark.parametrize("backoff", [0, 4000])
@pytest.mark.parametrize("late", [0.1, 0.3, 6.0])
async def test_a_flush_after_all_was_spoken_still_ends_the_request(
    autojump_clock: MockClock, late: float, backoff: int
) -> None:
    """Clients wait for the `complete`: it comes the back-off after the last sound, or at once if that is over."""
    server = WavesServer(WavesOptions(ttfb=0.1, rtf=0.1), spelling_voice)
    async with dialled(server) as socket:
        sent = {"max_buffer_flush_ms": 1, "complete_backoff_ms": backoff}
        await socket.send(part(TEN, **sent, **MORE))
        await frames_until(socket, "chunk")
        spoken = trio.current_time() + 0.1 * 0.48
        await trio.sleep(late)
        await socket.send(part("", **sent, **FLUSH))
        frames = await frames_until(socket)
        assert trio.current_time() == pytest.approx(max(spoken + backoff / 1000, spoken - 0.1 * 0.48 + late))
        assert len(frames) == 25
        with pytest.raises(ConnectionClosedOK):
            await socket.recv()
    assert server.snapshot()["completed"] == server.snapshot()["requests"] == 1


async def test_a_long_text_is_begun_before_the_flush(autojump_clock: MockClock) -> None:
    """Whoever streams long text hears its beginning meanwhile, all of it in order, and one `complete` at the end."""
    sentence = "Seven words are in this very sentence. "
    server = WavesServer(WavesOptions(chunk_ms=1000, rtf=0.01), spelling_voice)
    async with dialled(server) as socket:
        for _ in range(20):
            await socket.send(part(sentence, **MORE))
        assert (await next_frame(socket))["status"] == "chunk"
        await trio.sleep(3)
        await socket.send(part("", **FLUSH))
        frames = await frames_until(socket)
        with pytest.raises(ConnectionClosedOK):
            await socket.recv()
    books = server.snapshot()
    assert books["completed"] == books["requests"] > 1
    assert books["words_asked"] == 140
    assert {frame["status"] for frame in frames[:-1]} == {"chunk"}


async def test_a_flush_of_nothing_is_completed(autojump_clock: MockClock) -> None:
    """A client whose text was empty waits for an end, too; no slot is taken, and nothing is in the books."""
    server = provider(slots=1)
    async with dialled(server) as socket, dialled(server) as other:
        await other.send(ask(TEN))
        await next_frame(other)
        await socket.send(part("", request_id="r", **FLUSH))
        frame = await next_frame(socket)
        assert (frame["status"], frame["external_request_id"]) == ("complete", "r")
        await frames_until(other)
    assert server.snapshot()["requests"] == 1


async def test_a_second_flush_ends_nothing_twice(autojump_clock: MockClock) -> None:
    """While a request's `complete` is still to come, a flush of nothing has no other."""
    async with dialled(provider()) as socket:
        await socket.send(part("abc", complete_backoff_ms=None, **MORE))
        await socket.send(part("", **FLUSH))
        await socket.send(part("", **FLUSH))
        await frames_until(socket)
        await expect_silence(socket)


async def test_blank_text_begins_no_request(autojump_clock: MockClock) -> None:
    """Neither with more to follow nor with an end but no flush; between words it is text."""
    async with dialled(provider()) as socket:
        await socket.send(part(" ", **MORE))
        await socket.send(part(""))
        await socket.send(ask("", cancel_request=True))
        await expect_silence(socket)
        for token in ("a", " ", "b"):
            await socket.send(part(token, **MORE))
        await socket.send(part("", **FLUSH))
        assert pcm_of(await frames_until(socket)) == await sound_of("a b")


async def test_a_cancel_drops_what_is_buffered(autojump_clock: MockClock) -> None:
    """The request stays open: what comes later is spoken."""
    async with dialled(provider()) as socket:
        await socket.send(part("dropped", **MORE))
        await socket.send(part("", cancel_request=True))
        await socket.send(part("kept", **FLUSH))
        assert pcm_of(await frames_until(socket)) == await sound_of("kept")


async def test_a_buffered_request_without_a_slot_is_refused_once(autojump_clock: MockClock) -> None:
    """Its text is dropped, the socket serves on."""
    server = provider()
    async with dialled(server) as busy, dialled(server) as socket:
        await busy.send(ask("x" * 100))
        await next_frame(busy)
        for _ in range(3):
            await socket.send(part("refused ", request_id="r", **MORE))
        await socket.send(part("", request_id="r", **FLUSH))
        frame = await next_frame(socket)
        assert (frame["message"], frame["external_request_id"]) == ("Concurrency limit reached", "r")
        await frames_until(busy)
        await socket.send(part("kept", **MORE))
        await socket.send(part("", **FLUSH))
        assert pcm_of(await frames_until(socket)) == await sound_of("kept")
    books = server.snapshot()
    assert (books["requests"], books["refused_concurrency"], books["in_flight"]) == (2, 1, 0)


async def test_requests_follow_each_other_on_a_socket(autojump_clock: MockClock) -> None:
    """Text that comes after a flush is another request's, even while the one before ends."""
    server = provider()
    async with dialled(server) as socket:
        for name in ("a", "b"):
            await socket.send(part(name * 10, request_id=name, complete_backoff_ms=1000, **MORE))
            await socket.send(part("", request_id=name, complete_backoff_ms=1000, **FLUSH))
            await trio.sleep(0.5)
        frames: list[Frame] = [*await frames_until(socket), *await frames_until(socket)]
    for name in ("a", "b"):
        own = [frame for frame in frames if frame["external_request_id"] == name]
        assert pcm_of(own) == await sound_of(name * 10)
        assert [frame["status"] for frame in own].count("complete") == 1


async def test_a_text_sounds_as_its_own_messages_say(autojump_clock: MockClock) -> None:
    """Whatever the flush behind it says, or does not."""
    async with dialled(provider()) as socket:
        await socket.send(part("abc", speed=2.0, **MORE))
        await socket.send(json.dumps({"text": "", **FLUSH}))
        with trio.fail_after(5):
            frames = [await next_frame(socket) for _ in range(4)]
        assert pcm_of(frames) == (await spelling_voice(wanted("abc", speed=2.0))).pcm


async def test_a_voice_that_fails_ends_a_buffered_request(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """With the error and nothing more; its slot is free and the next request is served."""
    server = WavesServer(WavesOptions(), hoarse_voice())
    async with dialled(server) as socket:
        await socket.send(part("hoarse", max_buffer_flush_ms=1, **MORE))
        assert (await next_frame(socket))["status"] == "error"
        await expect_silence(socket, 1.0)
        assert server.snapshot()["in_flight"] == 0
        await socket.send(part("better", **FLUSH))
        assert pcm_of(await frames_until(socket)) == await sound_of("better")
    books = server.snapshot()
    assert (books["requests"], books["errors"], books["completed"], books["abandoned"]) == (2, 1, 1, 0)


async def test_a_socket_that_goes_away_takes_its_buffer_with_it(autojump_clock: MockClock) -> None:
    """Nothing that waits is spoken, and a slot that was held settles."""
    server = provider(settle=0.5)
    async with dialled(server) as socket:
        await socket.send(part(TEN, max_buffer_flush_ms=1, **MORE))
        for _ in range(25):
            await next_frame(socket)
        await socket.send(part("never spoken", **MORE))
        await trio.sleep(1)
        assert server.snapshot()["in_flight"] == 1
    await trio.sleep(0.4)
    assert server.snapshot()["in_flight"] == 1
    await trio.sleep(0.2)
    books = server.snapshot()
    assert (books["in_flight"], books["requests"], books["completed"]) == (0, 1, 1)

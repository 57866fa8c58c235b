"""A lone request at the simulated Waves provider: its frames, their pace and their names."""

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
    LIVE,
    OLDER,
    TEN,
    ask,
    dialled,
    frames_until,
    next_frame,
    pcm_of,
    provider,
    spelling_voice,
    wanted,
)


@pytest.mark.parametrize("path", [LIVE, OLDER])
async def test_a_request_is_spoken_in_chunks_and_completed(autojump_clock: MockClock, path: str) -> None:
    """All sound arrives in 20 ms chunks of the rate asked for, under one session and request id, then `complete`."""
    server = provider()
    async with dialled(server, path=path) as socket:
        await socket.send(ask(TEN))
        frames = await frames_until(socket)
    assert [frame["status"] for frame in frames] == ["chunk"] * 25 + ["complete"]
    assert pcm_of(frames) == (await spelling_voice(wanted(TEN))).pcm
    assert {len(pcm_of([frame])) for frame in frames[:-1]} == {320}
    assert frames[0].keys() == {"session_id", "request_id", "status", "data"}
    assert frames[-1].keys() == {"session_id", "request_id", "status"}
    assert len({(frame["session_id"], frame["request_id"]) for frame in frames}) == 1
    assert frames[0]["session_id"].startswith("ws_")
    assert frames[0]["request_id"].startswith("task_")


async def test_each_chunk_leaves_when_its_last_sample_is_made(autojump_clock: MockClock) -> None:
    """Chunk n leaves at ttfb + rtf * its end, and the slot was held for ttfb + rtf * audio."""
    server = provider(ttfb=0.2, rtf=0.3)
    async with dialled(server) as socket:
        began = trio.current_time()
        await socket.send(ask(TEN))
        times = []
        while (await next_frame(socket))["status"] == "chunk":
            times.append(trio.current_time() - began)
    assert times == pytest.approx([0.2 + 0.3 * 0.02 * (n + 1) for n in range(25)])
    assert server.snapshot()["slot_seconds"] == pytest.approx(0.2 + 0.3 * 0.5)
    assert server.books.uses[0] == pytest.approx((began, began + 0.35))


async def test_ids_of_the_client_come_back_only_if_it_gave_them(autojump_clock: MockClock) -> None:
    """external_session_id and external_request_id echo what the request carried."""
    async with dialled(provider()) as socket:
        await socket.send(ask("Hello.", session_id="s-1", request_id="r.2"))
        frames = await frames_until(socket)
        await socket.send(ask("Hello.", request_id="r.3"))
        later = await frames_until(socket)
    assert {(f["external_session_id"], f["external_request_id"]) for f in frames} == {("s-1", "r.2")}
    assert {f["external_request_id"] for f in later} == {"r.3"}
    assert not any("external_session_id" in f for f in later)
    assert frames[0]["session_id"] == later[0]["session_id"]
    assert frames[0]["request_id"] != later[0]["request_id"]


async def test_the_same_seed_gives_the_same_ids(autojump_clock: MockClock) -> None:
    """Ids come from the injected randomness."""

    async def first_ids(seed: int) -> tuple[str, str]:
        async with dialled(provider(seed=seed)) as socket:
            await socket.send(ask("Hello."))
            frame = await next_frame(socket)
            return frame["session_id"], frame["request_id"]

    assert await first_ids(1) == await first_ids(1) != await first_ids(2)


async def test_words_follow_the_chunk_in_which_they_end(autojump_clock: MockClock) -> None:
    """Word frames come in audio order, numbered from 0, verbatim, in seconds of the request's audio."""
    async with dialled(provider()) as socket:
        await socket.send(ask("ab $100, cd", word_timestamps=True))
        frames = await frames_until(socket)
    heard, words = 0.0, []
    for frame in frames[:-1]:
        if frame["status"] == "chunk":
            heard += len(pcm_of([frame])) / 16000
        else:
            words.append(frame["data"])
            assert heard - 0.02 <= frame["data"]["end"] <= heard + 1e-6
    assert words == [
        {"id": 0, "word": "ab", "start": 0.0, "end": 0.1},
        {"id": 1, "word": "$100,", "start": 0.15, "end": 0.4},
        {"id": 2, "word": "cd", "start": 0.45, "end": 0.55},
    ]


@pytest.mark.parametrize("more", [{}, {"word_timestamps": False}, {"word_timestamps": True, "voice_id": "magnus"}])
async def test_no_words_unless_asked_for_in_a_voice_that_can(autojump_clock: MockClock, more: dict[str, Any]) -> None:
    """Without the request, or with a voice that cannot tell, there are silently none."""
    async with dialled(provider()) as socket:
        await socket.send(ask(TEN, **more))
        assert {frame["status"] for frame in await frames_until(socket)} == {"chunk", "complete"}


@pytest.mark.parametrize("holds", [True, False])
@pytest.mark.parametrize(("backoff", "seconds"), [(None, 4.0), (0, 0.0), (250, 0.25)])
async def test_the_back_off_delays_complete(
    autojump_clock: MockClock, backoff: int | None, seconds: float, holds: bool
) -> None:
    """`complete_backoff_ms` is honoured, 4000 when absent; the slot is held meanwhile by option only."""
    server = provider(backoff_holds_slot=holds)
    async with dialled(server) as socket:
        await socket.send(ask(TEN, complete_backoff_ms=backoff))
        frames = [await next_frame(socket) for _ in range(25)]
        last_audio = trio.current_time()
        await trio.sleep(0.001)
        assert server.snapshot()["in_flight"] == (1 if seconds and holds else 0)
        frames = await frames_until(socket)
        assert len(frames) == 1
        assert trio.current_time() - last_audio == pytest.approx(max(seconds, 0.001))
        assert server.snapshot()["in_flight"] == 0
    assert server.snapshot()["slot_seconds"] == pytest.approx(0.15 + (seconds if holds else 0))


@pytest.mark.parametrize("backoff", [None, 0, 10_000])
async def test_the_back_off_is_always_the_same_by_option(autojump_clock: MockClock, backoff: int | None) -> None:
    """With `clamp_backoff` it is 4 s, whatever the request says."""
    async with dialled(provider(clamp_backoff=True)) as socket:
        await socket.send(ask(TEN, complete_backoff_ms=backoff))
        for _ in range(25):
            await next_frame(socket)
        last_audio = trio.current_time()
        await frames_until(socket)
        assert trio.current_time() - last_audio == pytest.approx(4.0)


async def test_the_next_request_is_served_while_the_back_off_runs(autojump_clock: MockClock) -> None:
    """As VideoSDK's plugin asks: 250 ms after the last chunk, on the same socket. The first `complete` closes nothing
    as long as another request goes on there; the last one does."""
    server = WavesServer(WavesOptions(), spelling_voice)
    async with dialled(server) as socket:
        for name in ("one", "two"):
            await socket.send(ask("x" * 200, complete_backoff_ms=None, request_id=name))
            for _ in range(500):
                assert (await next_frame(socket))["external_request_id"] == name
            await trio.sleep(0.25)
        ends = [(await next_frame(socket)) for _ in range(2)]
        assert [(end["status"], end["external_request_id"]) for end in ends] == [
            ("complete", "one"),
            ("complete", "two"),
        ]
        with pytest.raises(ConnectionClosedOK):
            await socket.recv()
    assert server.snapshot()["refused_concurrency"] == 0


async def test_an_older_model_ends_in_its_own_words(autojump_clock: MockClock) -> None:
    """Frames of lightning-v2 have the shape of its time."""
    path = OLDER.replace("v3.1", "v2")
    async with dialled(provider(retired=()), path=path) as socket:
        await socket.send(ask(TEN, request_id="r"))
        *chunks, last = await frames_until(socket)
    names = {"request_id": last["request_id"], "external_request_id": "r"}
    assert last == {**names, "status": "complete", "message": "All chunks sent", "done": True}
    assert all(chunk == {**names, "status": "chunk", "data": chunk["data"]} for chunk in chunks)


async def test_a_long_text_is_spoken_in_parts_as_one_request(autojump_clock: MockClock) -> None:
    """No text is too long: one `complete`, all sound, words timed from the beginning of it all.

    The blanks at which it is cut are nobody's: they cost no time.
    """
    text = "Seven words are in this very sentence. " * 20
    server = provider(rtf=0.0, chunk_ms=1000)
    async with dialled(server) as socket:
        await socket.send(ask(text, word_timestamps=True))
        frames = await frames_until(socket)
    words = [frame["data"] for frame in frames if frame["status"] == "word_timestamp"]
    cuts = 3
    assert len(pcm_of(frames)) == (len(text) - cuts) * 800
    assert [word["word"] for word in words] == text.split()
    assert [word["id"] for word in words] == list(range(len(words)))
    assert words[-1]["end"] == pytest.approx((len(text) - cuts - 1) * 0.05)


async def test_blank_text_only_keeps_the_socket_alive(autojump_clock: MockClock) -> None:
    """A keep-alive of white space brings no frame and takes no slot, but the idle time-out starts anew."""
    server = provider()
    async with dialled(server) as socket:
        for _ in range(4):
            await socket.send(
                json.dumps({"text": " ", "voice_id": "avery", "model": "lightning_v3.1", "language": "en"})
            )
            with trio.move_on_after(30) as waiting:
                await socket.recv()
            assert waiting.cancelled_caught
    assert server.snapshot()["requests"] == 0
    assert server.snapshot()["slot_seconds"] == 0

"""What clients see of continuation contexts on their sockets, and the slots that these take."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock

from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer
from tests.simulations.waves.peer import (
    Frame,
    ask,
    dialled,
    expect_silence,
    frames_until,
    hoarse_voice,
    next_frame,
    pcm_of,
    spelling_voice,
    wanted,
)

SENTENCE = "This is a whole sentence."


async def test_each_release_is_a_run_of_its_own(autojump_clock: MockClock) -> None:
    """Fragments make two releases, each with its own request id and `complete`; the socket stays open."""
    server = WavesServer(WavesOptions(), spelling_voice)
    async with dialled(server) as socket:
        for fragment in ("This is a ", "whole sentence.", " And this"):
            await socket.send(ask(fragment, context_id="c-1", **{"continue": True}))
        first = await frames_until(socket)
        assert server.snapshot()["in_flight"] == 1
        await socket.send(ask("", context_id="c-1", **{"continue": False}))
        second = await frames_until(socket)
        assert server.snapshot()["in_flight"] == 0
        await expect_silence(socket)
    assert len(pcm_of(first)) == 800 * len(SENTENCE)
    assert len(pcm_of(second)) == 800 * len("And this")
    assert first[0]["session_id"] == second[0]["session_id"]
    assert first[0]["request_id"] != second[0]["request_id"]
    assert not any("context_id" in frame for frame in first + second)
    books = server.snapshot()
    assert (books["requests"], books["completed"], books["max_in_flight"]) == (2, 2, 1)


async def test_a_fragment_waits_no_longer_than_the_delay(autojump_clock: MockClock) -> None:
    """A sentence without an end is spoken `max_buffer_delay_ms` after its first fragment."""
    async with dialled(WavesServer(WavesOptions(ttfb=0.1, rtf=0.1), spelling_voice)) as socket:
        began = trio.current_time()
        await socket.send(ask("ab", context_id="c", max_buffer_delay_ms=1500, **{"continue": True}))
        await next_frame(socket)
        assert trio.current_time() - began == pytest.approx(1.5 + 0.1 + 0.1 * 0.02)


async def test_a_closing_frame_with_nothing_buffered_brings_no_frame(autojump_clock: MockClock) -> None:
    """Neither the end of a context whose text was spoken nor that of an unknown one is answered."""
    server = WavesServer(WavesOptions(), spelling_voice)
    async with dialled(server) as socket:
        await socket.send(ask("", context_id="unknown", **{"continue": False}))
        await socket.send(ask(SENTENCE, context_id="c", **{"continue": True}))
        await frames_until(socket)
        await socket.send(ask(None, voice_id=None, context_id="c", context_close=True))
        await expect_silence(socket)
        assert server.snapshot()["in_flight"] == 0


async def test_a_cancel_drops_what_is_buffered_only(autojump_clock: MockClock) -> None:
    """What is being spoken goes on to its end; the context stays open and keeps its slot."""
    server = WavesServer(WavesOptions(), spelling_voice)
    async with dialled(server) as socket:
        await socket.send(ask(SENTENCE, context_id="c", **{"continue": True}))
        await socket.send(ask("dropped", context_id="c", **{"continue": True}))
        await next_frame(socket)
        await socket.send(ask(None, voice_id=None, context_id="c", cancel_request=True))
        frames: list[Frame] = await frames_until(socket)
        assert len(pcm_of(frames)) == 800 * len(SENTENCE) - 320
        await expect_silence(socket)
        assert server.snapshot()["in_flight"] == 1
        await socket.send(ask("kept", context_id="c"))
        assert len(pcm_of(await frames_until(socket))) == 800 * len("kept")


async def test_every_context_takes_a_slot(autojump_clock: MockClock) -> None:
    """Several contexts are open on one socket as far as the slots go; closing the socket ends them all."""
    server = WavesServer(WavesOptions(slots=2), spelling_voice)
    async with dialled(server) as socket:
        for name in ("a", "b", "c"):
            await socket.send(ask("text", context_id=name, **{"continue": True}))
        assert (await next_frame(socket))["message"] == "Concurrency limit reached"
        assert server.snapshot()["in_flight"] == 2
    await trio.sleep(1)
    books = server.snapshot()
    assert (books["in_flight"], books["requests"], books["refused_concurrency"]) == (0, 0, 1)


async def test_several_contexts_speak_at_a_time(autojump_clock: MockClock) -> None:
    """On one socket, each under its own ids, with a slot each."""
    server = WavesServer(WavesOptions(slots=2), spelling_voice)
    async with dialled(server) as socket:
        for name in ("a", "b"):
            await socket.send(ask(name * 30, context_id=name, request_id=name))
        frames = [*await frames_until(socket), *await frames_until(socket)]
        await expect_silence(socket)
    for name in ("a", "b"):
        own = [frame for frame in frames if frame["external_request_id"] == name]
        assert pcm_of(own) == (await spelling_voice(wanted(name * 30))).pcm
        assert len({frame["request_id"] for frame in own}) == 1
    assert server.snapshot()["max_in_flight"] == 2


async def test_the_next_release_does_not_wait_for_the_back_off(autojump_clock: MockClock) -> None:
    """Each `complete` comes 4 s after its own sound, the next sound at once: clients take 0.6 s of silence for the end.

    The slot is free when the last sound is made, unless the option holds it through the back-off.
    """
    server = WavesServer(WavesOptions(), spelling_voice)
    async with dialled(server) as socket:
        await socket.send(ask(SENTENCE, context_id="c", complete_backoff_ms=None, **{"continue": True}))
        await socket.send(ask("And one more.", context_id="c", complete_backoff_ms=None))
        seen: list[tuple[float, Frame, int | float]] = []
        while [frame["status"] for _, frame, _ in seen].count("complete") < 2:
            frame = await next_frame(socket)
            seen.append((trio.current_time(), frame, server.snapshot()["in_flight"]))
    *sounds, (first_end, first, _), (second_end, second, _) = seen
    assert first["request_id"] == sounds[0][1]["request_id"]
    assert second["request_id"] == sounds[-1][1]["request_id"]
    assert len(pcm_of([frame for _, frame, _ in sounds])) == 800 * len(SENTENCE + "And one more.")
    assert max(later - earlier for (earlier, *_), (later, *_) in pairwise(sounds)) < 0.6
    assert second_end - sounds[-1][0] == pytest.approx(4.0)
    last_of_first = max(at for at, frame, _ in sounds if frame["request_id"] == first["request_id"])
    assert first_end - last_of_first == pytest.approx(4.0)
    assert [held for *_, held in seen[-2:]] == [0, 0]


@pytest.mark.parametrize(("holds", "seconds"), [(False, 0.0), (True, 4.0)])
async def test_the_back_off_holds_a_context_s_slot_by_option(
    autojump_clock: MockClock, holds: bool, seconds: float
) -> None:
    """A closed context gives its slot back with the last sound, or with its `complete`."""
    server = WavesServer(WavesOptions(backoff_holds_slot=holds, ttfb=0.1, rtf=0.0), spelling_voice)
    async with dialled(server) as socket:
        await socket.send(ask(SENTENCE, context_id="c", complete_backoff_ms=None))
        await frames_until(socket)
    assert server.snapshot()["slot_seconds"] == pytest.approx(0.1 + seconds)


async def test_a_context_without_a_message_for_long_is_over(autojump_clock: MockClock) -> None:
    """Its slot is free; what comes later under its name is another context. Speaking is no message, but no idling."""
    server = WavesServer(WavesOptions(context_idle=5.0, rtf=2.0), spelling_voice)
    async with dialled(server) as socket:
        await socket.send(ask("x" * 100 + ".", context_id="c", **{"continue": True}))
        await frames_until(socket)
        assert trio.current_time() > 10.0
        await trio.sleep(0.1)
        assert server.snapshot()["in_flight"] == 0
        await socket.send(ask("x", context_id="c", **{"continue": True}))
        for _ in range(3):
            await trio.sleep(4.0)
            assert server.snapshot()["in_flight"] == 1
            await socket.send(ask("", context_id="c", **{"continue": True}))
        await trio.sleep(4.9)
        assert server.snapshot()["in_flight"] == 1
        await trio.sleep(0.2)
        assert server.snapshot()["in_flight"] == 0


async def test_idle_contexts_hold_no_slot_by_option(autojump_clock: MockClock) -> None:
    """Each release takes a slot of its own; one that finds none is refused and not spoken, its context serves on."""
    server = WavesServer(WavesOptions(idle_context_holds_slot=False), spelling_voice)
    async with dialled(server) as socket:
        for name in ("a", "b"):
            await socket.send(ask("not ", context_id=name, request_id=name, **{"continue": True}))
        await trio.sleep(0.5)
        assert server.snapshot()["in_flight"] == 0
        await socket.send(ask("yet a whole sentence.", context_id="a", **{"continue": True}))
        await trio.sleep(0.01)
        assert server.snapshot()["in_flight"] == 1
        await socket.send(ask("spoken as it is.", context_id="b", request_id="b", **{"continue": True}))
        refusal = (await frames_until(socket, "error"))[-1]
        assert (refusal["message"], refusal["external_request_id"]) == ("Concurrency limit reached", "b")
        await frames_until(socket)
        assert server.snapshot()["in_flight"] == 0
        await socket.send(ask("now", context_id="b"))
        assert len(pcm_of(await frames_until(socket))) == 800 * len("now")
    books = server.snapshot()
    assert (books["requests"], books["completed"], books["refused_concurrency"]) == (2, 2, 1)


async def test_contexts_without_a_slot_are_not_without_number(autojump_clock: MockClock) -> None:
    """A hundred on one socket, then they are refused; those that are over make room."""
    server = WavesServer(WavesOptions(idle_context_holds_slot=False), spelling_voice)
    async with dialled(server) as socket:
        for number in range(100):
            await socket.send(ask("x", context_id=f"c{number}", max_buffer_delay_ms=5000, **{"continue": True}))
        await socket.send(ask("x", context_id="c100", **{"continue": True}))
        assert (await next_frame(socket))["message"] == "Too many contexts are open"
        await socket.send(ask(None, voice_id=None, context_id="c0", cancel_request=True, context_close=True))
        await socket.send(ask("whole", context_id="c100"))
        assert len(pcm_of(await frames_until(socket))) == 800 * len("whole")


async def test_an_open_context_keeps_its_socket(autojump_clock: MockClock) -> None:
    """A lone request beside it closes nothing with its `complete`: with the context the socket would go."""
    server = WavesServer(WavesOptions(slots=2), spelling_voice)
    async with dialled(server) as socket:
        await socket.send(ask("text", context_id="c", **{"continue": True}))
        await socket.send(ask("alone"))
        await frames_until(socket)
        await socket.send(ask(" goes on", context_id="c"))
        assert len(pcm_of(await frames_until(socket))) == 800 * len("text goes on")


async def test_a_voice_that_fails_ends_a_release_only(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The context goes on, and its slot is still its own."""
    server = WavesServer(WavesOptions(), hoarse_voice())
    async with dialled(server) as socket:
        await socket.send(ask(SENTENCE, context_id="c", **{"continue": True}))
        assert (await next_frame(socket))["status"] == "error"
        assert server.snapshot()["in_flight"] == 1
        await socket.send(ask("better", context_id="c"))
        assert len(pcm_of(await frames_until(socket))) == 800 * len("better")
    books = server.snapshot()
    assert (books["in_flight"], books["errors"], books["completed"], books["abandoned"]) == (0, 1, 1, 0)

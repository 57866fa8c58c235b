"""Continuation contexts: the release rules as pure decisions, and what a client sees of them on its socket."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from simulations.waves.contexts import LARGEST, MOST_BUFFERED, Context, break_before
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer
from tests.simulations.waves.peer import Frame, ask, dialled, frames_until, next_frame, pcm_of, spelling_voice

SENTENCE = "This is a whole sentence."


def released(context: Context, now: float) -> list[str]:
    """Return all that is due."""
    texts = []
    while (text := context.next_release(now)) is not None:
        texts.append(text)
    return texts


# --- the rules ---


@pytest.mark.parametrize(
    ("buffered", "ends"),
    [
        (SENTENCE, True),
        ("Is that really what you want? ", True),
        ("यह एक पूरा और लंबा वाक्य है।", True),
        ("Too short.", False),
        ("This is no whole sentence", False),
        ("The price of it all was 3.", False),
        ("Tomorrow you will meet Dr.", False),
        ('And then she said "Never!"', True),
    ],
)
def test_a_sentence_that_is_long_enough_is_released(buffered: str, ends: bool) -> None:
    """A sentence's end releases the buffer, but not decimals, abbreviations and what is too short."""
    context = Context()
    context.add(buffered, now=0.0, delay=3.0)
    assert released(context, 0.0) == ([buffered.strip()] if ends else [])


def test_the_delay_runs_from_the_first_fragment() -> None:
    """Later fragments do not start the clock anew; the next buffer has a clock of its own."""
    context = Context()
    context.add("one ", now=0.0, delay=3.0)
    context.add("two ", now=2.0, delay=3.0)
    assert context.due == 3.0
    assert released(context, 2.9) == []
    context.add("three", now=3.5, delay=3.0)
    assert released(context, 3.5) == ["one two"]
    assert context.due == 6.5


def test_closing_releases_and_cancelling_drops_what_is_buffered() -> None:
    """What was released before a cancel is still spoken."""
    context = Context()
    context.add(SENTENCE, now=0.0, delay=3.0)
    context.add(" And more", now=0.0, delay=3.0)
    context.drop_buffered()
    context.add(" then this", now=0.0, delay=3.0)
    context.close()
    assert not context.over
    assert released(context, 0.0) == [SENTENCE, "then this"]
    assert context.over


def test_a_context_takes_no_endless_text() -> None:
    """A fragment that would make the buffer too large is refused whole."""
    context = Context()
    assert context.add("x" * MOST_BUFFERED, now=0.0, delay=3.0)
    assert not context.add("x", now=0.0, delay=3.0)
    assert len("".join(released(context, 9.0))) == MOST_BUFFERED


@given(st.lists(st.text(st.sampled_from("ab .?1"), max_size=300), max_size=8), st.floats(0, 5))
def test_every_word_is_released_once_and_in_order(fragments: list[str], delay: float) -> None:
    """However the text comes, the releases are the text, none of them blank or larger than a chunk."""
    context = Context()
    texts: list[str] = []
    for second, fragment in enumerate(fragments):
        context.add(fragment, now=float(second), delay=delay)
        texts += released(context, float(second))
    context.close()
    texts += released(context, float(len(fragments)))
    assert context.over
    assert "".join("".join(texts).split()) == "".join("".join(fragments).split())
    assert all(text.strip() and len(text) <= LARGEST for text in texts)


@given(st.text(st.sampled_from("ab .?"), min_size=1, max_size=800))
def test_a_break_is_never_too_far_nor_nowhere(text: str) -> None:
    """A split makes progress and its first part is no larger than a chunk."""
    assert 0 < break_before(text) <= LARGEST


# --- on a socket ---


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
        await expect_silence(socket.recv)
    assert len(pcm_of(first)) == 800 * len(SENTENCE)
    assert len(pcm_of(second)) == 800 * len("And this")
    assert first[0]["session_id"] == second[0]["session_id"]
    assert first[0]["request_id"] != second[0]["request_id"]
    assert not any("context_id" in frame for frame in first + second)
    books = server.snapshot()
    assert (books["requests"], books["completed"], books["max_in_flight"]) == (2, 2, 1)


async def expect_silence(receive: object, seconds: float = 10.0) -> None:
    """Check that nothing arrives."""
    assert callable(receive)
    with trio.move_on_after(seconds) as waiting:
        pytest.fail(f"{await receive()} came")
    assert waiting.cancelled_caught


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
        await expect_silence(socket.recv)
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
        await expect_silence(socket.recv)
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

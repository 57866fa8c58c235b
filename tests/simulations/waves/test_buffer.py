"""Text that is buffered without a context: when it is released, as pure decisions."""

from __future__ import annotations

import json

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock
from websockets.exceptions import ConnectionClosedOK

from simulations.waves.buffer import Buffer
from simulations.waves.contexts import LARGEST, MOST_BUFFERED
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer
from tests.simulations.waves.peer import Frame, ask, dialled, pcm_of, spelling_voice

NEVER = float("inf")


# --- the rules ---


def test_text_waits_for_the_end() -> None:
    """Without a time for it, whatever its punctuation; then all of it is one release."""
    buffer = Buffer()
    for fragment in ("This is a whole sentence. ", "And ", "this is none"):
        assert buffer.add(fragment, now=0.0, flush_after=0.0)
    assert (buffer.due, buffer.next_release(1e6)) == (NEVER, None)
    buffer.end()
    assert not buffer.over
    assert buffer.next_release(0.0) == "This is a whole sentence. And this is none"
    assert buffer.over


def test_the_time_runs_from_the_first_text_that_waits() -> None:
    """Later text does not start the clock anew, blanks don't start it; what comes afterwards has a clock of its own."""
    buffer = Buffer()
    buffer.add(" ", now=0.0, flush_after=0.5)
    assert buffer.due == NEVER
    buffer.add("one ", now=1.0, flush_after=0.5)
    buffer.add("two", now=1.25, flush_after=0.5)
    assert buffer.due == 1.5
    assert buffer.next_release(1.4) is None
    assert buffer.next_release(1.5) == "one two"
    assert buffer.due == NEVER
    buffer.add("three", now=2.0, flush_after=0.5)
    assert (buffer.due, buffer.next_release(2.5)) == (2.5, "three")
    assert not buffer.over


def test_more_than_a_chunk_is_begun_before_its_end() -> None:
    """At a sentence's end, as in a long text; the rest waits on."""
    sentence = "Seven words are in this very sentence. "
    buffer = Buffer()
    for _ in range(7):
        buffer.add(sentence, now=0.0, flush_after=0.0)
    assert buffer.next_release(0.0) == (sentence * 6).strip()
    assert buffer.next_release(0.0) is None
    buffer.end()
    assert buffer.next_release(0.0) == sentence.strip()


def test_dropping_spares_what_is_released() -> None:
    """The rest is gone."""
    buffer = Buffer()
    buffer.add("one", now=0.0, flush_after=0.1)
    buffer.add(" two", now=0.2, flush_after=0.1)
    buffer.drop_buffered()
    buffer.end()
    assert buffer.next_release(0.2) == "one"
    assert buffer.over


def test_a_buffer_takes_no_endless_text() -> None:
    """A fragment that would make it too large is refused whole."""
    buffer = Buffer()
    assert buffer.add("x" * MOST_BUFFERED, now=0.0, flush_after=0.0)
    assert not buffer.add("x", now=0.0, flush_after=0.0)
    buffer.end()
    assert buffer.next_release(0.0) == "x" * MOST_BUFFERED


FRAGMENTS = st.lists(
    st.tuples(st.text(st.sampled_from("ab .?1"), max_size=300), st.sampled_from([0.0, 0.3, 2.0]), st.booleans()),
    max_size=10,
)


@given(FRAGMENTS)
def test_nothing_that_was_buffered_is_lost_or_spoken_twice(fragments: list[tuple[str, float, bool]]) -> None:
    """However the text comes, how long it may wait and when somebody asks: the releases are the text, none is blank."""
    buffer, texts = Buffer(), []
    for second, (fragment, flush_after, asks) in enumerate(fragments):
        assert buffer.add(fragment, now=float(second), flush_after=flush_after)
        if asks:
            texts.append(buffer.next_release(float(second)))
        assert buffer.due > second or not asks
    buffer.end()
    texts += [buffer.next_release(100.0), buffer.next_release(100.0)]
    assert texts[-1] is None
    assert buffer.over
    spoken = [text for text in texts if text is not None]
    assert all(text.strip() for text in spoken)
    assert "".join("".join(spoken).split()) == "".join("".join(text for text, *_ in fragments).split())


@given(FRAGMENTS)
def test_nothing_waits_that_is_larger_than_a_chunk(fragments: list[tuple[str, float, bool]]) -> None:
    """What waits at the end of all fragments is no more than one chunk, and due in time if it may not wait for ever."""
    buffer = Buffer()
    for fragment, flush_after, _ in fragments:
        buffer.add(fragment, now=0.0, flush_after=flush_after)
    buffer.next_release(0.0)
    due = buffer.due
    assert due == NEVER or due <= 2.0
    buffer.end()
    assert len(buffer.next_release(0.0) or "") <= LARGEST


# --- the same on a socket ---


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.text(st.sampled_from("ab ."), max_size=120), st.integers(0, 40)), min_size=1, max_size=8),
    st.sampled_from([0, 100, 1000]),
    st.integers(0, 3),
)
def test_a_socket_speaks_all_and_ends_once(tokens: list[tuple[str, int]], flush_ms: int, slow: int) -> None:
    """However tokens come, and however slowly they are spoken: all characters sound once, in order, and one `complete`
    comes after them."""

    async def main() -> None:
        server = WavesServer(WavesOptions(rtf=0.1 * slow, chunk_ms=1000), spelling_voice)
        frames: list[Frame] = []
        async with dialled(server) as socket:
            for token, pause in tokens:
                await socket.send(ask(token, max_buffer_flush_ms=flush_ms, **{"continue": True}))
                await trio.sleep(pause * 0.05)
            await socket.send(ask("", flush=True))
            try:
                while True:
                    frames.append(json.loads(await socket.recv()))
            except ConnectionClosedOK:
                pass
        said = "".join(token for token, _ in tokens)
        letters = pcm_of(frames)[::800]  # each is 50 ms at 8 kHz, two bytes a sample
        assert bytes(letters).decode().replace(" ", "") == said.replace(" ", "")
        assert [frame["status"] for frame in frames].index("complete") == len(frames) - 1
        assert server.snapshot()["in_flight"] == 0

    trio.run(main, clock=MockClock(autojump_threshold=0))

"""One link's life: asking, draining, dropping, and the slot that comes back with it; the provider is played by hand."""

from __future__ import annotations

from functools import partial

import pytest
import trio
from attrs import frozen
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestrator import events
from orchestrator.adapters.voices.waves import WavesCodec
from orchestrator.errors import FaultKind
from orchestrator.ports import Complete, Failed, Sound, SpeechRequest, VoiceFrame
from tests.speech.fake_links import FakeProvider, chunk, complete, error
from tests.speech.wire import Account, account, request

Frames = trio.MemoryReceiveChannel[VoiceFrame]

LONG = "x" * 120
"""Predicted at first: 0.5 s to the first audio, 8 s of it, 4.5 s in all."""


async def all_of(frames: Frames) -> list[VoiceFrame]:
    """Return the frames to the end of the channel."""
    with trio.fail_after(60):
        return [frame async for frame in frames]


async def says_at(provider: FakeProvider, *times: float) -> None:
    """Let the provider send a chunk of the request "a" at these times."""
    for time in times:
        await trio.sleep_until(time)
        provider.asked.say(chunk("a"))


def freed(opened: Account) -> tuple[float, str]:
    """Return when and why the one slot came back."""
    (event,) = opened.of(events.SlotFreed)
    return round(event.at, 6), event.cause


async def test_a_piece_from_request_to_complete(autojump_clock: MockClock) -> None:
    """The request goes out as encoded, frames come through in order, the slot is free at the terminal frame."""
    provider = FakeProvider()
    async with account(provider.dial) as opened, opened.borrowed() as (lease, grant):
        frames = lease.ask(request("Hello.", name="r1"), grant)
        await wait_all_tasks_blocked()
        link = provider.asked
        assert [link.sent[0][name] for name in ("text", "request_id", "complete_backoff_ms")] == ["Hello.", "r1", 0]
        await trio.sleep(0.2)
        link.say(chunk("r1"))
        await trio.sleep(0.3)
        assert opened.scheduler.queue.granted == 1
        link.say(complete("r1"))
        got = await all_of(frames)
        assert [type(frame) for frame in got] == [Sound, Complete]
        assert freed(opened) == (0.5, "complete")
        assert opened.pace.pieces == 1
        assert opened.pace.ttfb == pytest.approx(0.2)


async def test_audio_that_still_comes_keeps_the_link(autojump_clock: MockClock) -> None:
    """A provider slower than predicted is waited for as long as its frames are no more than 2 s apart."""
    provider = FakeProvider()
    async with account(provider.dial) as opened, opened.borrowed() as (lease, grant):
        frames = lease.ask(request("Hi."), grant)
        await wait_all_tasks_blocked()
        link = provider.asked
        for _ in range(8):
            await trio.sleep(1.9)
            link.say(chunk("a"))
        link.say(complete("a"))
        assert len(await all_of(frames)) == 9
        assert opened.of(events.LinkClosed) == []


async def test_a_cut_with_little_left_is_drained(autojump_clock: MockClock) -> None:
    """The borrower leaves at once, the slot stays taken until the end comes, and the link lives on."""
    provider = FakeProvider()
    async with account(provider.dial) as opened:
        async with opened.borrowed() as (lease, grant):
            frames = lease.ask(request(LONG), grant)
            await says_at(provider, 2.0, 4.0)
            await trio.sleep(0.4)
        frames.close()
        provider.asked.say(chunk("a"))
        await trio.sleep(0.3)
        assert (opened.scheduler.queue.granted, opened.of(events.LinkClosed)) == (1, [])
        provider.asked.say(complete("a"))
        await wait_all_tasks_blocked()
        assert freed(opened) == (4.7, "complete")
        assert opened.of(events.LinkClosed) == []


async def test_a_drain_without_an_end_is_given_up(autojump_clock: MockClock) -> None:
    """Nobody listens any more, but the slot still comes back."""
    provider = FakeProvider()
    async with account(provider.dial) as opened:
        async with opened.borrowed() as (lease, grant):
            lease.ask(request(LONG), grant).close()
            await says_at(provider, 2.0, 4.0)
            await trio.sleep(0.4)
        await trio.sleep(10)
        assert freed(opened) == (6.6, "settled")


async def test_a_cut_of_what_is_overdue_drops_the_link(autojump_clock: MockClock) -> None:
    """Its predicted end tells nothing any more, and nothing came of it: the slot is free after the settle time."""
    provider = FakeProvider()
    async with account(provider.dial) as opened:
        async with opened.borrowed() as (lease, grant):
            lease.ask(request(LONG), grant).close()
            await says_at(provider, 2.0, 4.0)
            await trio.sleep(2.4)
        await trio.sleep(1)
        assert freed(opened) == (6.5, "settled")
        assert [closed.reason for closed in opened.of(events.LinkClosed)] == ["cut"]


async def test_a_cut_does_not_prolong_what_was_patience_enough(autojump_clock: MockClock) -> None:
    """A late piece whose sound still comes is drained when it is cut; then it stops, 2 s after its last frame."""
    provider = FakeProvider()
    async with account(provider.dial) as opened:
        async with opened.borrowed() as (lease, grant):
            frames = lease.ask(request(LONG), grant)
            await says_at(provider, 2.0, 4.0, 6.0)
            await trio.sleep(0.15)
        frames.close()
        await trio.sleep(4)
        assert freed(opened) == (8.1, "settled")


async def test_a_cut_with_much_left_drops_the_link(autojump_clock: MockClock) -> None:
    """The link is closed at once, the slot is free after the settle time, and a spare that was open takes over."""
    provider = FakeProvider()
    async with account(provider.dial, settle=0.3) as opened:
        async with opened.borrowed() as (lease, grant):
            lease.ask(request(LONG), grant).close()
            await trio.sleep(1.0)
            spares = provider.open
        async with opened.borrowed("next") as (lease, grant):
            assert trio.current_time() == pytest.approx(1.3)
            lease.ask(request("Hi.", name="next"), grant)
            await wait_all_tasks_blocked()
            assert provider.asked in spares
            assert freed(opened) == (1.3, "settled")
            assert [closed.reason for closed in opened.of(events.LinkClosed)] == ["cut"]


async def test_frames_of_an_earlier_request_reach_nobody(autojump_clock: MockClock) -> None:
    """Late sound of a piece never sounds in the next on that link, and its late end does not end the next."""
    provider = FakeProvider()
    async with account(provider.dial, links=2) as opened:  # one of the two stays free: both use the same
        for name, late in (("first", "none"), ("second", "first")):
            async with opened.borrowed(name) as (lease, grant):
                frames = lease.ask(request("Hi.", name=name), grant)
                await wait_all_tasks_blocked()
                link = provider.asked
                link.say(chunk(late), complete(late), chunk(name), complete(name), chunk(name))
                got = await all_of(frames)
            assert [(type(frame), frame.id) for frame in got] == [(Sound, name), (Complete, name)]
            await trio.sleep(1)


GARBAGE = ["{", "[]", '{"status": "chunk"}', '{"status": "chunk", "data": {"audio": "?"}}', "\ud800"]


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_costs_the_link_and_no_more(autojump_clock: MockClock, garbage: str) -> None:
    """The borrower gets a fault worth retrying, the slot comes back, the pool goes on."""
    provider = FakeProvider()
    async with account(provider.dial) as opened:
        async with opened.borrowed() as (lease, grant):
            frames = lease.ask(request("Hi."), grant)
            await wait_all_tasks_blocked()
            provider.asked.say(garbage)
            (failed,) = await all_of(frames)
        assert isinstance(failed, Failed)
        assert failed.fault.kind is FaultKind.RETRY
        await trio.sleep(1)
        assert freed(opened) == (0.1, "settled")
        assert len(provider.open) == 2


@frozen
class Buggy(WavesCodec):
    """A codec with a bug in one of its methods."""

    bug: str = "decode"

    def encode(self, request: SpeechRequest) -> str:
        """Return the message, or raise what no codec should."""
        return super().encode(request) if self.bug != "encode" else str([][1])

    def decode(self, message: str | bytes) -> VoiceFrame | None:
        """Return the frame, or raise what no codec should."""
        return super().decode(message) if self.bug != "decode" else [][1]


@pytest.mark.parametrize("bug", ["encode", "decode"])
async def test_a_bug_costs_the_link_and_no_more(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, bug: str
) -> None:
    """Other than garbage, it is told with its traceback, and the link's place waits as after a failed dial."""
    monkeypatch.setattr("tests.speech.wire.WavesCodec", partial(Buggy, bug=bug))
    provider = FakeProvider()
    async with account(provider.dial, links=2) as opened:
        async with opened.borrowed() as (lease, grant):
            frames = lease.ask(request("Hi."), grant)
            await wait_all_tasks_blocked()
            for link in provider.open:
                link.say("{}")
            (failed,) = await all_of(frames)
        assert isinstance(failed, Failed)
        assert (failed.fault.kind, failed.fault.message) == (FaultKind.RETRY, "a bug: IndexError")
        await trio.sleep(0.15)
        assert freed(opened) == (0.1, "settled")
        (failure,) = opened.of(events.LinkFailed)
        assert (failure.kind, "IndexError" in failure.traceback) == ("bug", True)
        assert len(provider.dialled_at) == 1
        await trio.sleep(1)
        assert len(provider.open) == 1


async def test_a_peer_that_stops_reading_loses_its_link(autojump_clock: MockClock) -> None:
    """A request that can't be written in 2 s is given up with its link: half of it may be on the wire."""
    provider = FakeProvider()
    async with account(provider.dial) as opened, opened.borrowed() as (lease, grant):
        for link in provider.links:
            link.stuck = True
        frames = lease.ask(request(LONG), grant)
        (failed,) = await all_of(frames)
        assert isinstance(failed, Failed)
        assert (failed.fault.kind, failed.fault.message) == (FaultKind.RETRY, "nothing came for 2.0 s")
        assert trio.current_time() == pytest.approx(2.0)
        await trio.sleep(1)
        assert freed(opened) == (2.1, "settled")


async def test_more_frames_than_any_text_has_cost_the_link(autojump_clock: MockClock) -> None:
    """A borrower that does not read cannot make the keeper hold without end."""
    provider = FakeProvider()
    async with account(provider.dial) as opened, opened.borrowed() as (lease, grant):
        frames = lease.ask(request("Hi."), grant)
        await wait_all_tasks_blocked()
        provider.asked.say(*[chunk("a", seconds=0.001)] * 5000)
        await trio.sleep(1)
        assert len(await all_of(frames)) == 4096
        (closed,) = opened.of(events.LinkClosed)
        assert "far more frames" in closed.reason


REFUSALS = [
    ({"status": "error", "message": "Concurrency limit reached"}, FaultKind.CONCURRENCY, "refused"),
    ({"error": "Rate limit exceeded. Please retry after a short backoff."}, FaultKind.CONCURRENCY, "refused"),
    ({"error": "Rate limit exceeded", "code": "RATE_LIMIT_EXCEEDED", "retry_after": 6}, FaultKind.RATE, "refused"),
    ({"status": "error", "message": "Invalid input data", "errors": []}, FaultKind.REQUEST, "failed"),
    ({"status": "error", "error": {"message": "An unexpected error occurred."}}, FaultKind.RETRY, "failed"),
]


@pytest.mark.parametrize(("body", "kind", "cause"), REFUSALS)
async def test_an_error_frame_ends_the_piece(
    autojump_clock: MockClock, body: dict[str, object], kind: FaultKind, cause: str
) -> None:
    """Of either shape: the borrower gets the fault, the slot is free, and a refusal makes everybody wait."""
    provider = FakeProvider()
    async with account(provider.dial) as opened:
        async with opened.borrowed() as (lease, grant):
            frames = lease.ask(request("Hi."), grant)
            await wait_all_tasks_blocked()
            provider.asked.say(error(**body))
            (failed,) = await all_of(frames)
        assert isinstance(failed, Failed)
        assert failed.fault.kind is kind
        assert freed(opened) == (0.0, cause)
        assert [(told.kind, told.call) for told in opened.of(events.ProviderRefused)] == [(kind.value, "a")]
        async with opened.borrowed("next"):
            wait = {FaultKind.CONCURRENCY: 0.25, FaultKind.RATE: 6}.get(kind, 0.0)
            assert trio.current_time() == pytest.approx(wait, abs=1e-5)
        assert opened.of(events.LinkClosed) == []

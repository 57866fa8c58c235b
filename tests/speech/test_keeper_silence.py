"""A request that falls silent has failed, unless all its sound is there: before the sound, in it, and at its end."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestrator import events
from orchestrator.errors import FaultKind
from orchestrator.ports import Complete, Failed, Sound, Standing, VoiceFrame
from tests.speech.fake_links import FakeProvider, chunk, complete, word
from tests.speech.wire import Account, account, request

TEXT = "One two three."
LAST = word("a", 2, "three.", end=0.4)


async def speak(opened: Account, provider: FakeProvider, says: list[tuple[float, str]]) -> list[VoiceFrame]:
    """Ask for the text; let the provider say these, each so many seconds after the one before; return the frames."""
    async with opened.borrowed() as (lease, grant), lease.ask(request(TEXT), grant) as frames:
        await wait_all_tasks_blocked()
        link = provider.asked
        for after, message in says:
            await trio.sleep(after)
            if message == "hang up":
                link.hang_up()
            else:
                link.say(message)
        with trio.fail_after(60):
            return [frame async for frame in frames]


WHOLE = [(0.1, chunk("a", seconds=0.1)), (0.02, chunk("a", seconds=0.2)), (0.03, chunk("a", seconds=0.1)), (0.0, LAST)]


async def learn(opened: Account, provider: FakeProvider, *, pieces: int = 3) -> None:
    """Speak some pieces as they should be: first sound after 0.1 s, little between, 0.4 s in all."""
    for _ in range(pieces):
        frames = await speak(opened, provider, [*WHOLE, (0.0, complete("a"))])
        assert frames[-1] == Complete("a")
        await trio.sleep(0.6)
        for link in provider.links:
            link.sent.clear()


async def test_no_sound_is_a_failure_after_the_setting_and_sooner_once_it_is_known(autojump_clock: MockClock) -> None:
    """4 s, then 0.5 s, from the third failure in a row on doubled; the borrower hears of it in the same moment."""
    provider = FakeProvider()
    async with account(provider.dial) as opened:
        (failed,) = await speak(opened, provider, [])
        assert isinstance(failed, Failed)
        assert (failed.fault.kind, failed.fault.message) == (FaultKind.RETRY, "nothing came for 4.0 s")
        assert trio.current_time() == pytest.approx(4.0)
    provider = FakeProvider()
    async with account(provider.dial) as opened:
        await learn(opened, provider)
        for seconds in (0.5, 0.5, 1.0):
            began = trio.current_time()
            (failed,) = await speak(opened, provider, [])
            assert trio.current_time() - began == pytest.approx(seconds, abs=1e-3)
            assert isinstance(failed, Failed)
            await trio.sleep(3)
        settled = [freed.held for freed in opened.of(events.SlotFreed) if freed.cause == "settled"]
        assert settled == [pytest.approx(held + 0.1, abs=1e-3) for held in (0.5, 0.5, 1.0)]


async def test_sound_that_stops_in_the_middle_is_a_failure(autojump_clock: MockClock) -> None:
    """After half a second, not two; what came is passed on first, and after two such times the next is longer."""
    provider = FakeProvider()
    async with account(provider.dial) as opened:
        await learn(opened, provider)
        for seconds in (0.5, 0.5, 1.0):
            began = trio.current_time()
            frames = await speak(opened, provider, WHOLE[:2])
            assert [type(frame) for frame in frames] == [Sound, Sound, Failed]
            assert trio.current_time() - began == pytest.approx(0.12 + seconds, abs=1e-3)
            await trio.sleep(0.5)
        await learn(opened, provider, pieces=1)
        assert [told.standing for told in opened.of(events.StandingChanged)] == ["doubtful", "up"] * 3


@pytest.mark.parametrize("ends", ["silence", "the connection is cut"])
async def test_a_piece_whose_sound_is_all_there_is_whole(autojump_clock: MockClock, ends: str) -> None:
    """Its `complete` does not come, or its link is gone before: the borrower gets one, the slot settles."""
    provider = FakeProvider()
    async with account(provider.dial) as opened:
        await learn(opened, provider)
        began = trio.current_time()
        more = [(0.01, "hang up")] if ends != "silence" else []
        frames = await speak(opened, provider, [*WHOLE, *more])
        assert [type(frame).__name__ for frame in frames] == ["Sound"] * 3 + ["WordTime", "Complete"]
        assert trio.current_time() - began == pytest.approx(0.15 + (0.01 if more else 0.5), abs=1e-3)
        await trio.sleep(0.5)
        assert opened.of(events.SlotFreed)[-1].cause == "settled"
        assert opened.pool.standing is Standing.UP
        assert opened.pace.rtf < 0.2  # the wait for its end is no time that sound takes


async def test_a_late_word_is_not_spoken_for_by_silence(autojump_clock: MockClock) -> None:
    """The last word is missing: the piece has failed, whatever its length."""
    provider = FakeProvider()
    async with account(provider.dial) as opened:
        await learn(opened, provider)
        frames = await speak(opened, provider, [*WHOLE[:3], (0.0, word("a", 1, "two", end=0.3))])
        assert isinstance(frames[-1], Failed)


async def test_three_late_completes_make_quiet_be_tried(autojump_clock: MockClock) -> None:
    """Told once; then the slot is free 0.25 s after the sound."""
    provider = FakeProvider()
    async with account(provider.dial) as opened:
        await learn(opened, provider)
        for _ in range(4):
            await speak(opened, provider, WHOLE)
            await trio.sleep(0.6)
        (changed,) = opened.of(events.SlotFreedByChanged)
        assert (changed.by, round(changed.trailed, 3)) == ("quiet", 0.5)
        freed = opened.of(events.SlotFreed)[-1]
        assert (freed.cause, round(freed.held, 3)) == ("complete", 0.15 + 0.25)


async def test_links_are_used_again_at_once_after_quiet(autojump_clock: MockClock) -> None:
    """Where they outlive their `complete`; late frames of the piece before reach nobody."""
    provider = FakeProvider()
    async with account(provider.dial, links=2, slot_freed_by="quiet") as opened:
        await learn(opened, provider, pieces=2)
        frames = await speak(opened, provider, WHOLE)
        assert isinstance(frames[-1], Complete)
        (link,) = provider.open
        async with opened.borrowed() as (lease, grant):
            with lease.ask(request("Hi.", name="b"), grant) as others:
                await wait_all_tasks_blocked()
                assert link.sent[-1]["request_id"] == "b"
                link.say(chunk("a"), complete("a"), chunk("b"), complete("b"))
                assert [(type(frame), frame.id) async for frame in others] == [(Sound, "b"), (Complete, "b")]
        assert len(provider.links) == 1


async def test_sound_after_quiet_had_begun_is_waited_for(autojump_clock: MockClock) -> None:
    """A pause inside a piece of a voice that tells no words frees nothing."""
    provider, pause = FakeProvider(), chunk("a", seconds=0.4, level=0)
    async with account(provider.dial, slot_freed_by="quiet") as opened:
        say = [(0.1, chunk("a", seconds=0.6)), (0.1, pause), (0.2, chunk("a", seconds=0.6)), (0.2, pause)]
        frames = await speak(opened, provider, say)
        assert [type(frame) for frame in frames] == [*[Sound] * 4, Complete]
        assert trio.current_time() == pytest.approx(0.6 + 0.25)


async def test_refusals_after_quiet_teach_to_close_the_link(autojump_clock: MockClock) -> None:
    """Three times: then the slot is free when the link is gone and has settled."""
    provider = FakeProvider()
    refusal = '{"status": "error", "message": "Concurrency limit reached"}'
    async with account(provider.dial, slot_freed_by="quiet") as opened:
        await learn(opened, provider, pieces=2)
        for held in (0.4, 0.65, 1.1):
            await speak(opened, provider, WHOLE)
            assert round(opened.of(events.SlotFreed)[-1].held, 3) == held
            for link in provider.links:
                link.sent.clear()
            assert isinstance((await speak(opened, provider, [(0.01, refusal)]))[-1], Failed)
            await trio.sleep(5)
            for link in provider.links:
                link.sent.clear()
        await speak(opened, provider, WHOLE)
        await trio.sleep(1)
        freed = opened.of(events.SlotFreed)[-1]
        assert (freed.cause, round(freed.held, 3)) == ("settled", 0.15 + 0.25 + 0.1)
        assert opened.of(events.LinkClosed)[-1].reason == "quiet"

"""Sounds for something else than a call: whole, at 24 kHz, made when no caller needs the slot, or from the cache."""

from __future__ import annotations

import math

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from orchestrator.errors import BotError, FaultKind, ProviderFault
from orchestrator.speech.phrase_making import Means
from orchestrator.speech.sounds import MOST_CHARACTERS, RATE, SoundMaker, _Turns
from tests.speech.phrase_world import LONG, SHORT, VOICE, ScriptedVoice, World, world

RETRY = ProviderFault(FaultKind.RETRY, "a dropped socket")


def maker(account: World) -> SoundMaker:
    """Return one of that account."""
    means = Means(slots=account.slots, pool=account.pool, pace=account.pace)
    return SoundMaker(account.settings, cache=account.cache, means=means)


async def test_a_sound_is_the_whole_text_at_24_khz(autojump_clock: MockClock) -> None:
    """In parts of a second of slot at most, one after the other, each under a name of its own."""
    async with world() as account:
        sound = await maker(account).make(LONG, voice=VOICE, keep=False)
        assert sound.rate == RATE
        requests = [request for _, request in account.voice.asked]
        assert {request.rate for request in requests} == {RATE}
        assert "".join("".join(request.text.split()) for request in requests) == "".join(LONG.split())
        assert [request.id for request in requests] == [f"phrase-video-{n + 1}" for n in range(len(requests))]


async def test_callers_go_first(autojump_clock: MockClock) -> None:
    """While a call holds the slot nothing is asked for."""
    async with world() as account, trio.open_nursery() as nursery:
        nursery.start_soon(account.hold_slot, 5.0)
        await trio.sleep(0.1)
        with trio.move_on_after(4.0) as patience:
            await maker(account).make(SHORT, voice=VOICE, keep=False)
        assert patience.cancelled_caught
        assert account.voice.asked == []


async def test_only_what_is_to_be_kept_goes_into_the_cache(autojump_clock: MockClock) -> None:
    """And costs nothing the second time."""
    async with world() as account:
        sounds = maker(account)
        first = await sounds.make(SHORT, voice=VOICE, keep=False)
        await sounds.make(SHORT, voice=VOICE, keep=True)
        assert account.voice.texts == [SHORT, SHORT]
        assert await sounds.make(SHORT, voice=VOICE, keep=False) == first
        assert account.voice.texts == [SHORT, SHORT]


async def test_several_are_made_one_after_the_other(autojump_clock: MockClock) -> None:
    """None of them hinders another; two of the same text, too."""
    async with world() as account:
        sounds, made = maker(account), list[float]()

        async def make(text: str) -> None:
            made.append((await sounds.make(text, voice=VOICE, keep=False)).seconds)

        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                for text in (SHORT, LONG, SHORT, SHORT):
                    nursery.start_soon(make, text)
        assert len(made) == 4


async def test_the_highest_priority_goes_first_of_those_who_wait(autojump_clock: MockClock) -> None:
    """Then who came first; one who leaves the queue holds nobody up."""
    async with world() as account:
        sounds, made = maker(account), list[str]()

        async def make(name: str, priority: int, within: float = math.inf) -> None:
            with trio.move_on_after(within):
                await sounds.make(f"This is {name}.", voice=VOICE, keep=False, priority=priority)
                made.append(name)

        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                for wish in (("one", 0), ("two", 0), ("three", 5), ("four", 9, 0.1), ("five", -5), ("six", 5)):
                    nursery.start_soon(make, *wish)
                    await trio.testing.wait_all_tasks_blocked()
        assert made == ["one", "three", "six", "two", "five"]


async def test_a_turn_is_given_back_by_who_is_cancelled_in_it(autojump_clock: MockClock) -> None:
    """The next one begins."""
    async with world() as account, trio.open_nursery() as nursery:
        sounds = maker(account)
        nursery.start_soon(account.hold_slot, 5.0)
        await trio.sleep(0.1)
        for within in (1.0, 2.0):
            with trio.move_on_after(within):
                await sounds.make(SHORT, voice=VOICE, keep=False)
        with trio.fail_after(60):
            assert (await sounds.make(SHORT, voice=VOICE, keep=False)).seconds > 0


async def test_a_turn_that_comes_in_the_moment_of_a_cancel_is_passed_on() -> None:
    """Whoever is cancelled and granted in one tick keeps nobody else out."""
    turns, cancelled = _Turns(), trio.CancelScope()

    async def wait_cancelled() -> None:
        with cancelled:
            async with turns.wait(0):
                raise AssertionError("it was cancelled")

    async with trio.open_nursery() as nursery, turns.wait(0):
        nursery.start_soon(wait_cancelled)
        await trio.testing.wait_all_tasks_blocked()
        cancelled.cancel()
    with trio.fail_after(1):
        async with turns.wait(0):
            pass


async def test_a_text_that_is_too_long_is_refused(autojump_clock: MockClock) -> None:
    """At once: all the others would wait for it."""
    async with world() as account:
        with pytest.raises(BotError, match="the text has 5001 characters; expected at most 5000"):
            await maker(account).make("x" * (MOST_CHARACTERS + 1), voice=VOICE, keep=False)
        assert account.voice.asked == []


async def test_a_fault_that_may_pass_is_tried_again_later(autojump_clock: MockClock) -> None:
    """With pauses that grow."""
    voice = ScriptedVoice()
    voice.faults.extend([RETRY, None])
    async with world(voice) as account:
        began = trio.current_time()
        assert (await maker(account).make(SHORT, voice=VOICE, keep=False)).seconds > 0
        assert trio.current_time() - began > 2
        assert len(account.voice.asked) == 2


@pytest.mark.parametrize(
    ("fault", "tries"), [(ProviderFault(FaultKind.REQUEST, "no such voice"), 1), (RETRY, 8)], ids=["for good", "always"]
)
async def test_what_fails_for_good_or_always_is_raised(
    autojump_clock: MockClock, fault: ProviderFault, tries: int
) -> None:
    """At once, or after eight tries."""
    voice = ScriptedVoice()
    voice.faults.extend([fault] * 20)
    async with world(voice) as account:
        with trio.fail_after(2000), pytest.raises(ProviderFault):
            await maker(account).make(SHORT, voice=VOICE, keep=False)
        assert sum(request.id.startswith("phrase-video") for _, request in account.voice.asked) == tries


async def test_a_provider_that_is_gone_is_waited_for(autojump_clock: MockClock) -> None:
    """However long that takes, and no try is counted."""
    voice = ScriptedVoice(gone=True)
    async with world(voice) as account, trio.open_nursery() as nursery:
        sound = None

        async def make() -> None:
            nonlocal sound
            sound = await maker(account).make(SHORT, voice=VOICE, keep=False)

        nursery.start_soon(make)
        await trio.sleep(600)
        assert sound is None
        voice.gone = False
        await trio.sleep(120)
        assert sound is not None

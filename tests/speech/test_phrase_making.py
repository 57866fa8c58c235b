"""Phrases are made in idle slot time only, in short parts, and never in a call's way."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.events import SlotFreed, SlotGranted
from orchestrator.speech.phrase import Phrase
from tests.speech.kept import at_each_checkpoint
from tests.speech.phrase_world import LONG, RATE, SHORT, ScriptedVoice, world

# --- how ---


async def test_a_phrase_is_trimmed_and_knows_its_words(autojump_clock: MockClock) -> None:
    """As a reply's piece: 20 ms of silence ahead, 50 behind as it came; so words begin 30 ms sooner than they came."""
    async with world() as account:
        account.want(SHORT)
        assert await account.phrases.wait_ready(30)
        phrase = account.ready(SHORT)
        assert phrase is not None
        assert phrase.seconds == pytest.approx(11 / 15 - 0.1 + 0.02 + 0.05, abs=0.006)
        assert [(index, word) for index, word, _, _ in phrase.words] == [(0, "Let"), (1, "me"), (2, "see.")]
        starts = [start for _, _, start, _ in phrase.words]
        assert starts == pytest.approx([0.0, 4 / 15 - 0.03, 7 / 15 - 0.03], abs=1e-6)


@pytest.mark.parametrize(("ttfb", "rtf"), [(0.1, 0.1), (0.2, 0.3), (0.3, 0.5)])
async def test_a_long_phrase_is_made_in_parts_of_a_second_of_slot(
    ttfb: float, rtf: float, autojump_clock: MockClock
) -> None:
    """None is broken inside a word; the parts follow each other in sound and words."""
    async with world(ScriptedVoice(ttfb=ttfb, rtf=rtf)) as account:
        account.want(LONG)
        assert await account.phrases.wait_ready(60)
        assert " ".join(account.voice.texts) == LONG
        held = [event.held for event in account.of(SlotFreed)]
        assert len(held) == len(account.voice.texts)
        assert max(held) <= 1.05
        phrase = account.ready(LONG)
        assert phrase is not None
        assert [word for _, word, _, _ in phrase.words] == LONG.split()
        assert [index for index, _, _, _ in phrase.words] == list(range(len(LONG.split())))
        times = [time for _, _, start, end in phrase.words for time in (start, end)]
        assert all(later >= earlier - 1e-9 for earlier, later in pairwise(times))


async def test_nothing_to_do_costs_nothing(autojump_clock: MockClock) -> None:
    """Phrases that are ready wake nobody, nor do those of which nothing comes."""

    class Steps(trio.abc.Instrument):
        count = 0

        def before_task_step(self, task: trio.lowlevel.Task) -> None:
            self.count += "Phrases" in task.name

    account_voice = ScriptedVoice(faults=deque([ProviderFault(FaultKind.REQUEST, "no such voice")]))
    async with world(account_voice) as account:
        account.want(SHORT, "Please hold the line.")
        await account.phrases.wait_ready(30)
        await wait_all_tasks_blocked()
        steps = Steps()
        trio.lowlevel.add_instrument(steps)
        await trio.sleep(3600)
        assert steps.count == 0


# --- when ---


async def test_no_phrase_is_made_while_a_bot_thinks_or_a_call_speaks(autojump_clock: MockClock) -> None:
    """It begins when nobody will need the slot for as long as it takes."""
    async with world() as account:
        account.slots.begin_reply("a", weight=1.0)
        account.slots.expect("a")  # its caller fell silent: the bot thinks
        account.want(SHORT)
        await trio.sleep(3)
        assert account.voice.asked == []
        account.slots.close("a")
        assert await account.phrases.wait_ready(1)


async def test_a_call_that_wants_the_slot_goes_first(autojump_clock: MockClock) -> None:
    """It waits for one part at most; the rest of the phrase comes later, and none of it is asked for twice."""
    async with world(ScriptedVoice(ttfb=0.3, rtf=0.5)) as account:
        account.want(LONG)
        await account.voice.begun.wait()
        wished = trio.current_time()
        granted = await account.hold_slot(2.0)
        assert granted - wished <= 1.0
        parts = len(account.voice.asked)
        assert all(not wished < at < granted + 2 for at, _ in account.voice.asked)
        assert await account.phrases.wait_ready(60)
        assert len(account.voice.asked) > parts
        assert " ".join(account.voice.texts) == LONG


async def test_who_wants_a_phrase_at_once_makes_it_and_is_not_kept_waiting(autojump_clock: MockClock) -> None:
    """While the phrase waits for idle time its claim is given up; then the call's is the phrase that is ready."""
    async with world(ScriptedVoice(ttfb=0.3, rtf=0.5)) as account:
        account.want(LONG)
        await account.voice.begun.wait()
        account.slots.begin_reply("a", weight=1.0)
        account.slots.expect("a")  # from now on nothing is idle
        await trio.sleep(5)
        assert account.ready(LONG) is None
        began = trio.current_time()
        key = account.key(LONG)
        async with account.cache.claim(key) as claim:
            assert claim.phrase is None
            assert trio.current_time() == began
            await trio.sleep(1)
            await claim.store(Phrase(pcm=b"\x10\x20" * 800, rate=RATE))
        assert await account.phrases.wait_ready(1)
        assert account.ready(LONG) == Phrase(pcm=b"\x10\x20" * 800, rate=RATE)
        assert len(account.voice.asked) == 1


def test_a_cancel_at_any_checkpoint_of_making_loses_no_slot() -> None:
    """The slot comes back, the claim is free, and the phrase can be made by the next."""

    async def scenario(scope: trio.CancelScope) -> None:
        async with world(ScriptedVoice(ttfb=0.3, rtf=0.5)) as account:
            text = "Please hold the line, I shall be with you in a moment."
            key = account.key(text)
            maker = account.phrases._maker

            async def cut() -> None:
                with scope:
                    async with account.cache.claim(key) as claim:
                        made = await maker.make(claim)
                        assert made is not None
                        await claim.store(made)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(cut)
            account.want(text)
            assert await account.phrases.wait_ready(30)
            await trio.sleep(3)
            assert len(account.of(SlotGranted)) == len(account.of(SlotFreed))
            assert account.cache._desks == {}
            assert account.ready(text) is not None

    assert at_each_checkpoint(scenario) >= 8

"""Claims about a provider that fails: no word is lost while it works again, and a call survives one that does not."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from functools import partial

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from orchestrator import Talk, Turn, events
from orchestrator.adapters.telephony.loopback import Phone
from orchestrator.events import Outcome
from orchestrator.settings import SpeechSettings
from tests.dialogue.calls import hear_out, open_desk, say, saying
from tests.dialogue.calls import settings as call_settings
from tests.dialogue.talkers import Noted
from tests.dialogue.voices import MarkedVoice

TEXT = (
    "First of all, thank you for calling us today. We are open from nine to five, except on Sundays. "
    "If you want to come by, please bring a passport and a little patience. Is there anything else?"
)
PATIENCE = 8.0
"""Seconds of silence that the callers bear."""


def whole_and_in_order(sounded: list[str]) -> bool:
    """Whether every word of the text sounded, in order (a broken one may have sounded twice, in part)."""
    words = iter(sounded)
    return all(word in words for word in TEXT.split())


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["", "concurrency", "drop", "silence", "no end"]), max_size=6))
def test_faults_that_pass_lose_no_word(faults: list[str]) -> None:
    """In any order: all of the reply is heard, nothing is unspoken, no slot is lost, one request at a time."""

    async def main() -> None:
        voice = MarkedVoice(faults=deque(faults))
        speech = SpeechSettings(tries=7)
        async with open_desk(call_settings(speech=speech), voice.dial) as desk:
            call = await desk.call("a", Noted, saying("hello", quiet=PATIENCE), options={"answer": TEXT})
            (ended,) = desk.of(events.ReplyEnded)
            assert (ended.outcome, ended.heard, ended.unspoken) == (Outcome.HEARD, len(TEXT), 0)
            assert whole_and_in_order(voice.words_in(call.tape.sound))
            await trio.sleep(3)
            assert len(desk.of(events.SlotGranted)) == len(desk.of(events.SlotFreed))
            assert voice.most_in_flight == 1
            assert voice.in_flight == 0

    trio.run(main, clock=MockClock(autojump_threshold=0))


async def hangs_up_unheard(phone: Phone) -> None:
    """A caller who asks twice, hears nothing and goes."""
    for text in ("hello", "again"):
        await say(phone, text)
        await trio.sleep(60)
    phone.hang_up()


@pytest.mark.parametrize("fault", ["concurrency", "drop", "silence", "no end"])
async def test_a_fault_in_one_call_leaves_the_other_one_whole(fault: str, autojump_clock: MockClock) -> None:
    """They share the account; both are heard."""
    voice = MarkedVoice(faults=deque(["", fault]))
    patient = saying("hello", quiet=PATIENCE)
    async with open_desk(dial=voice.dial) as desk:
        async with trio.open_nursery() as nursery:
            for name in ("a", "b"):
                nursery.start_soon(partial(desk.call, name, Noted, patient, options={"answer": TEXT}))
        assert [ended.outcome for ended in desk.of(events.ReplyEnded)] == [Outcome.HEARD, Outcome.HEARD]


@pytest.mark.parametrize("faults", [["request"], ["silence"] * 4, ["", "request"], ["", *["silence"] * 4]])
async def test_what_cannot_be_spoken_is_unspoken_and_the_call_goes_on(
    faults: list[str], autojump_clock: MockClock
) -> None:
    """A refusal for good at once, one that should pass after so many tries; what came before is heard."""
    voice = MarkedVoice(faults=deque(faults))
    async with open_desk(dial=voice.dial) as desk:

        async def caller(phone: Phone) -> None:
            await say(phone, "hello")
            await trio.sleep(30)
            await say(phone, "again")
            await hear_out(phone)
            phone.hang_up()

        call = await desk.call("a", Noted, caller, options={"answer": TEXT})
        first, second = call.replies
        assert (first.heard + first.unspoken, first.cut) == (TEXT, "")
        came = voice.asked[0] + " " if not faults[0] else ""
        assert first.unspoken == TEXT.removeprefix(came) != ""
        assert desk.of(events.ReplyEnded)[0].outcome is Outcome.UNSPOKEN
        assert second.heard == TEXT
        assert call.reason == "caller"
        assert desk.of(events.CallFailed) == []


async def test_a_final_fault_ends_no_call(autojump_clock: MockClock) -> None:
    """The key was revoked: nothing is spoken, nobody crashes, and the caller can still hang up."""
    voice = MarkedVoice(faults=deque(["final"] * 99))
    async with open_desk(dial=voice.dial) as desk:
        call = await desk.call("a", Noted, hangs_up_unheard, options={"answer": TEXT})
        assert [(reply.heard, reply.unspoken) for reply in call.replies] == [("", TEXT)] * 2
        assert call.reason == "caller"


async def test_a_reply_that_was_given_up_ends_though_its_bot_talks_on(autojump_clock: MockClock) -> None:
    """A bot far ahead of its voice waits for room, a slow one thinks: neither holds the call."""

    class Endless(Noted):
        async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
            while True:
                yield "This is a sentence of text. "

    class Slow(Noted):
        async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
            yield TEXT
            await trio.sleep(7)
            yield TEXT

    for bot in (Endless, Slow):
        async with open_desk(dial=MarkedVoice(faults=deque(["request"])).dial) as desk:
            await desk.call("a", bot, hangs_up_unheard)
            ended = desk.of(events.ReplyEnded)[0]
            assert ended.outcome is Outcome.UNSPOKEN
            assert ended.at - desk.at(events.ReplyReady) < 1.0

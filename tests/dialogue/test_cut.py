"""Claims about the cut: the line is silent at once, the transcript ends at the word last heard, the next turn is
answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from orchestrator import Heard, Say, Talk, Turn, events
from orchestrator.adapters.telephony.loopback import Phone
from tests.dialogue.calls import Caller, hear_out, open_desk, say
from tests.dialogue.talkers import Noted
from tests.dialogue.voices import MarkedVoice

STORY = (
    "One morning, the old man went to the harbour. He had slept badly, and nobody had brought coffee. "
    "The boats were out already. He sat down on a box, took off his hat and waited for the first one to return."
)


def interrupting(after: float) -> Caller:
    """A caller who interrupts so many seconds into the reply."""

    async def caller(phone: Phone) -> None:
        await say(phone, "tell me")
        await phone.wait_bot_speaks()
        await trio.sleep(after)
        await say(phone, "stop")
        await hear_out(phone)
        phone.hang_up()

    return caller


class Stories(Noted):
    """Tells the story, then says that it stopped."""

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str | Say]:
        """Tell it word by word."""
        if turn.text == "stop":
            yield "I stop."
            return
        for word in STORY.split(" "):
            yield f"{word} "


@settings(max_examples=60)
@given(st.floats(0.001, 9))
def test_the_transcript_ends_at_the_word_last_heard(after: float) -> None:
    """Wherever the cut falls: what is written down as heard is what sounded whole, and the rest of it is cut."""

    async def main() -> None:
        voice, log = MarkedVoice(), list[Any]()
        async with open_desk(dial=voice.dial) as desk:
            call = await desk.call("a", Stories, interrupting(after), options={"log": log})
            story, stop = call.replies
            assert story.heard + story.cut == STORY + " "
            assert stop.heard == "I stop."
            cut_at = desk.at(events.LegCleared)
            sound = b"".join(pcm for at, pcm in call.tape.bot if at <= cut_at)
            heard, sounded = story.heard.split(), voice.words_in(sound)
            # A frame is whole: one word may end inside the 20 ms that were on their way.
            assert sounded[: len(heard)] == heard
            assert len(sounded) - len(heard) in (0, 1)
            assert not [at for at, _ in call.tape.bot if cut_at < at < desk.at(events.CallerTurnEnded) + 0.5]
            assert log[0] == Heard(story.heard, story.cut, "")
            assert voice.most_in_flight == 1
            assert len(desk.of(events.SlotGranted)) == len(desk.of(events.SlotFreed))

    trio.run(main, clock=MockClock(autojump_threshold=0))


async def test_a_cut_while_the_bot_thinks_is_no_barge_in(autojump_clock: MockClock) -> None:
    """Nothing was heard: all of it is cut, the bot's generator is closed, and what the caller adds is answered."""
    log: list[Any] = []

    class Slow(Noted):
        async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
            try:
                yield "Well "
                await trio.sleep(3 if turn.text == "one" else 0)
                yield "yes."
            finally:
                self.log.append("closed")

    async def caller(phone: Phone) -> None:
        await say(phone, "one")
        await trio.sleep(1)
        await say(phone, "and two")
        await hear_out(phone)
        phone.hang_up()

    async with open_desk() as desk:
        call = await desk.call("a", Slow, caller, options={"log": log})
        assert [(reply.heard, reply.cut) for reply in call.replies] == [("", "Well "), ("Well yes.", "")]
        assert desk.of(events.BargedIn) == []
        assert log == ["closed", Heard("", "Well ", ""), "closed", Heard("Well yes.", "", ""), "on_hang_up"]


async def test_the_slot_is_free_for_another_call_soon_after_a_cut(autojump_clock: MockClock) -> None:
    """The provider still makes the rest: the link is dropped, and the slot comes back after the settle time."""
    voice = MarkedVoice()

    async def other(phone: Phone) -> None:
        await trio.sleep(1.0)
        await say(phone, "hello")
        await hear_out(phone)
        phone.hang_up()

    async def impatient(phone: Phone) -> None:
        await say(phone, "tell me")
        await phone.wait_bot_speaks()
        await trio.sleep(0.1)
        phone.hang_up()

    async with open_desk(dial=voice.dial) as desk:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(desk.call, "a", Stories, impatient)
            nursery.start_soon(desk.call, "b", Noted, other)
        granted = desk.of(events.SlotGranted, "b")[0]
        assert granted.wait is not None
        assert granted.wait < 0.5
        assert voice.most_in_flight == 1


IMPORTANT = "This call is recorded for training. "


class Careful(Noted):
    """Says something first that is not to be interrupted."""

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str | Say]:
        """Answer."""
        if turn.text == "tell me":
            yield Say(IMPORTANT, interruptible=False)
            yield STORY
        else:
            yield "Yes."


@pytest.mark.parametrize(("after", "heard_whole"), [(0.5, True), (4.0, False)])
async def test_what_is_not_to_be_interrupted_is_heard_to_its_end(
    after: float, heard_whole: bool, autojump_clock: MockClock
) -> None:
    """Only that part of the reply: what follows it can be cut."""
    async with open_desk(dial=MarkedVoice().dial) as desk:
        call = await desk.call("a", Careful, interrupting(after))
        reply, answer = call.replies
        assert answer.heard == "Yes."
        assert reply.heard.startswith(IMPORTANT)
        assert (reply.cut == "") is heard_whole
        assert len(desk.of(events.BargedIn)) == (not heard_whole)


async def test_the_end_of_the_call_cuts_too(autojump_clock: MockClock) -> None:
    """The caller hangs up in mid-word: heard up to there, nothing unspoken."""

    async def caller(phone: Phone) -> None:
        await say(phone, "tell me")
        await phone.wait_bot_speaks()
        await trio.sleep(2)
        phone.hang_up()

    voice = MarkedVoice()
    async with open_desk(dial=voice.dial) as desk:
        call = await desk.call("a", Stories, caller)
        (reply,) = call.replies
        assert reply.heard.split() == voice.words_in(call.tape.sound)
        assert reply.heard + reply.cut == STORY + " "
        (ended,) = desk.of(events.ReplyEnded)
        assert ended.outcome is events.Outcome.CUT
        assert ended.words == ended.words_heard + ended.words_cut


async def test_an_interruption_that_outlasts_what_is_protected_cuts_the_rest(autojump_clock: MockClock) -> None:
    """The caller began in the protected sentence and still talks when it is over: the bot does not talk on."""

    async def caller(phone: Phone) -> None:
        await say(phone, "tell me")
        await phone.wait_bot_speaks()
        await trio.sleep(0.5)
        await say(phone, "wait", seconds=6)
        await hear_out(phone)
        phone.hang_up()

    async with open_desk(dial=MarkedVoice().dial) as desk:
        call = await desk.call("a", Careful, caller)
        reply, answer = call.replies
        assert reply.heard.startswith(IMPORTANT)
        assert reply.cut != ""
        assert len(reply.heard) < len(IMPORTANT) + 20
        assert answer.heard == "Yes."
        assert len(desk.of(events.BargedIn)) == 1


@pytest.mark.parametrize("dropped", [True, False])
async def test_nothing_sounds_on_while_a_cut_bot_cleans_up(dropped: bool, autojump_clock: MockClock) -> None:
    """The line drops, or the call is cancelled, and the bot shields its clean-up: the reply ended at that moment."""

    class Tidy(Noted):
        async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str | Say]:
            try:
                yield STORY
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await trio.sleep(2)

    voice = MarkedVoice()
    async with open_desk(dial=voice.dial) as desk:

        async def caller(phone: Phone) -> None:
            await say(phone, "tell me")
            await phone.wait_bot_speaks()
            await trio.sleep(1)
            if dropped:
                desk.calls["a"].leg.end()
            else:
                run.cancel()

        with trio.CancelScope() as run:
            await desk.call("a", Tidy, caller)
        call = desk.calls["a"]
        sounded = voice.words_in(call.tape.sound)
        heard = call.replies[0].heard.split()
        assert heard == sounded[: len(heard)]
        assert len(sounded) - len(heard) <= 1

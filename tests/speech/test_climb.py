"""Claims about a reply that must wait: what the caller hears meanwhile, and that no word of the reply suffers by it."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from orchestrator import Say, events
from orchestrator.adapters.telephony.loopback import Phone
from orchestrator.ports import Ask
from orchestrator.settings import LadderSettings
from orchestrator.slot.scheduler import Scheduler
from simulations.plain_voice import SimulatedLocalVoice
from tests.dialogue.calls import RATE, Call, Desk, hear_out, open_desk, say, saying, settings
from tests.dialogue.talkers import Hooked, Noted
from tests.dialogue.voices import MarkedVoice

TEXT = "We have a table at seven. It is near the window, and it has a view of the lake."


def ladder(**changes: Any) -> LadderSettings:
    """A ladder with short texts, which the test's voice (20 characters a second) says in less than a second."""
    texts: dict[str, Any] = {"fillers": {"en": ("One moment.",)}, "words": {"en": ("Still here.",)}}
    return LadderSettings(**{**texts, "apologies": {"en": ("I am sorry.",)}, **changes})


async def occupy(desk: Desk, seconds: float) -> None:
    """Hold the slot as another call would, for so long."""
    slots = desk.orchestrator._reception.service.slots
    assert isinstance(slots, Scheduler)
    async with slots.join(Ask(call="other", reply=1, first=True, need_in=-9.0, expected=seconds)):
        await trio.sleep(seconds)


async def call_while_busy(desk: Desk, seconds: float, *, answer: str | Say = TEXT) -> Call:
    """Run a call whose reply must wait that long for the slot."""

    async def caller(phone: Phone) -> None:
        await say(phone, "hello")
        await phone.wait_bot_speaks()
        await phone.wait_bot_quiet(3.0)
        phone.hang_up()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(occupy, desk, 0.5 + seconds)
        return await desk.call("a", Noted, caller, options={"answer": answer})


async def ready(desk: Desk) -> None:
    """Have the phrases rendered."""
    desk.orchestrator.want_phrases(rate=RATE)
    assert await desk.orchestrator.wait_phrases(within=60.0)


async def test_a_filler_covers_a_wait_that_is_as_long(autojump_clock: MockClock) -> None:
    """Once, from 0.3 s on, in the call's own voice; then the reply, whole, and no gap is told."""
    voice = MarkedVoice()
    async with open_desk(settings(ladder=ladder()), voice.dial) as desk:
        await ready(desk)
        call = await call_while_busy(desk, 1.5)
        [words] = desk.of(events.RungWords)
        assert [event.rung for event in desk.of(events.RungTaken)] == ["filler"]
        assert words.at - desk.at(events.ReplyReady) == pytest.approx(0.3, abs=0.05)
        assert words.seconds == pytest.approx(11 / 20, abs=0.1)
        assert desk.at(events.FirstWordHeard) == words.at
        assert desk.at(events.FirstAudioPlayed) > words.at + words.seconds
        assert desk.of(events.Gapped) == []
        assert call.replies[0].heard == TEXT
        assert voice.words_in(call.tape.sound) == ["One", "moment.", *TEXT.split()]


@pytest.mark.parametrize(("wait", "expected"), [(1.0, 11 / 20), (3.0, 20 / 20)])
async def test_of_the_fillers_one_of_the_longest_is_said(
    wait: float, expected: float, autojump_clock: MockClock
) -> None:
    """Of those that the wait has room for, and the setting allows: the more of it is covered, the better."""
    fillers = {"en": ("One moment.", "One moment, please, I am looking it up.", "I will be with you.")}
    async with open_desk(settings(ladder=ladder(fillers=fillers)), MarkedVoice().dial) as desk:
        await ready(desk)
        await call_while_busy(desk, wait)
        [words] = desk.of(events.RungWords)
        assert words.seconds == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("wait", [0.2, 0.6])
async def test_a_short_wait_is_quiet(wait: float, autojump_clock: MockClock) -> None:
    """What would outlast the wait is not begun."""
    async with open_desk(settings(ladder=ladder()), MarkedVoice().dial) as desk:
        await ready(desk)
        await call_while_busy(desk, wait)
        assert desk.of(events.RungTaken) == []


async def test_noise_comes_later_and_words_in_it(autojump_clock: MockClock) -> None:
    """After two seconds without a word, until the reply begins."""
    chosen = ladder(rungs=("filler", "noise"))
    voice = MarkedVoice()
    async with open_desk(settings(ladder=chosen), voice.dial) as desk:
        await ready(desk)
        call = await call_while_busy(desk, 12.0)
        assert [event.rung for event in desk.of(events.RungTaken)] == ["filler", "noise"]
        words = desk.of(events.RungWords)
        assert [event.rung for event in words] == ["filler", "noise", "noise"]
        assert words[2].at - words[1].at >= 5.0
        assert call.replies[0].heard == TEXT
        assert voice.words_in(call.tape.sound)[-len(TEXT.split()) :] == TEXT.split()


async def test_the_local_voice_takes_over_where_the_wait_is_long(autojump_clock: MockClock) -> None:
    """It speaks the whole reply, which is heard word for word, and leaves the queue."""
    chosen = ladder(rungs=("local_voice",))
    async with open_desk(settings(ladder=chosen), MarkedVoice().dial, local=SimulatedLocalVoice()) as desk:
        call = await call_while_busy(desk, 30.0)
        spoken = desk.of(events.LocalVoiceSpoke)
        assert [event.rung for event in desk.of(events.RungTaken)] == ["local_voice"]
        assert {event.name for event in spoken} == {"simulated"}
        assert spoken[0].at - desk.at(events.ReplyReady) < 0.5
        assert sum(event.characters for event in spoken) == len(TEXT) - len(spoken) + 1
        assert call.replies[0].heard == TEXT
        assert {word.voice for word in call.replies[0].words} == {"simulated"}
        assert desk.of(events.PieceAsked) == []


@pytest.mark.parametrize("fault", ["final", "request"])
async def test_what_the_provider_will_not_say_the_local_voice_does(fault: str, autojump_clock: MockClock) -> None:
    """For good or for this text: no word is lost."""
    voice = MarkedVoice(faults=deque([fault] * 9))
    async with open_desk(settings(ladder=ladder()), voice.dial, local=SimulatedLocalVoice()) as desk:
        call = await desk.call("a", Noted, saying("hello"), options={"answer": TEXT})
        assert call.replies[0].heard == TEXT
        assert desk.of(events.ReplyEnded)[0].unspoken == 0


async def test_after_so_many_tries_the_local_voice_goes_on(autojump_clock: MockClock) -> None:
    """Where request after request is cut off, from the first word that was not heard."""
    voice = MarkedVoice(faults=deque(["drop"] * 40))
    async with open_desk(settings(ladder=ladder()), voice.dial, local=SimulatedLocalVoice()) as desk:
        call = await desk.call("a", Noted, saying("hello", quiet=5.0), options={"answer": TEXT})
        assert call.replies[0].heard == TEXT
        assert desk.of(events.LocalVoiceSpoke)


async def test_without_any_voice_we_apologise_and_end_the_call(autojump_clock: MockClock) -> None:
    """The rest is unspoken: the caller was told why."""
    voice = MarkedVoice()
    async with open_desk(settings(ladder=ladder()), voice.dial) as desk:
        await ready(desk)
        voice.faults.extend(["silence"] * 999)
        call = await desk.call("a", Noted, saying("hello", quiet=60.0), options={"answer": TEXT})
        assert [event.rung for event in desk.of(events.RungTaken)][-1] == "apology"
        assert voice.words_in(call.tape.sound)[-3:] == ["I", "am", "sorry."]
        assert call.replies[0].unspoken == TEXT
        assert call.reason == "bot"


async def test_a_brief_variant_is_the_reply_in_a_crowd(autojump_clock: MockClock) -> None:
    """And the whole text where there is none."""
    answer = Say(TEXT, brief="At seven.")
    async with open_desk(settings(ladder=ladder()), MarkedVoice().dial) as desk:
        call = await call_while_busy(desk, 2.0, answer=answer)
        assert call.replies[0].heard == "At seven."
        assert "brief" in [event.rung for event in desk.of(events.RungTaken)]
    async with open_desk(settings(ladder=ladder()), MarkedVoice().dial) as desk:
        call = await call_while_busy(desk, 0.0, answer=answer)
        assert call.replies[0].heard == TEXT


async def test_a_phrase_is_asked_for_once(autojump_clock: MockClock) -> None:
    """The next call has it from the cache, with its words' times; concurrent calls wait for the one request."""
    voice = MarkedVoice()
    say_it = Say("Our opening hours are from nine to five.", cached=True)
    async with open_desk(settings(), voice.dial) as desk:
        async with trio.open_nursery() as nursery:
            for name in "abc":
                nursery.start_soon(
                    lambda name: desk.call(name, Noted, saying("hello"), options={"answer": say_it}), name
                )
        last = await desk.call("d", Noted, saying("hello"), options={"answer": say_it})
        assert voice.asked == [say_it.text]
        assert {call.replies[0].heard for call in desk.calls.values()} == {say_it.text}
        assert len(desk.of(events.PhraseStored)) == 1
        assert [event.rung for event in desk.of(events.RungTaken)] == ["cache"] * 3
        words = last.replies[0].words
        assert all(word.start is not None and word.end is not None for word in words)


async def test_openings_are_phrases(autojump_clock: MockClock) -> None:
    """Of whole sentences, in the same voice."""
    voice = MarkedVoice()

    async def listening(phone: Phone) -> None:
        await hear_out(phone)
        phone.hang_up()

    async with open_desk(settings(), voice.dial) as desk:
        for name in "ab":
            await desk.call(name, Hooked, listening)
        assert voice.asked.count("Hello there.") == 1

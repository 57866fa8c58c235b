"""Callers on a telephone take turns, interrupt while the bot sounds, lose patience, and leave when the call is over."""

from __future__ import annotations

from itertools import chain, repeat
from random import Random

import pytest
import trio

from orchestrator.ports import Spoken
from simulations.demo.caller_plan import Traits
from simulations.demo.callers import Caller, caller, run_caller
from simulations.demo.scripts import Keys, Script
from simulations.voices import Wanted
from tests.simulations.demo.fake_phone import VOICED, FakePhone, Said, voice

POLITE = Traits(voice="v", barge_in=0, hang_up=0)
SCRIPT = Script(("One.", "Two.", "Three."), goodbye="Bye.")


async def _call(phone: FakePhone, who: Caller) -> None:
    await run_caller(phone, script=who.script, traits=who.traits, rng=who.rng, voice=voice)


async def _call_politely(phone: FakePhone, *, script: Script = SCRIPT, traits: Traits = POLITE, seed: int = 1) -> None:
    await run_caller(phone, script=script, traits=traits, rng=Random(seed), voice=voice)


def _barge_ins(phone: FakePhone) -> list[Said]:
    return [said for said in phone.log if said.over_the_bot]


# --- who calls ---


def test_the_same_number_of_the_same_run_is_the_same_caller() -> None:
    """Name, script, traits and random numbers follow from seed and number."""
    one, again, other = (caller(seed=seed, call=2, bot="survey") for seed in (5, 5, 6))
    assert (one.name, one.script, one.traits) == (again.name, again.script, again.traits)
    assert one.rng.random() == again.rng.random()
    assert one.traits != other.traits


@pytest.mark.parametrize("bot", ["appointments", "survey", "echo"])
@pytest.mark.parametrize("seed", range(5))
def test_calls_in_a_row_differ(bot: str, seed: int) -> None:
    """Four calls in script, eight in voice and name; the first of each four is sure to interrupt."""
    callers = [caller(seed=seed, call=number, bot=bot) for number in range(8)]
    assert len({who.traits.voice for who in callers}) == len({who.name for who in callers}) == 8
    assert len({who.script for who in callers[:4]}) == 4
    assert [who.traits.sure_to_interrupt for who in callers] == [True, False, False, False] * 2


# --- turns ---


async def test_a_polite_caller_says_every_line_after_the_bot_has_been_quiet(autojump_clock: object) -> None:
    """Each line begins 0.7 to 1.2 s after the bot ended, and the call ends with the goodbye's answer."""
    phone = FakePhone(repeat(5.0))
    await _call_politely(phone)
    assert [said.text for said in phone.log] == ["One.", "Two.", "Three.", "Bye."]
    assert all(said.finished and 0.7 <= said.bot_quiet_for <= 1.2001 for said in phone.log)
    assert phone.ended_at == trio.current_time()


async def test_rendering_a_line_never_delays_it(autojump_clock: object) -> None:
    """A voice that takes 3 s for a line is as prompt as one that takes none, while the bot speaks for longer."""

    async def slow(wanted: Wanted) -> Spoken:
        await trio.sleep(3.0)
        return await voice(wanted)

    prompt, slowly = FakePhone(repeat(5.0)), FakePhone(repeat(5.0))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: _call_politely(prompt))
        nursery.start_soon(lambda: run_caller(slowly, script=SCRIPT, traits=POLITE, rng=Random(1), voice=slow))
    assert [said.at for said in slowly.log] == pytest.approx([said.at for said in prompt.log])


async def test_each_line_is_rendered_in_the_callers_voice_at_the_lines_rate(autojump_clock: object) -> None:
    """And once only, in order, at the caller's speed."""
    asked: list[Wanted] = []

    async def noted(wanted: Wanted) -> Spoken:
        asked.append(wanted)
        return await voice(wanted)

    traits = Traits(voice="en-gb+f2", speed=1.1, barge_in=0, hang_up=0)
    phone = FakePhone(repeat(1.0), rate=16000)
    await run_caller(phone, script=SCRIPT, traits=traits, rng=Random(1), voice=noted)
    lines = ("One.", "Two.", "Three.", "Bye.")
    assert asked == [Wanted(text=text, voice="en-gb+f2", rate=16000, speed=1.1) for text in lines]


async def test_a_caller_whom_nobody_greets_speaks_when_its_patience_ends(autojump_clock: object) -> None:
    """A bot without an opening gets its first turn all the same."""
    phone = FakePhone(repeat(5.0), opening=None)
    start = trio.current_time()
    await _call_politely(phone)
    assert phone.log[0].at - start == pytest.approx(POLITE.patience)
    assert phone.log[-1].text == "Bye."


async def test_a_caller_talks_over_a_bot_that_never_stops(autojump_clock: object) -> None:
    """Its attention ends, and its next line interrupts: a monologue does not hold a caller."""
    phone = FakePhone(repeat(600.0))
    await _call_politely(phone)
    assert [said.text for said in _barge_ins(phone)][:2] == ["Two.", "Three."]
    assert phone.log[1].at - phone.log[0].at == pytest.approx(VOICED + phone.latency + POLITE.attention)


async def test_keys_are_pressed_and_answered(autojump_clock: object) -> None:
    """A line of keys is pressed in its place, and its answer is listened to."""
    phone = FakePhone(repeat(2.0))
    await _call_politely(phone, script=Script((Keys("9"), "One.", Keys("4#")), goodbye="Bye."))
    assert phone.pressed == "94#"
    assert [said.text for said in phone.log] == ["One.", "Bye."]


# --- interruptions ---


@pytest.mark.parametrize("bot", ["appointments", "survey", "echo"])
@pytest.mark.parametrize("reply", [1.0, 4.0, 12.0])
async def test_the_first_caller_interrupts_within_a_minute_whatever_the_seed(
    bot: str, reply: float, autojump_clock: object
) -> None:
    """The bot sounds when the interjection begins, and the script goes on after it."""
    for seed in range(12):
        phone = FakePhone(repeat(reply), opening=8.0, latency=1.0)
        start, who = trio.current_time(), caller(seed=seed, call=0, bot=bot)
        await _call(phone, who)
        first = _barge_ins(phone)[0]
        assert first.text in who.script.interjections
        assert first.at - start < 50
        assert [said.text for said in phone.log if said.text not in who.script.interjections] == [
            *(line for line in who.script.lines if isinstance(line, str)),
            who.script.goodbye,
        ]


async def test_where_answers_are_too_short_to_interrupt_the_next_long_one_is(autojump_clock: object) -> None:
    """And once it has interrupted, the caller that only had to be sure hears the bot out."""
    traits = Traits(voice="v", barge_in=0, sure_to_interrupt=True)
    phone = FakePhone(chain([0.2, 0.2, 0.2], repeat(6.0)))
    script = Script(("One.", "Two.", "Three.", "Four.", "Five.", "Six."))
    await _call_politely(phone, script=script, traits=traits)
    texts = [said.text for said in phone.log]
    assert len(_barge_ins(phone)) == 1
    assert texts.index(_barge_ins(phone)[0].text) == texts.index("Four.") + 1
    assert texts[-3:-1] == ["Five.", "Six."]


async def test_an_interruption_needs_a_bot_that_answers(autojump_clock: object) -> None:
    """Where no answer comes, the caller does not say its interjection into the silence."""
    traits = Traits(voice="v", barge_in=1, hang_up=0)
    phone = FakePhone(repeat(0.0))
    await _call_politely(phone, traits=traits)
    assert [said.text for said in phone.log] == ["One.", "Two.", "Three.", "Bye."]


# --- the end ---


async def test_who_leaves_midway_does_so_while_the_bot_sounds(autojump_clock: object) -> None:
    """Half a second to 2.5 s into the answer, without a goodbye."""
    for seed in range(10):
        phone = FakePhone(repeat(9.0))
        await _call_politely(phone, traits=Traits(voice="v", barge_in=0, hang_up=1), seed=seed)
        assert phone.ended_at is not None
        assert 0.5 <= phone.ended_at - (phone.log[-1].at + VOICED + phone.latency) <= 2.5
        assert "Bye." not in [said.text for said in phone.log]


async def test_the_caller_is_gone_the_moment_the_bot_hangs_up(autojump_clock: object) -> None:
    """In mid-word too: the line it was saying stays unfinished."""
    phone = FakePhone(repeat(3.0))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: _call_politely(phone))
        await trio.sleep(5.6)  # the greeting ends after 4.3 s, the first line begins 1.2 s later at the most
        phone.hang_up()
    assert phone.ended_at == trio.current_time()
    assert [said.finished for said in phone.log] == [False]

"""Simulated callers on a line with a bot that the test plays: who speaks when, who interrupts, who hangs up."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock

from orchestrator.events import CallerTurnEnded, Event, FirstAudioPlayed, ReplyStarted
from orchestrator.ports import CallFacts, UserTurn
from simulations.callers import PATIENCE, Ears, SimulatedCaller
from simulations.demo.scripts import Keys, Line
from simulations.line import SimulatedLeg
from simulations.workload import Plans, Traits
from tests.simulations.moments import asked, first_audio, turn_over
from tests.simulations.played_bot import Answer, PlayedBot

EVEN = Traits(speaks=2.0, speaks_cv=0.0, thinking_cv=0.0, reacts=0.5, reacts_cv=0.0)
"""A caller who always speaks for 2 s and reacts after 0.5."""
SPEAKS, REACTS = 2.0, 0.5


def words(turn: int) -> Line:
    """What is said in a turn."""
    return f"turn {turn}"


async def call(
    traits: Traits,
    *answers: Answer,
    seconds: float = 60.0,
    says: Callable[[int], Line] = words,
    heeds_speech: bool = True,
    listens_first: bool = False,
) -> PlayedBot:
    """Let a caller of these traits talk for so many seconds."""
    leg = SimulatedLeg(CallFacts("1", caller="1.1"), now=trio.current_time, emit=lambda event: None)
    ears = Ears()
    bot = PlayedBot(leg, ears, answers or (Answer(),), heeds_speech)
    caller = SimulatedCaller(
        leg, plans=Plans(traits, seed=1), says=says, listens_first=listens_first, now=trio.current_time
    )
    with ears.listening("1", caller.hear), trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bot.run, nursery)
            nursery.start_soon(caller.run)
            if listens_first:
                nursery.start_soon(bot.answer, bot.answers[0])
            await leg.over.wait()
            await trio.sleep(1.0)
            nursery.cancel_scope.cancel()
    return bot


def times(bot: PlayedBot, what: str) -> list[float]:
    """Return when that was done."""
    return [at for at, done in bot.done if done == what]


# --- turns ---


async def test_caller_and_bot_take_turns(autojump_clock: MockClock) -> None:
    """The caller speaks at once, hears the reply out, reacts, and speaks again, without end."""
    bot = await call(EVEN, Answer(1.0, 3.0), seconds=13.4)
    assert bot.done == [
        (0.0, "speaks"),
        (2.0, "turn 1"),
        (6.0, "heard out"),
        (6.5, "speaks"),
        (8.5, "turn 2"),
        (12.5, "heard out"),
        (13.0, "speaks"),
    ]
    assert bot.turns[1] == UserTurn("turn 2", 6.5, 8.5)


async def test_turns_are_as_planned(autojump_clock: MockClock) -> None:
    """Each turn has the length that its plan draws."""
    bot = await call(Traits(), seconds=200)
    plans = Plans(Traits(), seed=1)
    assert len(bot.turns) > 20
    for number, turn in enumerate(bot.turns, 1):
        assert turn.ended - turn.started == pytest.approx(plans.turn("1.1", number).speaks)
    spoken, heard_out = times(bot, "speaks"), times(bot, "heard out")
    for number, (ended, speaks) in enumerate(zip(heard_out, spoken[1:], strict=False), 1):
        assert speaks - ended == pytest.approx(plans.turn("1.1", number).reacts, abs=1e-5)


async def test_a_bot_that_says_nothing_is_asked_again(autojump_clock: MockClock) -> None:
    """After 15 s without a sound; a reply that ended empty is none."""
    bot = await call(EVEN, Answer(None), Answer(None), Answer(1.0, 1.0), seconds=42)
    assert times(bot, "speaks") == [0.0, 2.0 + PATIENCE, 2 * (2.0 + PATIENCE), 38.0 + REACTS]


async def test_a_bot_may_take_its_time_once_it_speaks(autojump_clock: MockClock) -> None:
    """Patience is for silence: a reply of minutes is heard out, one that comes just in time, too."""
    bot = await call(EVEN, Answer(PATIENCE - 0.1, 300.0), seconds=330)
    assert times(bot, "speaks")[1] == pytest.approx(2.0 + PATIENCE - 0.1 + 300.0 + REACTS)


async def test_a_bot_that_speaks_on_is_heard_out(autojump_clock: MockClock) -> None:
    """Something said soon after a reply belongs to the bot's turn; the caller reacts to the end of it."""
    bot = await call(EVEN, Answer(1.0, 3.0, then=Answer(0.3, 2.0)), seconds=9.0)
    assert times(bot, "speaks") == [0.0, pytest.approx(2.0 + 4.0 + 0.3 + 2.0 + REACTS)]


async def test_a_bot_that_opens_is_heard_first(autojump_clock: MockClock) -> None:
    """Where the bot begins, the caller's first words come after its opening."""
    bot = await call(EVEN, Answer(0.2, 4.0), seconds=5, listens_first=True)
    assert times(bot, "speaks") == [pytest.approx(4.2 + Plans(EVEN, seed=1).turn("1.1", 0).reacts)]


async def test_a_reply_from_before_does_not_count(autojump_clock: MockClock) -> None:
    """A bot that talks on through the caller's turn is heard to its end, and then its answer, too."""
    traits = Traits(speaks=2.0, speaks_cv=0.0, reacts=0.5, reacts_cv=0.0, barge_in=1.0)
    plans = Plans(traits, seed=1)
    cuts_in = plans.turn("1.1", 1).interrupt_after or 0.0
    bot = await call(traits, Answer(1.0, cuts_in + 20.0), Answer(20.0, 3.0), seconds=36, heeds_speech=False)
    said = 3.0 + cuts_in + 2.0
    assert said + PATIENCE < times(bot, "heard out")[0] < said + 20.0
    assert times(bot, "speaks") == pytest.approx([0.0, 3.0 + cuts_in, said + 20.0 + 3.0 + REACTS])


# --- interruptions ---


async def test_interrupts_at_the_moment_of_its_plan(autojump_clock: MockClock) -> None:
    """So many seconds after the reply's first sound; what the cut reply still tells confuses nobody."""
    traits = Traits(barge_in=1.0)
    plans = Plans(traits, seed=1)
    bot = await call(traits, Answer(1.0, 100.0), seconds=100)
    said, speaks = [turn.ended for turn in bot.turns], times(bot, "speaks")
    assert len(said) > 10
    assert times(bot, "heard out") == []
    for number, (ended, again) in enumerate(zip(said, speaks[1:], strict=False), 1):
        moment = plans.turn("1.1", number).interrupt_after
        assert moment is not None
        assert again - ended - 1.0 == pytest.approx(moment, abs=1e-5)


async def test_a_reply_that_is_over_before_is_not_interrupted(autojump_clock: MockClock) -> None:
    """The caller reacts to its end as ever."""
    traits = Traits(speaks=2.0, speaks_cv=0.0, reacts=0.5, reacts_cv=0.0, barge_in=1.0)
    bot = await call(traits, Answer(1.0, 0.01), seconds=30)
    assert len(times(bot, "heard out")) > 5


async def test_who_interrupts_is_not_silent(autojump_clock: MockClock) -> None:
    """Cutting in needs a voice: silence is for turns that the caller is given."""
    bot = await call(Traits(barge_in=1.0, silent=0.9), Answer(1.0, 100.0), seconds=100)
    assert [turn.text for turn in bot.turns[:4]] == [f"turn {number}" for number in range(first(bot), first(bot) + 4)]


def first(bot: PlayedBot) -> int:
    """Return the number of the first turn that was spoken."""
    return int(bot.turns[0].text.removeprefix("turn "))


# --- silence, keys, ends ---


async def test_a_silent_turn_is_as_long_as_a_spoken_one(autojump_clock: MockClock) -> None:
    """The caller says nothing for as long, then it is its turn again."""
    traits = Traits(silent=0.5)
    plans = Plans(traits, seed=1)
    bot = await call(traits, Answer(1.0, 2.0), seconds=300)
    spoken = [int(turn.text.removeprefix("turn ")) for turn in bot.turns]
    assert spoken == [number for number in range(1, spoken[-1] + 1) if not plans.turn("1.1", number).silent]
    for before, turn, number in zip(bot.turns, bot.turns[1:], spoken, strict=False):
        until = next(other for other in spoken if other > number)
        quiet = sum(plans.turn("1.1", silent).speaks for silent in range(number + 1, until))
        expected = before.ended + 3.0 + plans.turn("1.1", number).reacts + quiet
        assert turn.started == pytest.approx(expected, abs=1e-4)


async def test_all_stop_speaking_together(autojump_clock: MockClock) -> None:
    """Speech ends at the next multiple that leaves half a second for it, to the last bit the same for every caller."""
    traits = Traits(together=6.0)
    ends: list[float] = []
    for answer in (Answer(1.0, 3.0), Answer(0.7, 3.05), Answer(1.3, 4.96)):
        offset = trio.current_time()
        assert offset % 6 == 0
        bot = await call(traits, answer, seconds=60.0)
        ends += [turn.ended for turn in bot.turns]
        assert all(turn.ended - turn.started >= 0.5 - 1e-6 for turn in bot.turns)
        assert all(turn.ended - turn.started < 6.5 for turn in bot.turns)
    assert all(end == round(end) and end % 6 == 0 for end in ends)


async def test_presses_keys_where_the_script_says(autojump_clock: MockClock) -> None:
    """Keys are no speech; the caller waits for what they bring about as for any answer."""
    bot = await call(EVEN, seconds=20, says=lambda turn: Keys("12") if turn == 1 else "words")
    assert bot.done[:2] == [(0.5, "keys 12"), (0.5 + PATIENCE, "speaks")]


async def test_hangs_up_in_the_middle(autojump_clock: MockClock) -> None:
    """At the moment of its plan; nothing follows."""
    traits = Traits(hang_up=1.0)
    moment = Plans(traits, seed=1).turn("1.1", 1).hangs_up_after
    assert moment is not None
    bot = await call(traits, Answer(1.0, 100.0), seconds=50)
    at, done = bot.done[-1]
    assert done == "leaves"
    assert at == pytest.approx(bot.turns[0].ended + 1.0 + moment, abs=1e-5)
    assert bot.leg.over.is_set()


async def test_hangs_up_when_it_has_talked_enough(autojump_clock: MockClock) -> None:
    """After the reply that is on when the call's time is over, and the caller's reaction to it."""
    traits = Traits(speaks=2.0, speaks_cv=0.0, reacts=0.5, reacts_cv=0.0, minutes=0.5, minutes_cv=0.0)
    bot = await call(traits, Answer(1.0, 3.0))
    assert bot.done[-2:] == [(32.0, "heard out"), (32.5, "leaves")]


async def test_leaves_an_endless_reply_when_the_time_is_over(autojump_clock: MockClock) -> None:
    """Its end would never come."""
    traits = Traits(endless=True, minutes=0.5, minutes_cv=0.0)
    bot = await call(traits, Answer(1.0, 1e6))
    assert bot.done[-1] == (30.0, "leaves")


# --- ears ---


def test_ears_pass_on_what_concerns_a_caller() -> None:
    """Only events of the bot's speech, each to the caller of its call, as long as that listens."""
    ears, heard = Ears(), list[tuple[str, Event]]()
    with ears.listening("1", lambda event: heard.append(("1", event))):
        with ears.listening("2", lambda event: heard.append(("2", event))):
            ears.hear(asked(1.0, call="2"))
            ears.hear(turn_over(1.5, call="2"))
        ears.hear(first_audio(2.0, call="2"))
        ears.hear(first_audio(2.0, call="1"))
    assert [(call, type(event)) for call, event in heard] == [("2", ReplyStarted), ("1", FirstAudioPlayed)]
    assert not any(isinstance(event, CallerTurnEnded) for _, event in heard)

"""A caller carries its turns out on a line, in ticks of 20 ms without any clock."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from simulations.carriers.calling import Condition
from simulations.carriers.carrier import Call
from simulations.carriers.jambonz import FakeJambonz
from simulations.carriers.line import Line
from simulations.load.scenario import LoadScenario, TurnPlan
from simulations.load.script import Caller
from simulations.load.sounds import render

LOUD = (8000).to_bytes(2, "little", signed=True)
CALL = Call(call="c" * 32, stream="5" * 32)


async def played(scenario: LoadScenario, *, bot: dict[float, float], until: float) -> tuple[Line, float]:
    """Carry a scenario out; the bot says so many seconds at such times. Return the line and when the caller hung up."""
    carrier = FakeJambonz(CALL)
    carrier.playback = type(carrier.playback)(rate=8000)  # without jambonz' own wait
    line = Line(carrier)
    sounds = await render(scenario, carrier, path=Path("scenario.toml"), rng=Random("1"))
    caller = Caller(line=line, scenario=scenario, sounds=sounds, until=until, rng=Random("2"))
    script = caller.script()
    condition: Condition = next(script)
    plan = sorted(bot.items())
    for tick in range(10_000):
        now = tick * 0.02
        while plan and plan[0][0] <= now:
            carrier.playback.add(LOUD * round(8000 * plan.pop(0)[1]), now)
        if condition(now):
            try:
                condition = script.send(now)
            except StopIteration:
                return line, now
        line.tick(now)
    raise AssertionError("the caller never hangs up")


async def test_turns_follow_the_bots_end() -> None:
    """The caller hears the greeting out, is silent for a second, thinks, speaks, hears the answer, presses keys."""
    scenario = LoadScenario(
        turns=(TurnPlan(listen=True), TurnPlan(say=1.0), TurnPlan(press="12#", wait=False)), repeat=False
    )
    line, ended = await played(scenario, bot={0.5: 2.0, 5.5: 1.0}, until=60.0)
    (turn,) = line.turns
    assert turn.began is not None
    assert turn.began == pytest.approx(2.5 + 1.0 + 0.3, abs=0.06)
    assert turn.ended is not None
    assert turn.ended == pytest.approx(turn.began + 1.0, abs=0.06)
    assert line.keys == 3
    assert ended == pytest.approx(6.5 + 1.0 + 0.3, abs=0.2)


async def test_an_interruption_comes_when_the_bot_has_spoken_so_long() -> None:
    """The answer begins at 3 s, the caller talks over it at 4 s."""
    scenario = LoadScenario(
        turns=(TurnPlan(say=1.0, wait=False), TurnPlan(say=0.5, interrupt_after=1.0, wait=False)), repeat=False
    )
    line, _ = await played(scenario, bot={3.0: 10.0}, until=60.0)
    assert [turn.interrupts for turn in line.turns] == [False, True]
    assert line.turns[1].began == pytest.approx(4.0, abs=0.06)


async def test_a_caller_does_not_wait_for_ever_and_begins_again_until_the_time_is_up() -> None:
    """Nobody answers: every turn takes its patience; at the end the call is over, in the middle of a wait too."""
    scenario = LoadScenario(turns=(TurnPlan(say=1.0),), answer_within=2.0)
    line, ended = await played(scenario, bot={}, until=10.0)
    assert len(line.turns) == 3
    assert ended == pytest.approx(10.0, abs=0.03)


async def test_hang_up_ends_the_call() -> None:
    """Turns after it are not carried out."""
    scenario = LoadScenario(turns=(TurnPlan(pause=1.5), TurnPlan(hang_up=True), TurnPlan(say=1.0)))
    line, ended = await played(scenario, bot={}, until=60.0)
    assert line.turns == []
    assert ended == pytest.approx(1.5, abs=0.06)

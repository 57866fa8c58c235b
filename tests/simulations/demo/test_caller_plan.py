"""A plan follows from its random numbers, keeps to the script, is sure to interrupt where asked, and hangs up once."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from simulations.demo.caller_plan import HangUp, Interrupt, Listen, Move, Press, Speak, Traits, plan
from simulations.demo.scripts import SCRIPTS, Keys, Line, Script

scripts = st.sampled_from([script for some in SCRIPTS.values() for script in some])
seeds = st.integers(0, 10_000)
chances = st.floats(0, 1)


@st.composite
def _traits(draw: st.DrawFn, sure: bool | None = None) -> Traits:
    chosen = draw(st.booleans()) if sure is None else sure
    return Traits(voice="v", barge_in=draw(chances), hang_up=draw(chances), sure_to_interrupt=chosen)


def _spoken(moves: tuple[Move, ...]) -> list[Line]:
    return [
        Keys(move.digits) if isinstance(move, Press) else move.text for move in moves if isinstance(move, Speak | Press)
    ]


def _answers(moves: tuple[Move, ...]) -> list[Move]:
    """What follows each line, the goodbye apart."""
    return [after for line, after in pairwise(moves) if isinstance(line, Speak | Press)]


@given(scripts, _traits(), seeds)
def test_the_same_seed_makes_the_same_moves(script: Script, traits: Traits, seed: int) -> None:
    """Nothing but the injected random numbers decides."""
    assert plan(script, traits=traits, rng=Random(seed)) == plan(script, traits=traits, rng=Random(seed))


def test_the_same_seed_makes_the_same_moves_in_another_process() -> None:
    """Neither the plan nor who calls depends on PYTHONHASHSEED."""
    program = (
        "from simulations.demo.callers import *\n"
        "for n in range(8):\n"
        "    c = caller(seed=7, call=n, bot='survey')\n"
        "    print(c.name, c.traits, plan(c.script, traits=c.traits, rng=c.rng))"
    )
    stories = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(stories) == 1
    assert stories != {b""}


@given(scripts, _traits(), seeds)
def test_lines_are_said_in_order(script: Script, traits: Traits, seed: int) -> None:
    """Without leaving midway all of them, and the goodbye; else the first so many."""
    moves = plan(script, traits=traits, rng=Random(seed))
    said = _spoken(moves)
    everything = [*script.lines, script.goodbye]
    assert said == everything[: len(said)]
    left_midway = moves[-1] != HangUp()
    assert (len(said) < len(everything)) == left_midway


@given(scripts, _traits(), seeds)
def test_a_plan_hears_the_opening_first_and_ends_with_its_only_hang_up(
    script: Script, traits: Traits, seed: int
) -> None:
    """Whatever happens between, a call begins and ends like one."""
    moves = plan(script, traits=traits, rng=Random(seed))
    assert isinstance(moves[0], Listen)
    assert [isinstance(move, HangUp) for move in moves] == [False] * (len(moves) - 1) + [True]


@given(scripts, _traits(), seeds)
def test_every_line_waits_for_its_answer(script: Script, traits: Traits, seed: int) -> None:
    """No two lines follow each other: the bot gets its turn, a polite pause of the given length included."""
    moves = plan(script, traits=traits, rng=Random(seed))
    assert all(isinstance(after, Listen | Interrupt | HangUp) for after in _answers(moves))
    least, most = traits.thinking
    assert all(least <= move.quiet <= most for move in moves if isinstance(move, Listen | Interrupt))


@given(scripts, _traits(), seeds)
def test_interruptions_use_the_scripts_interjections(script: Script, traits: Traits, seed: int) -> None:
    """No line of the script is used up by an interruption."""
    moves = plan(script, traits=traits, rng=Random(seed))
    assert {move.text for move in moves if isinstance(move, Interrupt)} <= set(script.interjections)


@given(scripts, _traits(sure=True), seeds)
def test_who_is_sure_to_interrupt_tries_at_the_second_answer_at_the_latest_and_goes_on_trying(
    script: Script, traits: Traits, seed: int
) -> None:
    """Every later answer is another chance, an early moment of it, and the caller does not leave before."""
    moves = plan(script, traits=traits, rng=Random(seed))
    tries = _answers(moves)[1 : len(script.lines)]
    assert tries
    assert all(isinstance(move, Interrupt) and move.after <= 0.9 for move in tries)
    assert moves[-1] == HangUp()


@given(scripts, seeds)
def test_probabilities_of_zero_and_one_mean_never_and_always(script: Script, seed: int) -> None:
    """For interruptions and for leaving midway alike."""
    polite = plan(script, traits=Traits(voice="v", barge_in=0, hang_up=0), rng=Random(seed))
    assert not any(isinstance(move, Interrupt) for move in polite)
    assert polite[-1] == HangUp()
    rude = plan(script, traits=Traits(voice="v", barge_in=1, hang_up=1), rng=Random(seed))
    assert rude[-1] != HangUp()
    assert all(isinstance(move, Interrupt) and not move.once for move in _answers(rude)[:-1])

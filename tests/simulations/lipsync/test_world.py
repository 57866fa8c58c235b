"""The whole queue in virtual time: whatever fails and whenever it is killed, its rules hold, and a seed is a story."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from orchestrator.lipsync import outcomes
from orchestrator.lipsync.job import Job
from simulations.lipsync.scenario import LipsyncScenario
from simulations.sync.faults import READER
from tests.simulations.alone import SEES_BOTH, watched
from tests.simulations.lipsync.worlds import outcome

SHORT = LipsyncScenario(jobs=40, kills=4, speed=4.0)
DEAF = attrs.evolve(SHORT, idempotency=False, webhooks=False)
TWICE = """
import hashlib
from tests.simulations.lipsync.worlds import outcome
from simulations.lipsync.scenario import LipsyncScenario
print(hashlib.sha256(outcome(LipsyncScenario(jobs=8, kills=2, speed=4.0), seed=3).story).hexdigest())
"""
ALONE = watched(
    """
from simulations.lipsync.scenario import LipsyncScenario
from simulations.lipsync.world import run_world
from orchestrator.events import RunEnded as Ends, RunStarted as Begins
""",
    "run_world(LipsyncScenario(jobs=8, kills=2, speed=4.0), seed=3, sinks=[note])",
)


@pytest.mark.parametrize(
    ("seed", "scenario", "kinds"),
    [
        (1, SHORT, 8),
        (2, DEAF, 5),
        pytest.param(1, attrs.evolve(SHORT, jobs=60, kills=5), 8, marks=pytest.mark.sweep),
        pytest.param(2, attrs.evolve(DEAF, jobs=60, kills=5), 7, marks=pytest.mark.sweep),
    ],
    ids=["all", "no keys, no webhooks", "all, larger", "no keys, no webhooks, larger"],
)
def test_nothing_is_lost_or_made_twice(seed: int, scenario: LipsyncScenario, kinds: int) -> None:
    """With every fault (of so many kinds some strike) and some kills; whether keys are honoured, and whether the
    service tells of ends, or neither."""
    came = outcome(scenario, seed=seed)
    assert came.broken == []
    assert came.figures["kills"] >= scenario.kills - 1
    assert len(came.figures["faults"]) >= kinds
    assert came.figures["states"]["completed"] >= 0.75 * scenario.jobs


def test_the_windows_hold_where_they_are_narrow() -> None:
    """Generations that are over in two seconds: creates and looks wait for their minute, and none is refused for it."""
    quick = LipsyncScenario(jobs=60, kills=3, speed=60.0, webhooks=False, faults=())
    came = outcome(attrs.evolve(quick, creates_per_minute=15, requests_per_minute=40), seed=1)
    assert came.broken == []
    assert came.figures["service"]["most_creates"] == 15
    assert came.figures["service"]["most_others"] >= 35


def test_batches_are_made_once() -> None:
    """A plan with batches: what waits long goes in one, and is no less kept and found again."""
    came = outcome(LipsyncScenario(jobs=80, kills=4, plan="scale"), seed=2)
    assert came.broken == []
    assert came.figures["service"]["batch_generations"] >= 20


# --- the same seed, the same story ---


def test_a_seed_is_a_story_in_every_process() -> None:
    """Byte for byte, whatever PYTHONHASHSEED is."""
    found = {_elsewhere(TWICE, hash_seed=hash_seed) for hash_seed in ("0", "1")}
    here = hashlib.sha256(outcome(LipsyncScenario(jobs=8, kills=2, speed=4.0), seed=3).story).hexdigest()
    assert found == {here}


def test_no_thread_starts_and_no_socket_opens_inside() -> None:
    """Autojump knows of neither: time would run away from them. That the watch sees both is shown at its end."""
    assert _elsewhere(ALONE).splitlines() == SEES_BOTH


def _elsewhere(program: str, *, hash_seed: str = "0") -> str:
    """Return what a program prints in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return ran.stdout.strip()


def test_seeds_differ() -> None:
    """Another seed is another story."""
    scenario = LipsyncScenario(jobs=6, kills=1, speed=4.0)
    assert outcome(scenario, seed=1).story != outcome(scenario, seed=2).story


# --- a program that is wrong is found out ---


def test_a_program_that_does_not_look_for_lost_answers_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that begins anew after every uncertain answer makes videos twice, where keys are not honoured."""
    monkeypatch.setattr("orchestrator.lipsync.singles.made_for", lambda *_args, **_kwargs: None)
    faults = READER.parse_faults(["cut_answer:of=create,every=50"])
    wrong = outcome(
        LipsyncScenario(jobs=30, kills=2, speed=4.0, faults=faults, idempotency=False, webhooks=False), seed=1
    ).broken
    assert any("made in vain" in line for line in wrong)


def test_a_program_that_draws_new_keys_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that changes between two tries of one job makes its video twice."""
    again = outcomes.waits_again

    def other_key(job: Job) -> Job:
        now = again(job)
        return now if now is job else attrs.evolve(now, key=outcomes.next_key(now))

    monkeypatch.setattr(outcomes, "waits_again", other_key)
    monkeypatch.setattr("orchestrator.lipsync.singles.made_for", lambda *_args, **_kwargs: None)
    faults = READER.parse_faults(["cut_answer:of=create,every=50"])
    wrong = outcome(LipsyncScenario(jobs=30, kills=2, speed=4.0, faults=faults, webhooks=False), seed=1).broken
    assert any("made in vain" in line for line in wrong)


def test_a_program_that_forgets_the_others_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not count what others have begun is refused again and again."""
    monkeypatch.setattr("orchestrator.lipsync.singles.not_ours", lambda *_args, **_kwargs: 0)
    faults = READER.parse_faults(["other_user:seconds=100,share=0.5"])
    wrong = outcome(LipsyncScenario(jobs=30, kills=0, speed=4.0, faults=faults), seed=1).broken
    assert any("the list had shown" in line for line in wrong)


# --- long ---


@pytest.mark.sweep
@pytest.mark.parametrize("seed", range(1, 9))
def test_five_hundred_jobs_and_twenty_deaths(seed: int) -> None:
    """With a plan of three and every fault: all of it holds, in 1.1 times the ideal time."""
    came = outcome(LipsyncScenario(), seed=seed)
    assert came.broken == []
    assert came.figures["kills"] == 20
    assert came.figures["ratio"] <= 1.1

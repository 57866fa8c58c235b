"""A run counts what its callers bear, block by block, without its beginning and its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.events import Event
from simulations.capacity.cells import Terms
from simulations.capacity.level import Level
from simulations.capacity.runs import Meter, run_calls_until_clear, scenario_of
from simulations.reports.summary import RunFacts, Summary
from simulations.workload import Traits
from tests.simulations import moments as m
from tests.simulations.capacity.tables import job


def reply(number: int, *, at: float, wait: float, gap: float = 0.0) -> Iterator[Event]:
    """A whole reply that began at `at`."""
    yield m.asked(at, reply=number)
    yield m.ready(at, reply=number)
    yield m.joined(at, ticket=number, reply=number)
    yield m.granted(at + wait, ticket=number, wait=wait, reply=number)
    if gap:
        yield m.gapped(at + wait + 1, gap, reply=number)
    yield m.over(at + wait + 2, heard=3, reply=number)


def metered(minutes: int, *, wait: float, gap: float = 0.0, level: Level | None = None) -> tuple[Meter, int]:
    """Let a meter see so many minutes of fifty replies each; return it, and in which minute it stopped (or 0)."""
    meter = Meter(level or Level(), calls=9)
    for minute in range(1, minutes + 1):
        for number in range(50):
            at = 60.0 * (minute - 1) + number
            for event in reply(50 * minute + number, at=at, wait=wait, gap=gap):
                meter.add(event)
        if meter.tick(60.0 * minute):
            return meter, minute
    return meter, 0


def test_clear_runs_stop_early() -> None:
    """After twelve minutes and the warm-up at the earliest."""
    late, stopped = metered(60, wait=0.6)
    assert stopped == 13
    assert (late.result().inside, late.result().clear, late.result().seconds) == (False, True, 720.0)
    torn, stopped = metered(60, wait=0.1, gap=0.2)
    assert stopped == 13
    assert not torn.result().inside
    good, stopped = metered(60, wait=0.1, gap=0.09)
    assert 13 <= stopped <= 58
    assert (good.result().inside, good.result().clear) == (True, True)


def test_the_first_minute_and_what_is_left_over_do_not_count() -> None:
    """Six minutes: one to warm up, a block of three, and two that fill no block."""
    meter, stopped = metered(6, wait=0.25)
    result = meter.result()
    assert (stopped, result.clear, result.inside) == (0, False, True)
    assert (result.seconds, result.turns, result.wait_p95_s, result.gaps_per_100_turns) == (180.0, 150, 0.25, 0.0)


def test_a_run_of_nothing_is_not_inside() -> None:
    """Not a word was said."""
    result = Meter(Level(), calls=1).result()
    assert (result.inside, result.seconds, result.turns, result.wait_p95_s) == (False, 0.0, 0, None)


def test_the_scenario_is_the_reference_workload_at_the_cells_place() -> None:
    """Straight into the provider, with the cell's speed, talk share and slots."""
    scenario = scenario_of(job("mid", slots=2, terms=Terms(hours=2.0, lifelike=True)), 7)
    assert (scenario.calls, scenario.policy, scenario.profile, scenario.wire, scenario.lifelike) == (
        7, "deadline", "mid", False, True,
    )  # fmt: skip
    assert (scenario.server.ttfb, scenario.server.rtf, scenario.server.slots, scenario.server.links) == (
        0.15,
        0.2,
        2,
        10,
    )
    assert [group.traits for group in scenario.groups] == [Traits()]
    (talkative,) = scenario_of(job(talk_share=0.7), 7).groups
    assert talkative.traits.speaks < Traits().speaks


@pytest.mark.parametrize(("calls", "hours"), [(1, 2.0), (10, 2.0), (20, 1.0), (500, 0.2)])
def test_many_calls_say_as_much_in_less_time(calls: int, hours: float) -> None:
    """Up to ten run as long as was asked for, twenty half as long, any number for four blocks; the warm-up on top."""
    scenario = scenario_of(job(terms=Terms(hours=2.0)), calls)
    assert scenario.hours == pytest.approx(hours + 1.01 / 60)


def test_a_world_runs_until_the_verdict_is_clear() -> None:
    """Four calls are too many for the slow provider: that is seen after twelve minutes."""
    result = run_calls_until_clear(job("slow", terms=Terms(hours=0.5)), 4)
    assert (result.calls, result.inside, result.clear, result.seconds) == (4, False, True, 720.0)
    assert result.turns > 150
    assert result.wait_p95_s is not None
    assert result.wait_p95_s > 0.5


def test_a_lone_call_without_gaps_is_inside() -> None:
    """It waits for nobody but itself, and twelve minutes are too short to be sure: the figures themselves decide."""
    result = run_calls_until_clear(job("fast", terms=Terms(hours=0.1)), 1)
    assert (result.inside, result.clear, result.seconds) == (True, False, 720.0)
    assert result.wait_p95_s is not None
    assert result.wait_p95_s <= 0.5
    assert result.gaps_per_100_turns == 0.0


def test_it_counts_what_the_summary_counts() -> None:
    """The same waits, turns and gaps, where nothing is left out at either end."""
    meter, summary = Meter(Level(), calls=9), Summary()
    meter.tick(0.0)
    for minute in range(1, 4):
        for number in range(50):
            for event in reply(50 * minute + number, at=60.0 * minute + number, wait=number / 100, gap=number / 100):
                meter.add(event)
                summary.add(event)
        meter.tick(60.0 * minute)
    told = summary.result(run=RunFacts(calls=9, seconds=180.0), books=None)
    result = meter.result()
    assert result.wait_p95_s == told["wait_s"]["p95"]
    assert (result.turns, result.gaps_per_100_turns) == (told["turns"], told["gaps"]["per_100_turns"])

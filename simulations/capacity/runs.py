"""Runs so many calls in a simulated world until it is clear if they are inside the level; the test is level.py's."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from attrs import frozen

from orchestrator.events import Event, Outcome, ReplyEnded
from simulations.capacity.cells import CapacityRun, Cell, CellJob
from simulations.capacity.level import LEAST_BLOCKS, WAIT_PERCENT, Counts, Level, LevelTest
from simulations.reports.latencies import Latencies
from simulations.reports.percentiles import percentile
from simulations.scenario import Scenario
from simulations.scenario_file import load_scenario
from simulations.waves.options import LINKS_PER_SLOT
from simulations.workload import at_talk_share
from simulations.world import run_world

Tick = Callable[[float], bool]

_WARM_UP = 1
"""Minutes that do not count: the calls start, and the program learns how fast the provider is."""
_BLOCK = 3
"""Minutes of a block of the test: from here on longer blocks hardly show more dispersion (level.py has the figures)."""
_LAST_TICK = 0.01
"""Minutes that a run lasts longer, so that the tick of its last minute comes before its end."""
_USUAL_CALLS = 10
"""More calls than this say about as much in less time."""


def run_calls_until_clear(job: CellJob, calls: int) -> CapacityRun:
    """Run `calls` calls in the job's cell until the verdict is clear, or time is up."""
    scenario = scenario_of(job, calls)
    meter = Meter(job.terms.level, calls=calls)
    run_world(scenario, seed=job.terms.seed, sinks=[meter.add], tick=meter.tick)
    return meter.result()


def scenario_of(job: CellJob, calls: int) -> Scenario:
    """Return what is simulated for one verdict: the reference workload at the cell's speed, talk share and slots."""
    reference = load_scenario("reference")
    minutes = max(_BLOCK * LEAST_BLOCKS, 60 * job.terms.hours * min(1.0, _USUAL_CALLS / calls))
    return attrs.evolve(
        at_share(reference, job.cell),
        profile=job.cell.speed.profile,
        server=attrs.evolve(
            reference.server,
            slots=job.cell.slots,
            links=LINKS_PER_SLOT * job.cell.slots,
            ttfb=job.cell.speed.ttfb,
            rtf=job.cell.speed.rtf,
        ),
        hours=(_WARM_UP + minutes + _LAST_TICK) / 60,
        lifelike=job.terms.lifelike,
        policy=job.policy,
        wire=False,
    ).with_calls(calls)


def at_share(scenario: Scenario, cell: Cell) -> Scenario:
    """Return the scenario with the cell's talk share. Raises ValueError where callers cannot speak so little."""
    groups = [attrs.evolve(group, traits=at_talk_share(group.traits, cell.talk_share)) for group in scenario.groups]
    return attrs.evolve(scenario, groups=tuple(groups))


class Meter:
    """Counts what a run does to its callers: `add` is a sink, `tick` ends the run when the verdict is clear.

    A wait and a turn count in the block in which their reply is over.
    """

    def __init__(self, level: Level, *, calls: int) -> None:
        self._calls = calls
        self._level = level
        self._test = LevelTest(level, calls=calls)
        self._latencies = Latencies()
        self._turns = 0
        self._minutes = -_WARM_UP
        self._block = _Marks()
        self._counted_from = 0
        """The first wait after the warm-up."""

    def add(self, event: Event) -> None:
        """Take in the next event."""
        self._latencies.add(event)
        if isinstance(event, ReplyEnded) and event.outcome is not Outcome.EMPTY:
            self._turns += 1

    def tick(self, _now: float) -> bool:
        """Note that a minute is over; return whether the verdict is clear."""
        self._minutes += 1
        if self._minutes >= 0 and self._minutes % _BLOCK == 0:
            block = self._next_block()
            if self._minutes == 0:
                self._counted_from = self._block.waits
            else:
                self._test.add(block)
        return self._test.clear is not None

    def result(self) -> CapacityRun:
        """Return what the whole blocks came to; what was left over at the end does not count."""
        counts = self._test.counts
        waits = self._latencies.waits[self._counted_from : self._block.waits]
        wait = percentile((wait.seconds for wait in waits), WAIT_PERCENT)
        return CapacityRun(
            calls=self._calls,
            inside=self._test.inside,
            clear=self._test.clear is not None,
            seconds=60.0 * max(self._minutes // _BLOCK * _BLOCK, 0),
            turns=counts.turns,
            wait_p95_s=None if wait is None else round(wait, 6),
            gaps_per_100_turns=round(100 * counts.gaps / counts.turns, 6) if counts.turns else None,
        )

    def _next_block(self) -> Counts:
        before = self._block
        self._block = now = _Marks(len(self._latencies.waits), self._turns, self._latencies.gap_causes.total())
        waits = self._latencies.waits[before.waits : now.waits]
        return Counts(
            waits=len(waits),
            late=sum(wait.seconds > self._level.wait for wait in waits),
            turns=now.turns - before.turns,
            gaps=now.gaps - before.gaps,
        )


@frozen
class _Marks:
    """How many waits, turns and gaps there were when a block ended."""

    waits: int = 0
    turns: int = 0
    gaps: int = 0

"""Runs a scenario with one seed and says what it came to: the summary, what was broken, what could not be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import frozen

from orchestrator.events import BotFailed, CallFailed, CallStarted, Event
from simulations.invariants import Invariants
from simulations.many import Tell
from simulations.reports.overload import Cycles, Offered, overload
from simulations.reports.summary import RunFacts, Summary
from simulations.run_folder import EventLog, write_summary
from simulations.scenario import Group, Scenario
from simulations.world import run_world


@frozen(kw_only=True)
class SeedJob:
    """What to run, and the directory for what it leaves (None: nothing)."""

    scenario: Scenario
    seed: int
    folder: Path | None = None


@frozen(kw_only=True)
class SeedRun:
    """How it went: the object of section 6 of the design, with how often each of the scenario's `faults` struck and,
    where endless calls waited all the time, what silence nobody could avoid (`overload`); a line for each invariant
    that was broken, and for each file that could not be written; and the first failure of a call or its bot, if there
    was any."""

    summary: dict[str, Any]
    broken: list[str]
    unwritten: list[str]
    failure: str | None = None


def run_seed(job: SeedJob, tell: Tell) -> SeedRun:
    """Run the job, from its first event to its last; `tell` gets the part that is done. A worker for many.py.

    Raises what the world raises.
    """
    summary, invariants = Summary(), Invariants(job.scenario)
    weights, failure, cycles = _Weights(job.scenario), _FirstFailure(), Cycles()
    sinks = [summary.add, invariants.add, weights.add, failure.add, cycles.add]
    seconds = job.scenario.hours * 3600

    def tick(now: float) -> bool:
        tell(min(1.0, now / seconds))
        return False

    if job.folder is None:
        ended, unwritten = run_world(job.scenario, seed=job.seed, sinks=sinks, tick=tick), []
    else:
        with EventLog(job.folder) as log:
            ended = run_world(job.scenario, seed=job.seed, sinks=[*sinks, log.add], tick=tick)
        unwritten = log.failed
    found = summary.result(run=_facts(job, weights.by_call), books=ended.books)
    found |= _overload(job.scenario, found, cycles=cycles)
    if job.scenario.faults:
        found["faults"] = ended.faults
    if job.folder is not None:
        unwritten += write_summary(job.folder, found)
    return SeedRun(summary=found, broken=invariants.finish(), unwritten=unwritten, failure=failure.told)


def _overload(scenario: Scenario, summary: dict[str, Any], *, cycles: Cycles) -> dict[str, Any]:
    """Return the `overload` of the run: nothing where calls end, or were refused, since fewer may have waited then."""
    endless = all(_is_endless(group) for group in scenario.groups)
    if not endless or summary["calls_refused"]:
        return {}
    offered = Offered(calls=scenario.calls, slots=scenario.server.slots)
    found = overload(summary, offered=offered, natural_cycle=cycles.mean)
    return {} if found is None else {"overload": found}


def _is_endless(group: Group) -> bool:
    return group.arrivals in ("at once", "spread") and not group.traits.minutes


class _Weights:
    """A sink that notes each call's share of the slot: its group's."""

    def __init__(self, scenario: Scenario) -> None:
        self.by_call: dict[str, float] = {}
        self._by_group = {group.name: group.weight for group in scenario.groups}

    def add(self, event: Event) -> None:
        if isinstance(event, CallStarted):
            self.by_call[event.call] = self._by_group[event.group]


class _FirstFailure:
    """A sink that notes the first failure of a call or its bot: which call, what of it, and the error."""

    def __init__(self) -> None:
        self.told: str | None = None

    def add(self, event: Event) -> None:
        if self.told is not None or not isinstance(event, (BotFailed, CallFailed)):
            return
        where = [f"call {event.call}"] if event.call else []
        where += [event.hook] if isinstance(event, BotFailed) else []
        self.told = f"{', '.join(where)}: {event.error}"


def _facts(job: SeedJob, weights: dict[str, float]) -> RunFacts:
    scenario = job.scenario
    return RunFacts(
        calls=scenario.calls,
        seconds=scenario.hours * 3600,
        seed=job.seed,
        policy=scenario.policy,
        profile=scenario.profile,
        slots=scenario.server.slots,
        links=scenario.server.links,
        weights=weights,
        groups=tuple(group.name for group in scenario.groups if group.name is not None),
    )

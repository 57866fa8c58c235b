"""Measures whole runs of the reference workload, reported on as `talkingstick simulate` does: processor time on the
wire and without it, how calls and hours add to it, and memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from statistics import fmean

import attrs

from simulations.bench.figures import Figure, Tell, processor_seconds
from simulations.bench.memory import peak_megabytes
from simulations.many import Tell as TellPart
from simulations.many import run_all
from simulations.progress import Progress
from simulations.scenario_file import load_scenario
from simulations.seed_run import SeedJob, run_seed

_CALLS = 9
_GROWTH = ((4, 0.5), (4, 2.0), (9, 1.0), (9, 2.0))
"""Calls and hours whose cost is compared."""
_HOURS = (1.0, 2.0)
"""Of the runs whose memory is compared."""


def measure_direct(tell: Tell) -> Iterator[Figure]:
    """Yield what nine calls of an hour cost without a wire."""
    seconds = _seconds(_CALLS, 1.0, wire=False, tell=tell)
    yield Figure(bench="direct", name="9 calls, 1 hour", value=seconds, unit="s", limit=20, aim=12)


def measure_wire(tell: Tell) -> Iterator[Figure]:
    """Yield what nine calls of an hour cost on the wire."""
    seconds = _seconds(_CALLS, 1.0, wire=True, tell=tell)
    yield Figure(bench="wire", name="9 calls, 1 hour", value=seconds, unit="s", limit=60, aim=40)


def measure_growth(tell: Tell) -> Iterator[Figure]:
    """Yield what a call-hour costs in short and long runs of few and many calls, and the dearest to the cheapest.

    Where all work is linear in calls and hours, a call-hour costs the same everywhere and the ratio is 1. If anything
    that matters grew with the square of the hours, (4, 2) would be up to four times (4, 0.5); with the square of the
    calls, nine would be 2.25 times four. Half of that is allowed, for noise and for what calls do to each other.
    """
    costs = {(calls, hours): _seconds(calls, hours, wire=False, tell=tell) / calls / hours for calls, hours in _GROWTH}
    for (calls, hours), cost in costs.items():
        # So much that nine calls of an hour keep their own limit.
        yield Figure(
            bench="growth", name=f"a call-hour of {calls} calls, {hours:g} h", value=cost, unit="s", limit=20 / 9
        )
    ratio = max(costs.values()) / min(costs.values())
    yield Figure(bench="growth", name="the dearest call-hour to the cheapest", value=ratio, unit="times", limit=1.6)


def measure_memory(tell: Tell) -> Iterator[Figure]:
    """Yield the most memory that nine calls take in one hour and in two, each in a process of its own."""
    tell(f"{_CALLS} calls, {' h and '.join(f'{hours:g}' for hours in _HOURS)} h")
    jobs = [_job(_CALLS, hours, wire=False) for hours in _HOURS]
    progress = Progress(jobs=len(jobs), seconds=3600 * fmean(_HOURS))
    try:
        one, two = run_all(jobs, peak_of, progress=progress, processes=len(jobs))
    finally:
        progress.close()
    yield Figure(bench="memory", name="the peak of 9 calls, 2 hours", value=two, unit="MB", limit=256)
    each = (two - one) / _CALLS
    yield Figure(bench="memory", name="more for the second hour, each call", value=each, unit="MB", limit=4)


def peak_of(job: SeedJob, tell: TellPart) -> float:
    """Run the job and return the most memory that this process ever had resident, in MB. A worker for many.py."""
    run_seed(job, tell)
    return peak_megabytes()


def _seconds(calls: int, hours: float, *, wire: bool, tell: Tell) -> float:
    job = _job(calls, hours, wire=wire)
    tell(f"{calls} calls, {hours:g} h{' on the wire' if wire else ''}")
    progress = Progress(jobs=1, seconds=hours * 3600)
    try:
        run_seed(_job(calls, 0.01, wire=wire), _quietly)  # what is loaded or remembered once is no part of it
        return processor_seconds(partial(run_seed, job, partial(progress, 0)))
    finally:
        progress.close()


def _job(calls: int, hours: float, *, wire: bool) -> SeedJob:
    scenario = attrs.evolve(load_scenario("reference", assignments=['profile="fast"']), hours=hours, wire=wire)
    return SeedJob(scenario=scenario.with_calls(calls), seed=1)


def _quietly(_part: float) -> None:
    pass

"""Finds how many calls fit into one cell, and keeps the number; what a run says is runs.py's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from simulations.capacity.cells import CapacityRun, CellJob, Found
from simulations.capacity.kept import keep
from simulations.capacity.runs import run_calls_until_clear
from simulations.capacity.search import most_inside
from simulations.many import Tell

MOST = 1000
"""Calls that are tried at most: `simulate` takes no more."""
Measure = Callable[[CellJob, int], CapacityRun]


@frozen(kw_only=True)
class Assignment:
    """A cell to do, and where to keep what is found: the file, and the name of the program that ran."""

    job: CellJob
    cache: Path
    program: str


def find(assignment: Assignment, _tell: Tell) -> Found:
    """Find the number, telling each verdict on standard error, and keep it. A worker for many.py. Raises OSError."""

    def measured(job: CellJob, calls: int) -> CapacityRun:
        run = run_calls_until_clear(job, calls)
        say(f"{job}: {run}")
        return run

    found = search(assignment.job, measured)
    keep(assignment.cache, found, key=assignment.job.key(assignment.program))
    say(f"{assignment.job}: calls that fit: {found.calls}")
    return found


def search(job: CellJob, measure: Measure, *, most: int = MOST) -> Found:
    """Return how many calls fit into the job's cell; `measure` runs so many of them and says what it came to."""
    runs: list[CapacityRun] = []

    def inside(calls: int) -> bool:
        runs.append(measure(job, calls))
        return runs[-1].inside

    calls = most_inside(inside, first=job.guess, most=most)
    return Found(calls=calls, runs=tuple(runs))


def say(line: str) -> None:
    """Tell the user how things go; a reader that is gone does no harm."""
    with suppress(OSError, ValueError):  # ValueError: the stream is closed
        print(line, file=sys.stderr, flush=True)

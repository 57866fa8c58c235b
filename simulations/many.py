"""Runs jobs on all cores, in processes of their own, and says mean and sd of what came out; the jobs are the caller's.

The processes are spawned (a fork would copy a Trio that runs), and end at once when a job fails or Ctrl-C comes:
concurrent.futures waits for the jobs that are under way.
"""

from __future__ import annotations

import os
import signal
import statistics
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection, get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")
Tell = Callable[[float], None]
"""Called by a worker with how much of its job is done, 0 to 1."""
Worker = Callable[[Job, Tell], Result]
"""Does one job. It is a function of a module, and jobs and results can be pickled: they cross to another process."""
Progress = Callable[[int, float], None]
"""Called here with the place of a job and how much of it is done."""


class JobFailed(Exception):
    """A worker raised, or its process died: `index` is the job's place, `told` the traceback or what is known."""

    def __init__(self, index: int, told: str) -> None:
        super().__init__(index, told)  # both, so that it can be pickled
        self.index = index
        self.told = told

    def __str__(self) -> str:
        return f"job {self.index}: {self.told}"


def run_all(
    jobs: Sequence[Job],
    worker: Worker[Job, Result],
    *,
    progress: Progress = lambda _index, _part: None,
    processes: int | None = None,
) -> list[Result]:
    """Return what `worker` made of each job, in the order of the jobs; by default in as many processes as cores.

    One job, or one process, is run right here. The first failure ends everything and is raised as JobFailed; so does
    Ctrl-C. Call it from the main thread, outside Trio.
    """
    count = min(len(jobs), processes or _cores())
    if count <= 1:
        return [_run_here(job, worker, index=index, progress=progress) for index, job in enumerate(jobs)]
    results: dict[int, Result] = {}
    waiting = iter(enumerate(jobs))
    with _crew(count, worker) as pipes:
        doing = {pipe: index for pipe in pipes if (index := _hand_over(pipe, waiting)) is not None}
        while doing:
            for pipe in connection.wait(list(doing)):
                assert isinstance(pipe, Connection)
                index = doing[pipe]
                kind, value = _heard(pipe, index)
                if kind == "part":
                    progress(index, value)
                    continue
                results[index] = value
                progress(index, 1.0)
                del doing[pipe]
                following = _hand_over(pipe, waiting)
                if following is not None:
                    doing[pipe] = following
    return [results[index] for index in range(len(jobs))]


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run_here(job: Job, worker: Worker[Job, Result], *, index: int, progress: Progress) -> Result:
    try:
        result = worker(job, lambda part: progress(index, part))
    except Exception as error:
        raise JobFailed(index, traceback.format_exc()) from error
    progress(index, 1.0)
    return result


def _hand_over(pipe: Connection, waiting: Iterator[tuple[int, Any]]) -> int | None:
    """Give the next job to the process behind `pipe`; return its place, None where none is left."""
    for index, job in waiting:
        with suppress(BrokenPipeError):  # it died meanwhile: reading from it says so
            pipe.send(job)
        return index
    return None


def _heard(pipe: Connection, index: int) -> tuple[str, Any]:
    try:
        kind, value = pipe.recv()
    except (EOFError, ConnectionError):
        raise JobFailed(index, "its process ended before it was done (killed, or out of memory?)") from None
    if kind == "failed":
        raise JobFailed(index, value)
    return kind, value


@contextmanager
def _crew(count: int, worker: Worker[Any, Any]) -> Iterator[list[Connection]]:
    """Start processes that take jobs from pipes; leaving ends them, whatever they do."""
    context = get_context("spawn")
    crew: list[tuple[SpawnProcess, Connection]] = []
    try:
        with _deaf_to_ctrl_c():
            for _ in range(count):
                ours, theirs = context.Pipe()
                process = context.Process(target=_serve, args=(worker, theirs), daemon=True)
                process.start()
                theirs.close()  # else its end would not be noticed
                crew.append((process, ours))
        yield [pipe for _, pipe in crew]
    finally:
        for process, _ in crew:
            process.kill()
        for process, pipe in crew:
            process.join()
            pipe.close()


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """What is started meanwhile is deaf to the interrupt, which a terminal sends to all: this process ends the others.

    An interrupt that comes meanwhile is held back, not lost.
    """
    resource_tracker.ensure_running()  # else it is started below, and lets interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(worker: Worker[Any, Any], pipe: Connection) -> None:
    """Do the jobs that come through the pipe, until nobody is at its other end."""
    try:
        while True:
            job = pipe.recv()
            try:
                pipe.send(("done", worker(job, lambda part: pipe.send(("part", part)))))
            except (BrokenPipeError, ConnectionError):
                return
            except Exception:
                pipe.send(("failed", traceback.format_exc()))
    except (EOFError, ConnectionError):
        return


# --- mean and sd ---


def mean_and_sd(runs: Sequence[Any]) -> tuple[Any, Any]:
    """Return mean and sample standard deviation of objects of one shape, as two objects of that shape.

    Numbers are taken key by key, and place by place in lists as long as each other. What is no number in every run
    (text, truth, null, a key or a list that differs) is None; so is the sd of a single run. Figures are rounded to the
    millionth, as those of a run are.
    """
    return _over(runs, statistics.fmean), _over(runs, lambda values: statistics.stdev(values) if values[1:] else None)


def _over(values: Sequence[Any], figure: Callable[[Sequence[float]], float | None]) -> Any:
    if all(isinstance(value, Mapping) for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        return {key: _over([value.get(key) for value in values], figure) for key in keys}
    if all(isinstance(value, list) for value in values) and len({len(value) for value in values}) == 1:
        return [_over(place, figure) for place in zip(*values, strict=True)]
    if not all(_is_number(value) for value in values):
        return None
    found = figure(values)
    return None if found is None else round(found, 6)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

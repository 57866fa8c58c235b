"""`talkingstick lipsync simulate`: runs the queue's world in virtual time, with one seed or with many, and reports."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
from attrs import frozen

from orchestrator.commands_lipsync_simulate import LipsyncSimulateOptions
from orchestrator.errors import SettingsError
from simulations.lipsync.figures import SCHEMA, Watch, figures
from simulations.lipsync.rules import broken
from simulations.lipsync.scenario import LipsyncScenario
from simulations.lipsync.text import told
from simulations.lipsync.world import Ended, run_world
from simulations.many import JobFailed, Tell, mean_and_sd, run_all
from simulations.progress import Progress
from simulations.run_folder import EventLog, prepare, write_summary
from simulations.sync.faults import READER


@frozen(kw_only=True)
class Job:
    """What to run, and the directory for what it leaves (None: nothing)."""

    scenario: LipsyncScenario
    seed: int
    folder: Path | None = None


@frozen(kw_only=True)
class Run:
    """How it went: figures, with a line for each rule that was broken, and one for each file that was not written."""

    figures: dict[str, Any]
    unwritten: list[str]

    @property
    def broken(self) -> list[str]:
        """A line for each rule that was broken."""
        return list(self.figures["broken"])


def run(*, options: LipsyncSimulateOptions) -> int:
    """Simulate; return 1 if anything was broken that must always hold, or a file was not written.

    Ctrl-C ends it at once. Raises SettingsError and OSError. Not on Trio: a simulated world brings its own.
    """
    scenario = scenario_of(options)
    jobs = _jobs(scenario, options)
    progress = Progress(jobs=len(jobs), seconds=scenario.expected)
    try:
        runs = run_all(jobs, run_job, progress=progress)
    except JobFailed as failure:
        progress.close()
        print(failure.told, file=sys.stderr)
        _complain(["the program failed"], options, job=jobs[failure.index])
        return 1
    finally:
        progress.close()
    unwritten = _report(runs, options)
    for line in unwritten:
        print(f"talkingstick: could not write {line}", file=sys.stderr)
    wrong = [(job, run.broken) for job, run in zip(jobs, runs, strict=True) if run.broken]
    for job, lines in wrong:
        _complain(lines, options, job=job)
    return 1 if wrong or unwritten else 0


def run_job(job: Job, tell: Tell) -> Run:
    """Run one world, from its first event to its last; `tell` gets the part that is done. A worker for many.py."""
    watch = Watch()
    if job.folder is None:
        ended = run_world(job.scenario, seed=job.seed, sinks=[watch.add], tick=tell)
        return Run(figures=_found(ended, watch, seed=job.seed), unwritten=[])
    with EventLog(job.folder) as log:
        ended = run_world(job.scenario, seed=job.seed, sinks=[watch.add, log.add], tick=tell)
    found = _found(ended, watch, seed=job.seed)
    unwritten = [*log.failed, *write_summary(job.folder, found)]
    return Run(figures=found, unwritten=unwritten)


def _found(ended: Ended, watch: Watch, *, seed: int) -> dict[str, Any]:
    return {**figures(ended, watch, seed=seed), "broken": broken(ended, watch)}


# --- what is asked for ---


def scenario_of(options: LipsyncSimulateOptions) -> LipsyncScenario:
    """Return what is to be simulated. Raises SettingsError."""
    if options.no_faults and options.fault:
        raise SettingsError("--no-faults: not beside --fault")
    return LipsyncScenario(
        jobs=options.jobs,
        kills=options.kills,
        plan=options.plan,
        faults=READER.parse_faults(options.fault) if options.fault or options.no_faults else None,
        idempotency=options.idempotency == "yes",
        webhooks=options.webhooks,
        speed=options.speed,
        creates_per_minute=options.creates_per_minute,
        requests_per_minute=options.requests_per_minute,
    )


def _jobs(scenario: LipsyncScenario, options: LipsyncSimulateOptions) -> list[Job]:
    seeds = range(options.seed, options.seed + (options.seeds or 1))
    folders: Sequence[Path | None] = [None] * len(seeds)
    if options.out is not None:
        folders = prepare(options.out, seeds=seeds if options.seeds else None)
    return [Job(scenario=scenario, seed=seed, folder=folder) for seed, folder in zip(seeds, folders, strict=True)]


def command_line(options: LipsyncSimulateOptions, *, seed: int) -> str:
    """Return the command that runs this one seed again, quoted for a shell."""
    again = attrs.evolve(options, seed=seed, seeds=None, out=None)
    return shlex.join(["talkingstick", "lipsync", "simulate", *_arguments(again)])


def _arguments(options: LipsyncSimulateOptions) -> Iterator[str]:
    for each in attrs.fields(LipsyncSimulateOptions):
        value, name = getattr(options, each.name), each.name.replace("_", "-")
        if each.name != "seed" and value == each.default:
            continue
        if isinstance(value, bool):
            yield f"--{name}" if value else f"--no-{name}"
            continue
        for single in value if isinstance(value, tuple) else (value,):
            yield from (f"--{name}", str(single))


# --- what came of it ---


def _report(runs: Sequence[Run], options: LipsyncSimulateOptions) -> list[str]:
    """Print what the runs came to; return a line for each file that could not be written."""
    found, lines = [run.figures for run in runs], [line for run in runs for line in run.unwritten]
    whole = {"schema": SCHEMA, **found[0]}
    if options.seeds is not None:
        mean, sd = mean_and_sd(found)
        whole = {"schema": SCHEMA, "runs": found, "mean": mean, "sd": sd}
        if options.out is not None:
            lines += write_summary(options.out, whole)
    print(json.dumps(whole) if options.json else told(found))
    if options.out is not None:
        print(f"Events and summaries are in {options.out}/", file=sys.stderr)
    return lines


def _complain(lines: Sequence[str], options: LipsyncSimulateOptions, *, job: Job) -> None:
    """Tell what went wrong with a seed, and how to see it again."""
    for line in lines:
        print(f"talkingstick: seed {job.seed}: {line}", file=sys.stderr)
    print(f"talkingstick: run it again with: {command_line(options, seed=job.seed)}", file=sys.stderr)

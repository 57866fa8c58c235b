"""`talkingstick simulate`: runs a scenario in virtual time, with one seed or with many, and reports.

What a scenario is is scenario_file.py's, one run seed_run.py's, the cores many.py's.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from orchestrator.commands import SimulateOptions
from orchestrator.dialogue.bot_loading import load_bot
from orchestrator.errors import SettingsError
from simulations.many import JobFailed, mean_and_sd, run_all
from simulations.progress import Progress
from simulations.reports.figures import table
from simulations.reports.headline import sentence
from simulations.reports.summary import SCHEMA
from simulations.run_folder import prepare, write_summary
from simulations.scenario import Group, Scenario
from simulations.scenario_file import NEED_WIRE, listing, load_scenario
from simulations.seed_run import SeedJob, SeedRun, run_seed
from simulations.waves.faults.parsing import parse_faults
from simulations.workload import at_talk_share


def run(*, scenario: str | None, options: SimulateOptions) -> int:
    """Simulate the scenario; return 1 if an invariant was broken, a call failed or a file was not written.

    Ctrl-C ends it at once. Raises SettingsError, BotLoadError and OSError.
    """
    if options.list:
        print(listing())
        return 0
    if scenario is None:
        raise SettingsError(f"SCENARIO is missing: expected the path of a TOML file, or one that ships.\n{listing()}")
    found = scenario_for(scenario, options)
    _check_bots(found)
    jobs = _jobs(found, options)
    progress = Progress(jobs=len(jobs), seconds=found.hours * 3600)
    try:
        runs = run_all(jobs, run_seed, progress=progress)
    except JobFailed as failure:
        progress.close()
        print(failure.told, file=sys.stderr)
        _complain(["the program failed"], scenario, options=options, job=jobs[failure.index])
        return 1
    except (KeyboardInterrupt, BaseExceptionGroup):  # Trio may wrap the interrupt; any Exception would be JobFailed
        progress.close()
        left = "" if options.out is None else f"; what happened so far is in {options.out}/"
        print(f"talkingstick: stopped{left}", file=sys.stderr)
        raise
    finally:
        progress.close()
    unwritten = _unwritten(_report(found, options, runs=runs), options, runs=runs)
    for line in unwritten:
        print(f"talkingstick: could not write {line}", file=sys.stderr)
    wrong = {job.seed: (job, lines) for job, run in zip(jobs, runs, strict=True) if (lines := _complaints(run))}
    for job, lines in wrong.values():
        _complain(lines, scenario, options=options, job=job)
    return 1 if wrong or unwritten else 0


# --- what is asked for ---


def scenario_for(name: str, options: SimulateOptions) -> Scenario:
    """Return the scenario with all that the options change in it. Raises SettingsError."""
    given = {
        "profile": options.profile,
        "server.slots": options.slots,
        "server.ttfb": options.ttfb,
        "server.rtf": options.rtf,
        "hours": options.hours,
        "policy": options.policy,
        "wire": options.wire,
        "lifelike": options.lifelike,
    }
    assignments = [f"{key}={json.dumps(value)}" for key, value in given.items() if value is not None]
    scenario = load_scenario(name, assignments=[*assignments, *options.set], server=options.provider)
    groups = tuple(_changed(group, options) for group in scenario.groups)
    scenario = attrs.evolve(scenario, groups=groups, faults=(*scenario.faults, *parse_faults(options.fault)))
    if scenario.faults and not scenario.wire:
        raise SettingsError(NEED_WIRE)
    try:
        return scenario if options.calls is None else scenario.with_calls(options.calls)
    except ValueError as error:
        raise SettingsError(f"--calls {options.calls}: {_reason(error)}") from None


def _changed(group: Group, options: SimulateOptions) -> Group:
    if options.bot is not None:
        group = attrs.evolve(group, bot=options.bot)
    if options.talk_share is None:
        return group
    try:
        return attrs.evolve(group, traits=at_talk_share(group.traits, options.talk_share))
    except ValueError as error:
        where = f" (group {group.name})" if group.name else ""
        raise SettingsError(f"--talk-share {options.talk_share:g}{where}: {_reason(error)}") from None


def _reason(error: ValueError) -> str:
    """Return what is wrong, without what it is wrong with: the option says that."""
    return str(error).rpartition(": ")[2]


def _check_bots(scenario: Scenario) -> None:
    """Raises BotLoadError now and not in the middle of a run."""
    for name in dict.fromkeys(group.bot for group in scenario.groups if group.bot is not None):
        load_bot(name, scenario.settings.bot.options)


def _jobs(scenario: Scenario, options: SimulateOptions) -> list[SeedJob]:
    seeds = range(options.seed, options.seed + (options.seeds or 1))
    folders: Sequence[Path | None] = [None] * len(seeds)
    if options.out is not None:
        folders = prepare(options.out, seeds=seeds if options.seeds else None)
    return [SeedJob(scenario=scenario, seed=seed, folder=folder) for seed, folder in zip(seeds, folders, strict=True)]


def command_line(scenario: str, options: SimulateOptions, *, job: SeedJob) -> str:
    """Return the command that runs this one job again, quoted for a shell."""
    again = attrs.evolve(options, seed=job.seed, seeds=None, out=job.folder)
    return shlex.join(["talkingstick", "simulate", scenario, *_arguments(again)])


def _arguments(options: SimulateOptions) -> Iterator[str]:
    words = {("wire", True): "--wire", ("wire", False): "--no-wire"}
    words |= {("lifelike", True): "--lifelike", ("lifelike", False): "--ideal"}
    for each in attrs.fields(SimulateOptions):
        value, name = getattr(options, each.name), each.name.replace("_", "-")
        if each.name != "seed" and value == each.default:
            continue
        if isinstance(value, bool):
            yield words.get((each.name, value), f"--{name}")
            continue
        for single in value if isinstance(value, tuple) else (value,):
            yield from (f"--{name}", str(single))


# --- what came of it ---


def _report(scenario: Scenario, options: SimulateOptions, *, runs: Sequence[SeedRun]) -> dict[str, Any]:
    """Print what the runs came to, and return it as one object."""
    summaries = [run.summary for run in runs]
    if options.seeds is None:
        found, text = summaries[0], f"{sentence(summaries[0])}\n\n{table(summaries[0])}"
    else:
        mean, sd = mean_and_sd(summaries)
        found = {"schema": SCHEMA, "runs": summaries, "mean": mean, "sd": sd}
        text = f"{_many(options)}\n\n{table(mean, sd=sd)}"
    print(json.dumps(found) if options.json else f"{scenario.name}: {text}")
    return found


def _many(options: SimulateOptions) -> str:
    last = options.seed + (options.seeds or 1) - 1
    if last == options.seed:
        return f"one run, seed {last}"
    return f"{options.seeds} runs, seeds {options.seed} to {last}: mean ± standard deviation"


def _unwritten(found: dict[str, Any], options: SimulateOptions, *, runs: Sequence[SeedRun]) -> list[str]:
    """Write the summary of many runs; return a line for each file that could not be written, of any run."""
    lines = [line for run in runs for line in run.unwritten]
    if options.out is not None:
        if options.seeds is not None:
            lines += write_summary(options.out, found)
        print(f"Events and summaries are in {options.out}/", file=sys.stderr)
    return lines


def _complaints(run: SeedRun) -> list[str]:
    failed = run.summary["calls_failed"]
    if not failed:
        return run.broken
    told = f"{failed} call{'s' * (failed > 1)} failed: see BotFailed and CallFailed in the events (--out)"
    return [*run.broken, told, *([f"the first: {run.failure}"] if run.failure else [])]


def _complain(lines: Sequence[str], scenario: str, *, options: SimulateOptions, job: SeedJob) -> None:
    """Tell what went wrong with a seed, and how to see it again."""
    for line in lines:
        print(f"talkingstick: seed {job.seed}: {line}", file=sys.stderr)
    print(f"talkingstick: run it again with: {command_line(scenario, options, job=job)}", file=sys.stderr)

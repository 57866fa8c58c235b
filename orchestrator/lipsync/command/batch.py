"""`talkingstick lipsync batch FILE`: many jobs from a file, accepted together; results come in the order of its lines.

Whether they go as a batch of the service's or one by one is the queue's; what a line may be is batch_file.py's.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs

from orchestrator.commands_lipsync import BatchOptions
from orchestrator.errors import AvatarFault, FaultKind, SettingsError
from orchestrator.lipsync.batch_file import Entry, Problem, WrongRequestError, read_batch
from orchestrator.lipsync.command.downloads import into
from orchestrator.lipsync.command.jobs import Account, asked_of, complain, print_json
from orchestrator.lipsync.command.naming import named
from orchestrator.lipsync.command.service import reached_service, settings_of
from orchestrator.lipsync.command.sources import located
from orchestrator.lipsync.command.work import Outcome
from orchestrator.lipsync.telling import result_fields
from orchestrator.ports import FEWEST_IN_BATCH, MOST_IN_BATCH, BatchLine
from orchestrator.settings import LipsyncSettings

_LARGEST = 50_000_000
"""Bytes of a file that is read; a batch of the service's has at most 5 million."""


async def batch(options: BatchOptions, file: Path) -> int:
    """Put the jobs of a file into the queue, see them through, and print what became of each line.

    Raises SettingsError with every line that is wrong, and LipsyncStoreError; then nothing was accepted.
    """
    settings = settings_of(options)
    entries = entries_of(file, options.model or settings.model)
    if options.dry_run:
        return await _check(entries, settings, file=file, as_json=options.json)
    if options.out is not None and not options.wait:
        raise SettingsError("--out: expected --wait, too: only then are there videos to download")
    account, asked = Account.of(options, wait=options.wait), asked_of(options)
    if options.out is not None:
        into(options.out)
    with account.open_store() as store:
        _point_out(store.unfinished(file.name), file)
        together = attrs.evolve(asked, together=f"{file.name} {asked.at}")
        requests, names = [entry.request for entry in entries], [entry.request_id for entry in entries]
        jobs = store.accept_all(requests, together, names=names)
        print(f"{len(jobs)} job(s) accepted, {jobs[0].id} to {jobs[-1].id}", file=sys.stderr, flush=True)
        target = None if options.out is None else into(options.out, name=named(jobs))
        outcome = await account.see_through(jobs, store, target=target)
    _print_results(outcome, as_json=options.json)
    return account.close(outcome)


def _point_out(unfinished: int, file: Path) -> None:
    """Say that jobs of the same file are still in the queue: who meant those has them made a second time."""
    if unfinished:
        complain(
            f"{unfinished} job(s) of an earlier {file.name} have not ended; the lines are new jobs all the same "
            "(the earlier ones are gone on with by: talkingstick lipsync wait)"
        )


def entries_of(file: Path, model: str) -> list[Entry]:
    """Return what the lines of a file ask for, their files checked. Raises SettingsError, a line a problem."""
    if str(file) == "-":
        raise SettingsError("-: expected a file: lines are not read from standard input")
    try:
        if file.stat().st_size > _LARGEST:
            raise SettingsError(f"{file}: is larger than {_LARGEST} bytes: expected a line a video")
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file}: is not UTF-8 text; expected JSON lines") from None
    entries, problems = read_batch(text, model=model)
    there = []
    for entry in entries:
        try:
            there.append(attrs.evolve(entry, request=located(entry.request, file.parent)))
        except WrongRequestError as wrong:
            problems.append(Problem(entry.line, str(wrong)))
    if problems:
        problems.sort(key=lambda problem: problem.line)
        raise SettingsError("\n".join(f"{file}: {problem}" for problem in problems))
    return there


async def _check(entries: Sequence[Entry], settings: LipsyncSettings, *, file: Path, as_json: bool) -> int:
    """Have the lines checked by the service if it would take them as a batch, and say so; return 0.

    Raises SettingsError with what it finds wrong, a line a problem, and AvatarFault where it can't be asked.
    """
    by_service = why_not_by_service(entries, settings)
    if not by_service:
        lines = [BatchLine(request_id=entry.request_id, request=entry.request) for entry in entries]
        await _ask(lines, settings, file=file)
    if as_json:
        print_json(lines=len(entries), checked_by="us" if by_service else "service")
    else:
        whom = f"checked here, not by the service: {by_service}" if by_service else "the service has checked them"
        print(f"{len(entries)} line(s) are right; {whom}")
    return 0


async def _ask(lines: Sequence[BatchLine], settings: LipsyncSettings, *, file: Path) -> None:
    try:
        async with reached_service(settings) as service:
            await service.create_batch(lines, dry_run=True)
    except AvatarFault as fault:
        if fault.kind is not FaultKind.REQUEST:
            raise
        raise SettingsError("\n".join(f"{file}: {problem}" for problem in fault.problems or [fault.message])) from None


def why_not_by_service(entries: Sequence[Entry], settings: LipsyncSettings) -> str:
    """Return why the service would not take the lines as a batch; empty if it would."""
    if not settings.may_batch:
        return f"the plan {settings.plan} has no batches" if settings.batch == "auto" else "lipsync.batch = never"
    if not FEWEST_IN_BATCH <= len(entries) <= MOST_IN_BATCH:
        return f"a batch has {FEWEST_IN_BATCH} to {MOST_IN_BATCH} lines"
    if any(entry.request.files for entry in entries):
        return "files are to be uploaded first"
    return ""


def _print_results(outcome: Outcome, *, as_json: bool) -> None:
    results = [
        {**result_fields(job.name, job), "file": str(outcome.files[job.id]) if job.id in outcome.files else None}
        for job in outcome.jobs
    ]
    if as_json:
        print_json(results=results)
        return
    for result in results:
        print(json.dumps(result, ensure_ascii=False), flush=True)

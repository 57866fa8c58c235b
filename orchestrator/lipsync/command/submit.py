"""`talkingstick lipsync submit|wait|retry`: jobs go into the queue, and are seen through as far as was asked."""

from __future__ import annotations

import time  # jobs outlive the run and the machine's uptime: their times are the wall clock's
from collections.abc import Sequence
from pathlib import Path

import attrs

from orchestrator.commands_lipsync import RetryOptions, SubmitOptions, WaitOptions
from orchestrator.errors import SettingsError
from orchestrator.lipsync.batch_file import WrongRequestError, short_request
from orchestrator.lipsync.command.downloads import into, to, to_either
from orchestrator.lipsync.command.jobs import Account, asked_of, complain, print_jobs, wait_command
from orchestrator.lipsync.command.naming import named
from orchestrator.lipsync.command.sources import located
from orchestrator.lipsync.command.store import CommandStore
from orchestrator.lipsync.command.work import Outcome
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.store import LipsyncJobError
from orchestrator.lipsync.telling import why
from orchestrator.ports import VideoRequest
from orchestrator.settings import LipsyncSettings


async def submit(options: SubmitOptions) -> int:
    """Put one job into the queue, print its id, and see it through. Raises SettingsError, LipsyncStoreError."""
    account = Account.of(options, wait=options.wait)
    request, asked = request_of(options, account.settings), asked_of(options)
    if options.out is not None and not options.wait:
        raise SettingsError("--out: expected --wait, too: only then is there a video to download")
    target = None if options.out is None else to(options.out)
    with account.open_store() as store:
        jobs = store.accept_all([request], asked)
        if not options.json:
            print(jobs[0].id, flush=True)
        outcome = await account.see_through(jobs, store, target=target)
    if options.json:
        print_jobs(outcome)
    elif outcome.jobs[0].state is JobState.COMPLETED:
        print(outcome.jobs[0].output_url, flush=True)
    return account.close(outcome)


def request_of(options: SubmitOptions, settings: LipsyncSettings) -> VideoRequest:
    """Return the request that the options ask for, its files checked. Raises SettingsError."""
    asked = attrs.asdict(options, filter=lambda field, _: field.name in _ASKED)
    try:
        return located(short_request(asked, model=settings.model), Path.cwd())
    except WrongRequestError as wrong:
        raise SettingsError(f"submit: {wrong}") from None


_ASKED = ("video", "audio", "text", "voice_id", "model", "sync_mode")


async def wait(options: WaitOptions, ids: Sequence[str]) -> int:
    """See jobs through to their end: all that have not ended if none is named, with --all those that have, too.

    Raises SettingsError, LipsyncStoreError.
    """
    if ids and options.all:
        raise SettingsError("wait: expected the ids of jobs, or --all; not both")
    account = Account.of(options, wait=True)
    with account.open_store() as store:
        jobs = store.find(ids) if ids else store.all_jobs() if options.all else store.live()
        target = None if options.out is None else to_either(options.out, jobs)
        if not jobs and not options.json:
            earlier = f"; videos of earlier jobs: {wait_command(options, ['JOB...'])}" if options.out else ""
            complain(f"the queue is empty{earlier}")
        outcome = await account.see_through(jobs, store, target=target) if jobs else Outcome(jobs=[])
    _print_ends(outcome, as_json=options.json)
    return account.close(outcome)


async def retry(options: RetryOptions, ids: Sequence[str]) -> int:
    """Let jobs that ended without a video wait anew, and see them through. Raises SettingsError, LipsyncStoreError."""
    if bool(ids) == options.failed:
        raise SettingsError("retry: expected the ids of jobs, or --failed" + ("; not both" if ids else ""))
    if options.out is not None and not options.wait:
        raise SettingsError("--out: expected --wait, too: only then are there videos to download")
    account = Account.of(options, wait=options.wait)
    with account.open_store() as store:
        found = store.without_video() if options.failed else store.find(ids)
        target = None if options.out is None else into(options.out, name=named(found))
        jobs, all_there = retried(store, found)
        if options.failed and not jobs:
            complain("no job has failed")
        for job in () if options.json else jobs:
            print(f"{job.id} waiting", flush=True)
        outcome = await account.see_through(jobs, store, target=target) if jobs else Outcome(jobs=[])
    if options.json:
        print_jobs(outcome)
    elif options.wait:
        _print_ends(outcome, as_json=False)
    return account.close(outcome) or (0 if all_there else 1)


def retried(store: CommandStore, jobs: Sequence[Job]) -> tuple[list[Job], bool]:
    """Let jobs wait anew; return them, and whether all could be. What could not is told."""
    fresh = []
    for job in jobs:
        try:
            fresh.append(store.retry(job.id, time.time()))
        except LipsyncJobError as error:
            complain(str(error))
    return fresh, len(fresh) == len(jobs)


def _print_ends(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        print_jobs(outcome)
        return
    for job in outcome.jobs:
        if job.state.ended:
            name = [f"(request_id {job.name})"] if job.name else []
            print(job.id, job.state.value, job.output_url or why(job), *name, flush=True)

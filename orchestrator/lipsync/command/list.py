"""`talkingstick lipsync list|cancel`: shows the jobs of a queue, and ends those that still wait; needs no account."""

from __future__ import annotations

import time  # jobs outlive the run and the machine's uptime: their times are the wall clock's
from collections.abc import Sequence

from orchestrator.commands_lipsync import CancelOptions, JobListOptions
from orchestrator.lipsync.command.jobs import complain, print_json
from orchestrator.lipsync.command.service import settings_of
from orchestrator.lipsync.command.store import CommandStore, looking_into
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.store import LipsyncJobError, store_path
from orchestrator.lipsync.telling import called, job_fields, table


def list_jobs(options: JobListOptions) -> int:
    """Print the newest jobs; return 0. Raises SettingsError, LipsyncStoreError."""
    path = store_path(settings_of(options))
    states = [JobState(state) for state in options.state]
    with looking_into(path) as store:
        jobs = store.jobs(states=states, owner=options.owner, limit=options.limit) if store else []
    if options.json:
        print_json(store=str(path), jobs=[job_fields(job) for job in jobs])
        return 0
    if not path.exists():
        print(f"no queue yet at {path}")
        return 0
    for line in table(jobs, now=time.time()) if jobs else ():
        print(line)
    at_most = f", the newest {options.limit} (--limit)" if len(jobs) == options.limit else ""
    print(f"{len(jobs)} job(s){at_most} in {path}")
    return 0


def cancel(options: CancelOptions, ids: Sequence[str]) -> int:
    """End jobs that still wait; return 1 if one does not. Raises SettingsError, LipsyncStoreError, LipsyncJobError."""
    settings = settings_of(options)
    path = store_path(settings)
    with looking_into(path) as store:
        if store is None:
            raise LipsyncJobError(f'"{ids[0]}": no such job: there is no queue yet at {path}')
        jobs, errors = _cancelled(store, store.find(ids), notified=not settings.notify_url)
    if options.json:
        errors_told = [{"id": name, "error": error} for name, error in errors.items()]
        print_json(jobs=[job_fields(job) for job in jobs], errors=errors_told)
        return 1 if errors else 0
    for job in jobs:
        print(f"{called(job)} cancelled")
    for error in errors.values():
        complain(error)
    return 1 if errors else 0


def _cancelled(store: CommandStore, jobs: Sequence[Job], *, notified: bool) -> tuple[list[Job], dict[str, str]]:
    """End jobs; return those, and why the others could not be, by their ids."""
    ended, errors = list[Job](), dict[str, str]()
    for job in jobs:
        try:
            ended.append(store.cancel(job.id, time.time(), notified=notified))
        except LipsyncJobError as error:
            errors[job.id] = str(error)
    return ended, errors

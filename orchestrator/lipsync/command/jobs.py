"""What the commands about jobs share: their queue and account, what new jobs share, what is printed at last."""

from __future__ import annotations

import json
import shlex
import sys
import time  # jobs outlive the run and the machine's uptime: their times are the wall clock's
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from attrs import frozen

from orchestrator.commands_lipsync import AccountOptions, JobOptions, StoreOptions
from orchestrator.errors import SettingsError
from orchestrator.lipsync.command.downloads import Target
from orchestrator.lipsync.command.service import key_of, settings_of
from orchestrator.lipsync.command.store import Asked, CommandStore
from orchestrator.lipsync.command.work import Errand, Outcome, carry_out, is_worked_on
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.store import store_path
from orchestrator.lipsync.telling import job_fields
from orchestrator.redaction import redacted
from orchestrator.settings import LipsyncSettings

_NAMED = 4
"""More jobs than so many are not named one by one."""
_SAME_AGAIN = ("config", "store", "address", "plan", "out")
"""Options that a command which goes on needs, too."""


def complain(words: str) -> None:
    """Say on standard error what went wrong, as the command line says it."""
    for line in words.splitlines():
        print(f"talkingstick: {redacted(line)}", file=sys.stderr)


def print_json(**fields: Any) -> None:
    """Print the one object that a program gets."""
    print(json.dumps({"schema": 1, **fields}), flush=True)


def asked_of(options: JobOptions) -> Asked:
    """Return what the options say of new jobs. Raises SettingsError."""
    now = time.time()
    deadline = None if options.deadline is None else deadline_at(options.deadline, now)
    return Asked(at=now, owner=options.owner, priority=options.priority, deadline=deadline)


def deadline_at(said: str, now: float) -> float:
    """Return a deadline in Unix seconds: so many from now, or a time, which is local where it names no zone.

    Raises SettingsError.
    """
    expected = "expected seconds from now, or a time such as 2026-12-01T18:00:00Z"
    try:
        at = now + float(said)
    except ValueError:
        try:
            at = datetime.fromisoformat(said).timestamp()
        except (ValueError, OverflowError, OSError):
            raise SettingsError(f'--deadline "{said}": {expected}') from None
    if not now < at < _END_OF_TIME:
        raise SettingsError(f'--deadline "{said}": is not ahead of us; {expected}')
    return at


_END_OF_TIME = 253_402_300_800.0
"""The year 10000, which no time of ours can be written with; infinity and "nan" lie beyond."""


@frozen(kw_only=True)
class Account:
    """The account and the queue that a command about jobs is for. `key` is empty where another process works."""

    options: AccountOptions
    settings: LipsyncSettings
    key: str
    wait: bool

    @classmethod
    def of(cls, options: AccountOptions, *, wait: bool) -> Account:
        """Return what the options mean. Raises SettingsError, also where there is no key though one will be needed."""
        settings = settings_of(options)
        needs_key = wait or not is_worked_on(store_path(settings))
        return cls(options=options, settings=settings, key=key_of(settings) if needs_key else "", wait=wait)

    def open_store(self) -> closing[CommandStore]:
        """Have the queue's store open for a block. Raises LipsyncStoreError."""
        return closing(CommandStore.open(store_path(self.settings)))

    async def see_through(self, jobs: Sequence[Job], store: CommandStore, *, target: Target | None = None) -> Outcome:
        """Work on the queue, or watch who does, until the jobs have ended, or without --wait are taken."""
        errand = Errand(settings=self.settings, key=self.key, store=store, wait=self.wait, target=target)
        return await carry_out(errand, jobs)

    def close(self, outcome: Outcome) -> int:
        """Say what is left to do, and return the exit status."""
        live = [job for job in outcome.jobs if not job.state.ended]
        if outcome.problem:
            complain(outcome.problem)
        if live:
            print(f"{self._where(live, outcome)}; {self._how_to_go_on(live)}", file=sys.stderr)
        if outcome.interrupted:
            return 130
        return 0 if outcome.ok else 1

    def _where(self, live: Sequence[Job], outcome: Outcome) -> str:
        which = live[0].id if len(live) == 1 else f"{len(live)} jobs"
        verb = "s" if len(live) == 1 else ""
        waiting = sum(job.state is JobState.WAITING for job in live)
        if waiting == 0:
            return f"{which}: the service has taken {'it' if verb else 'them'}"
        because = f": {outcome.trouble}" if outcome.trouble and not outcome.problem else ""
        return f"{which} stay{verb} in the queue{because}"

    def _how_to_go_on(self, live: Sequence[Job]) -> str:
        ids = [job.id for job in live] if len(live) <= _NAMED else []
        return f"go on with: {wait_command(self.options, ids)}"


def wait_command(options: StoreOptions, ids: Sequence[str]) -> str:
    """Return the command that waits for jobs of the same queue and account, and downloads to the same place."""
    given = [(name, getattr(options, name, None)) for name in _SAME_AGAIN]
    same = [f"--{name} {shlex.quote(str(value))}" for name, value in given if value is not None]
    return " ".join(["talkingstick lipsync wait", *ids, *same])


def print_jobs(outcome: Outcome, jobs: Sequence[Job] = ()) -> None:
    """Print jobs as the one object that a program gets; `file` is where the video was downloaded to."""
    files = {name: str(path) for name, path in outcome.files.items()}
    print_json(jobs=[{**job_fields(job), "file": files.get(job.id)} for job in jobs or outcome.jobs])

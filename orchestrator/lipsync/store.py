"""Keeps the jobs in the queue's SQLite file; decides nothing. How a job is a row is rows.py's.

Everything here blocks: run it in a lane. Several processes may use one file at a time: a job that another has ended or
cancelled meanwhile is never overwritten.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

import attrs

from orchestrator.errors import SettingsError, TalkingstickError
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.notes import CLAIM, Notes, Request, keep_duration, keep_request
from orchestrator.lipsync.outcomes import next_key
from orchestrator.lipsync.rows import INSERT, IS_LIVE, SELECT, UPDATE, job_of, row_of
from orchestrator.settings import LipsyncSettings

_RETRIED = (JobState.FAILED, JobState.REJECTED, JobState.CANCELLED)


class LipsyncJobError(TalkingstickError):
    """There is no such job, or it is past what was asked for; the message says so."""


def store_path(settings: LipsyncSettings, environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the queue is kept. Raises SettingsError where no home directory is known that it would lie in."""
    base = environment.get("XDG_STATE_HOME", "")
    try:
        if settings.store:
            return Path(settings.store).expanduser()
        # A relative path there is to be passed over, says the XDG specification.
        state = Path(base) if os.path.isabs(base) else Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise SettingsError(f'lipsync.store = "{settings.store}": {error}; expected a file') from None
    return state / "talkingstick" / "lipsync.db"


class Store(Notes):
    """One open database. Every method raises LipsyncStoreError, and has then changed nothing."""

    def accept(self, job: Job) -> Job | None:
        """Keep a new job and return it with its serial number; None if its id or key is taken: draw others."""
        with self._writing() as connection:
            cursor = connection.execute(INSERT, row_of(job))
            return attrs.evolve(job, serial=int(cursor.lastrowid or 0)) if cursor.rowcount else None

    def save(
        self, *jobs: Job, request: Request | None = None, lasted: Mapping[str, float] | None = None
    ) -> frozenset[str]:
        """Write what became of live jobs, all or nothing: with the `request` that is to begin, and how many seconds
        videos of some models took.

        Returns the ids of those that were written: not of one that has ended here meanwhile.
        """
        with self._writing() as connection:
            written = [job.id for job in jobs if connection.execute(f"{UPDATE} AND {IS_LIVE}", row_of(job)).rowcount]
            for job in jobs:
                if job.generation:
                    connection.execute(CLAIM, (job.generation, job.key, job.submitted_at or job.accepted_at))
            if request and written:
                keep_request(connection, request)
            for model, seconds in (lasted or {}).items():
                keep_duration(connection, model, seconds=seconds)
        return frozenset(written)

    def cancel(self, job_id: str, at: float, *, notified: bool = False) -> Job:
        """End a job that still waits; `notified`: nobody is to be told.

        Raises LipsyncJobError if there is none, or if it is past that.
        """
        with self._writing() as connection:
            job = self._known(job_id)
            if job.state is not JobState.WAITING:
                why = "it has ended" if job.state.ended else "it is with the service, which can't be told to stop"
                raise LipsyncJobError(f"{job_id}: can't be cancelled: {why} ({job.state.value})")
            error = "cancelled before it was begun"
            job = attrs.evolve(
                job, state=JobState.CANCELLED, ended_at=at, error=error, code="cancelled", notified=notified
            )
            connection.execute(UPDATE, row_of(job))
        return job

    def retry(self, job_id: str, at: float) -> Job:
        """Let a job that ended without a video wait anew, with a new key. Raises LipsyncJobError if it did not."""
        with self._writing() as connection:
            job = self._known(job_id)
            if job.state not in _RETRIED:
                why = "its video was made" if job.state.ended else "it has not ended"
                raise LipsyncJobError(f"{job_id}: can't be tried again: {why} ({job.state.value})")
            late = job.deadline is not None and job.deadline <= at
            fresh = Job(id=job.id, key=next_key(job), request=job.request, accepted_at=at)
            kept = {name: getattr(job, name) for name in ("serial", "owner", "call", "name", "priority")}
            job = attrs.evolve(fresh, **kept, deadline=None if late else job.deadline)
            connection.execute(UPDATE, row_of(job))
        return job

    def job(self, job_id: str) -> Job | None:
        """Return a job."""
        found = self._read(f"{SELECT} WHERE id = ?", job_id)
        return job_of(found[0]) if found else None

    def live(self) -> list[Job]:
        """Return the jobs that have not ended, in the order of their acceptance."""
        return [job_of(row) for row in self._read(f"{SELECT} WHERE {IS_LIVE} ORDER BY serial")]

    def jobs(self, *, states: Collection[JobState] = (), owner: str | None = None, limit: int = 100) -> list[Job]:
        """Return jobs, the newest first: those in one of `states` (none: in any), of one owner if that is given."""
        named = [state.value for state in states]
        wanted = [f"state IN ({', '.join('?' * len(named))})"] if named else []
        wanted += ["owner = ?"] if owner is not None else []
        where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
        values = [*named, *([owner] if owner is not None else []), limit]
        return [job_of(row) for row in self._read(f"{SELECT}{where} ORDER BY serial DESC LIMIT ?", *values)]

    def served(self) -> dict[str, float]:
        """Return when the service last took a job of each owner's."""
        rows = self._read("SELECT owner, max(submitted_at) AS at FROM jobs GROUP BY owner HAVING at IS NOT NULL")
        return {row["owner"]: row["at"] for row in rows}

    def untold(self, *, limit: int = 100, after: tuple[float, int] = (0.0, 0)) -> list[Job]:
        """Return jobs whose end nobody was told, the first to end first; `after`: an end, and the job's serial."""
        where = f"notified = 0 AND NOT {IS_LIVE} AND (ended_at, serial) > (?, ?)"
        rows = self._read(f"{SELECT} WHERE {where} ORDER BY ended_at, serial LIMIT ?", *after, limit)
        return [job_of(row) for row in rows]

    def told(self, job: Job) -> None:
        """Note that the end of a job was told; nothing if it was tried again meanwhile."""
        with self._writing() as connection:
            connection.execute("UPDATE jobs SET notified = 1 WHERE key = ?", (job.key,))

    def delete_old(self, before: float) -> int:
        """Forget the jobs that ended before, if their end was told; return how many."""
        with self._writing() as connection:
            old = f"ended_at < ? AND notified = 1 AND NOT {IS_LIVE}"
            connection.execute("DELETE FROM made WHERE at < ?", (before,))
            return connection.execute(f"DELETE FROM jobs WHERE {old}", (before,)).rowcount

    def _known(self, job_id: str) -> Job:
        row = self._connection.execute(f"{SELECT} WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            raise LipsyncJobError(f"{job_id}: no such job")
        return job_of(row)

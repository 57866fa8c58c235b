"""Reads and changes the queue's store for a command, in one piece: many jobs at once, ids by their beginning.

Everything here blocks. Who works on the jobs is the queue's.
"""

from __future__ import annotations

import random  # ids of new jobs; the generator is passed in
import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from attrs import Factory, evolve, frozen

from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.outcomes import first_key
from orchestrator.lipsync.rows import INSERT, row_of
from orchestrator.lipsync.store import LipsyncJobError, Store, store_path
from orchestrator.ports import VideoRequest
from orchestrator.settings import LipsyncSettings

_SHOWN = 3
"""So many of the jobs are named that one beginning stands for."""
_WITHOUT_VIDEO = (JobState.FAILED, JobState.REJECTED)


@frozen(kw_only=True)
class Asked:
    """What new jobs have in common. Times are Unix seconds."""

    at: float
    owner: str = ""
    priority: int = 0
    deadline: float | None = None
    together: str = ""
    rng: random.Random = Factory(random.Random)

    def job(self, request: VideoRequest, name: str = "") -> Job:
        """Return a new job."""
        job_id = f"{self.rng.getrandbits(64):016x}"
        return Job(
            id=job_id,
            key=first_key(job_id),
            request=request,
            accepted_at=self.at,
            owner=self.owner,
            name=name,
            priority=self.priority,
            deadline=self.deadline,
            together=self.together,
        )


class CommandStore(Store):
    """The store as commands use it. Every method raises LipsyncStoreError, and has then changed nothing."""

    def accept_all(
        self, requests: Sequence[VideoRequest], asked: Asked, *, names: Sequence[str] | None = None
    ) -> list[Job]:
        """Keep new jobs, all or none; `names` of them in the same order, if they have any."""
        jobs = []
        with self._writing() as connection:
            for request, name in zip(requests, names or [""] * len(requests), strict=True):
                while not (cursor := connection.execute(INSERT, row_of(job := asked.job(request, name)))).rowcount:
                    pass  # its id is taken
                jobs.append(evolve(job, serial=int(cursor.lastrowid or 0)))
        return jobs

    def find(self, beginnings: Sequence[str]) -> list[Job]:
        """Return the jobs whose ids begin so, each once. Raises LipsyncJobError for none, or more than one of one."""
        found = {job.id: job for job in map(self._one, beginnings)}
        return list(found.values())

    def _one(self, beginning: str) -> Job:
        escaped = beginning.strip().lower()
        rows = self._read("SELECT id FROM jobs WHERE substr(id, 1, ?) = ? ORDER BY serial DESC", len(escaped), escaped)
        ids = [str(row["id"]) for row in rows] if escaped else []
        job = self.job(ids[0]) if len(ids) == 1 else None
        if job is not None:
            return job
        if not ids:
            where = "" if self.path == store_path(LipsyncSettings()) else f" --store {shlex.quote(str(self.path))}"
            raise LipsyncJobError(f'"{beginning}": no such job; see: talkingstick lipsync list{where}')
        named = ", ".join(ids[:_SHOWN]) + (", ..." if len(ids) > _SHOWN else "")
        raise LipsyncJobError(f'"{beginning}" is the beginning of {len(ids)} jobs ({named}): give more of it')

    def unfinished(self, file_name: str) -> int:
        """Return how many jobs of earlier batches from a file of this name have not ended."""
        return sum(job.together.rpartition(" ")[0] == file_name for job in self.live())

    def all_jobs(self) -> list[Job]:
        """Return all jobs, in the order of their acceptance."""
        return self.jobs(limit=-1)[::-1]

    def without_video(self) -> list[Job]:
        """Return the jobs that failed or were rejected, in the order of their acceptance."""
        return self.jobs(states=_WITHOUT_VIDEO, limit=-1)[::-1]


@contextmanager
def looking_into(path: Path) -> Iterator[CommandStore | None]:
    """Have the store at `path` open for a block; None where there is none yet. Raises LipsyncStoreError."""
    if not path.exists():
        yield None
        return
    with closing(CommandStore.open(path)) as store:
        yield store

"""Owns the live jobs in memory, always as the store has them: every change is written first, and told when it is.

What the changes are, the steps say; what happens when they can't be written is writing.py's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TypeVar

import attrs

from orchestrator.events import VideoAccepted, VideoEnded, VideoSubmitted
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.ends import Ends
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.notes import Request
from orchestrator.lipsync.store import Store
from orchestrator.lipsync.writing import Place, Writer

T = TypeVar("T")
Change = Callable[[Job], Job]
"""What becomes of a job; the same job: nothing."""
_OUTDATED = -1
"""No version that a store has: what is in memory is to be read anew."""


class Books:
    """The jobs of one store. `to_tell`: whether somebody is to be told of each end."""

    def __init__(self, store: Store, place: Place, *, writer: Writer, to_tell: bool) -> None:
        self.jobs: dict[str, Job] = {}
        self.usual: dict[str, float] = {}
        self.served: dict[str, float] = {}
        self.begun: dict[str, float] = {}
        """When jobs were submitted under our eyes, by Place.steady."""
        self.ends = Ends()
        self.waiting = 0
        """How many of the jobs wait."""
        self._store = store
        self._place = place
        self._writer = writer
        self._to_tell = to_tell
        self._version = _OUTDATED

    # --- changes of ours ---

    async def add(self, draw: Callable[[], Job]) -> Job:
        """Keep a new job, drawn again while its id is taken. Raises LipsyncStoreError."""
        async with self._writer.turn():
            while (job := await self._writer.read(self._store.accept, draw())) is None:
                pass
            self._put(job)
        self._place.emit(VideoAccepted(at=self._place.now(), job=job.id, owner=job.owner, waiting=self.waiting))
        return job

    async def cancel(self, job_id: str) -> Job:
        """End a job that still waits. Raises LipsyncJobError, LipsyncStoreError."""
        async with self._writer.turn():
            job = await self._writer.read(
                lambda: self._store.cancel(job_id, self._place.wall(), notified=not self._to_tell)
            )
            self._put(job)
        self._tell(None, job, told_by="queue")
        return job

    async def retry(self, job_id: str) -> Job:
        """Let a job that ended without a video wait anew. Raises LipsyncJobError, LipsyncStoreError."""
        async with self._writer.turn():
            job = await self._writer.read(self._store.retry, job_id, self._place.wall())
            self._put(job)
        return job

    async def change(
        self, ids: Iterable[str], how: Change, *, told_by: str = "poll", request: Callable[[], Request] | None = None
    ) -> tuple[Job, ...]:
        """Change live jobs once that is written, however long it takes; return those that changed.

        `how` gets each job as it is then. `request` is called for what is to be written with it, if anything is.
        """
        names = tuple(ids)
        return await self._writer.persist(lambda: self._change(names, how, told_by=told_by, request=request))

    async def _change(
        self, ids: tuple[str, ...], how: Change, *, told_by: str, request: Callable[[], Request] | None
    ) -> tuple[Job, ...]:
        now, wall = self._place.steady(), self._place.wall()
        before = {name: self.jobs[name] for name in ids if name in self.jobs}
        after = [
            _dated(new, wall, notified=not self._to_tell) for old in before.values() if (new := how(old)) is not old
        ]
        if not after:
            return ()
        with_it = request() if request else None
        lasted = {
            job.request.model: seconds for job in after if (seconds := _seconds(job, self.begun, now=now)) is not None
        }
        written = await self._writer.read(lambda: self._store.save(*after, request=with_it, lasted=lasted))
        for job in after:
            if job.id in written:
                self._put(job)
                self._tell(before[job.id], job, told_by=told_by)
        for job in after:
            if job.id not in written:
                await self._see(job.id)
        if lasted:
            with suppress(LipsyncStoreError):  # what was known before is nearly as good
                self.usual = await self._writer.read(self._store.usual)
        return tuple(job for job in after if job.id in written)

    # --- changes by others ---

    async def load(self) -> None:
        """Read the live jobs anew, and see which have ended."""
        async with self._writer.turn():
            self._version = await self._writer.read(self._store.data_version)
            now = self._place.wall()
            live = {job.id: _begun(job, now) for job in await self._writer.read(self._store.live)}
            for name in [name for name in (*self.jobs, *self.ends.awaited) if name not in live]:
                if ended := await self._writer.read(self._store.job, name):
                    self._put(ended)
            self.jobs = live
            self.waiting = sum(map(_waits, live.values()))
        self._writer.wake()

    async def _see(self, job_id: str) -> None:
        """See at once what another process has done to a job: what is out of date must not be decided by again."""
        self._drop(job_id)
        self._version = _OUTDATED
        with suppress(LipsyncStoreError):  # then it is seen with all others
            if job := await self._writer.read(self._store.job, job_id):
                self._put(job)

    async def learn(self) -> None:
        """Read what earlier jobs have shown. Raises LipsyncStoreError."""
        self.usual, self.served = (
            await self._writer.read(self._store.usual),
            await self._writer.read(self._store.served),
        )

    async def notice(self) -> None:
        """Read the live jobs anew if another process has changed any."""
        try:
            if await self._writer.read(self._store.data_version) != self._version:
                await self.load()
        except LipsyncStoreError:  # whoever writes tells of it
            self._version = _OUTDATED

    async def find(self, job_id: str) -> Job | None:
        """Return a job, live or ended. Raises LipsyncStoreError."""
        return self.jobs.get(job_id) or await self._writer.read(self._store.job, job_id)

    def _put(self, job: Job) -> None:
        if job.state.ended:
            self._drop(job.id)
            self.begun.pop(job.id, None)
            self.ends.came(job)
        else:
            old = self.jobs.get(job.id)
            self.jobs[job.id] = job
            self.waiting += _waits(job) - (old is not None and _waits(old))
        self._writer.wake()

    def _drop(self, job_id: str) -> None:
        if old := self.jobs.pop(job_id, None):
            self.waiting -= _waits(old)

    def _tell(self, old: Job | None, job: Job, *, told_by: str) -> None:
        now, wall = self._place.now(), self._place.wall()
        if job.submitted_at is not None and (old is None or old.submitted_at is None):
            self.served[job.owner] = job.submitted_at
            self.begun[job.id] = self._place.steady() - (wall - job.submitted_at)
            waited = job.submitted_at - job.accepted_at
            made = job.generation or job.batch
            self._place.emit(VideoSubmitted(at=now, job=job.id, generation=made, waited=waited))
        if job.state.ended:
            self._place.emit(_told(job, at=now, seconds=wall - job.accepted_at, by=told_by))


def _dated(job: Job, at: float, *, notified: bool) -> Job:
    return attrs.evolve(job, ended_at=at, notified=notified) if job.state.ended else job


def _seconds(job: Job, begun: Mapping[str, float], *, now: float) -> float | None:
    """Return how long a video took that was made under our eyes: of another we don't know when it was ready."""
    if job.state is not JobState.COMPLETED or job.batch or job.id not in begun:
        return None
    return now - begun[job.id]


def _told(job: Job, *, at: float, seconds: float, by: str) -> VideoEnded:
    return VideoEnded(at=at, job=job.id, state=job.state.value, code=job.code, seconds=seconds, told_by=by)


def _waits(job: Job) -> bool:
    return job.state is JobState.WAITING


def _begun(job: Job, now: float) -> Job:
    """Return a job that was not submitted in the future, as it can be if the clock was set back since."""
    return attrs.evolve(job, submitted_at=now) if job.submitted_at is not None and job.submitted_at > now else job

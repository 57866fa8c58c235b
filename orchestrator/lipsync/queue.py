"""Owns a queue of videos: takes jobs in, and as long as no other process does, works on them. Decides nothing.

What is done is worker.py's, what is kept books.py's.
"""

from __future__ import annotations

import random  # ids, and the full jitter of back-offs; whoever wants a run repeated passes a seeded one
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import trio
from attrs import Factory, evolve, frozen

from orchestrator.lipsync import batching
from orchestrator.lipsync.account import Account
from orchestrator.lipsync.books import Books
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.desk import Desk
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.lock import WorkerLock
from orchestrator.lipsync.notices import Notices
from orchestrator.lipsync.outcomes import first_key
from orchestrator.lipsync.requests import Requests
from orchestrator.lipsync.resolving import named_in
from orchestrator.lipsync.store import LipsyncJobError, Store, store_path
from orchestrator.lipsync.worker import Worker
from orchestrator.lipsync.writing import Place, Writer
from orchestrator.ports import AvatarService, Batch, Emit, Generation, Lane, Now, VideoRequest
from orchestrator.settings import LipsyncSettings

__all__ = ["LipsyncJobError", "LipsyncQueue", "LipsyncStatistics", "LipsyncStoreError", "LipsyncSurroundings"]
__all__ += ["open_lipsync"]


@frozen(kw_only=True)
class LipsyncSurroundings:
    """What a queue lives in. `now` is the run's clock, `wall` gives Unix seconds, `lane` runs what blocks.

    `service` tells of ends at `webhook_url`; where that is empty, it is polled. `work`: whether to work on the store if
    nobody else does. `open_store` and `transport` (of the notices) are others in tests and simulations.
    """

    emit: Emit
    now: Now
    wall: Now
    lane: Lane
    service: AvatarService
    rng: random.Random = Factory(random.Random)
    webhook_url: str = ""
    work: bool = True
    open_store: Callable[[Path], Store] = Store.open
    transport: httpx2.AsyncBaseTransport | None = None


@frozen(kw_only=True)
class LipsyncStatistics:
    """A queue as it stands: jobs by state, others' generations, changes that can't be written, who works."""

    waiting: int
    sending: int
    submitted: int
    others: int
    limit: int
    stopped: int
    working: bool


class LipsyncQueue:
    """A queue of videos. Made by `open_lipsync`."""

    def __init__(self, desk: Desk, worker: Worker) -> None:
        self._desk = desk
        self._books = desk.books
        self._worker = worker

    # --- for who wants videos ---

    @property
    def working(self) -> bool:
        """Whether jobs are worked on here; if not, they are accepted and watched."""
        return self._worker.working

    async def accept(
        self,
        request: VideoRequest,
        *,
        owner: str = "",
        call: str = "",
        priority: int = 0,
        deadline: float | None = None,
    ) -> Job:
        """Put a job into the queue; when this returns it survives us. `deadline` is in Unix seconds.

        Raises LipsyncStoreError: nothing was accepted.
        """
        place = self._desk.place

        asked = Job(
            id="",
            key="",
            request=request,
            accepted_at=place.wall(),
            owner=owner,
            call=call,
            priority=priority,
            deadline=deadline,
        )

        def draw() -> Job:
            name = f"{place.rng.getrandbits(64):016x}"
            return evolve(asked, id=name, key=first_key(name))

        return await self._books.add(draw)

    async def cancel(self, job_id: str) -> Job:
        """End a job that still waits. Raises LipsyncJobError (no such job, or past that), LipsyncStoreError."""
        return await self._books.cancel(job_id)

    async def retry(self, job_id: str) -> Job:
        """Let a job that ended without a video wait anew. Raises LipsyncJobError, LipsyncStoreError."""
        return await self._books.retry(job_id)

    async def job(self, job_id: str) -> Job:
        """Return a job, live or ended. Raises LipsyncJobError if there is none, LipsyncStoreError."""
        return _found(job_id, await self._books.find(job_id))

    async def wait_ended(self, job_id: str) -> Job:
        """Return a job when it has ended, whichever process ends it. Raises as `job`."""
        return _found(job_id, await self._books.ends.wait(job_id, self._books.find))

    def statistics(self) -> LipsyncStatistics:
        """Return how things stand."""
        states = [job.state for job in self._books.jobs.values()]
        return LipsyncStatistics(
            waiting=states.count(JobState.WAITING),
            sending=states.count(JobState.SENDING),
            submitted=states.count(JobState.SUBMITTED),
            others=self._desk.account.others,
            limit=self._desk.account.limit,
            stopped=self._desk.writer.stopped,
            working=self._worker.working,
        )

    # --- for webhooks ---

    async def hear_signed(self, news: Generation | Batch, signature: str) -> bool:
        """Take in what a webhook says, unless one with its signature came before; say whether it is the first.

        The signature is noted last: what could not be stored may come again. Raises LipsyncStoreError.
        """
        if await self._desk.writer.read(self._desk.store.seen, signature):
            return False
        await (self.hear_batch(news) if isinstance(news, Batch) else self.hear(news))
        return await self._desk.writer.write(self._desk.store.first_seen, signature, self._desk.place.wall())

    async def hear(self, generation: Generation) -> None:
        """The service tells of a generation; what it says is durable when this returns. Of no job of ours: nothing."""
        job = self._job_of(generation)
        if job is not None:
            await self._desk.learned(job, generation, told_by="webhook")
            self._desk.writer.wake()

    async def hear_batch(self, batch: Batch) -> None:
        """The service tells of a batch; its results are fetched, now or after a restart."""
        if key := named_in(batch.webhook_url, "batch"):
            await batching.taken(self._desk, batch, key=key)
        if not batch.live and batching.in_batch(self._desk, batch.id):
            self._desk.gone.add(batch.id)
            self._desk.writer.wake()

    def _job_of(self, generation: Generation) -> Job | None:
        for job in self._books.jobs.values():
            if job.generation == generation.id:
                return job
        named = self._books.jobs.get(named_in(generation.webhook_url, "job"))
        return named if named and named.tries and not named.generation else None


def _found(job_id: str, job: Job | None) -> Job:
    if job is None:
        raise LipsyncJobError(f"{job_id}: no such job")
    return job


@asynccontextmanager
async def open_lipsync(settings: LipsyncSettings, surroundings: LipsyncSurroundings) -> AsyncIterator[LipsyncQueue]:
    """Open a queue, and work on it until the block ends. Raises LipsyncStoreError, SettingsError."""
    path, lane = store_path(settings), surroundings.lane
    with trio.CancelScope(shield=True):  # an open database is never left behind
        store = await lane.run(surroundings.open_store, path)
    lock = WorkerLock(path)
    try:
        if surroundings.work:
            lock.take()
        desk = _desk(settings, surroundings, store=store)
        notices = Notices(settings.notify_url, desk, transport=surroundings.transport) if settings.notify_url else None
        worker = Worker(desk, lock=lock if surroundings.work else None, notices=notices)
        await desk.books.load()
        async with trio.open_nursery() as nursery:
            await nursery.start(worker.run)
            yield LipsyncQueue(desk, worker)
            nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):
            await lane.run(store.close)
        lock.give_back()


def _desk(settings: LipsyncSettings, given: LipsyncSurroundings, *, store: Store) -> Desk:
    place = Place(lane=given.lane, emit=given.emit, now=given.now, wall=given.wall, rng=given.rng)
    writer = Writer(place)
    return Desk(
        books=Books(store, place, writer=writer, to_tell=bool(settings.notify_url)),
        writer=writer,
        store=store,
        requests=Requests(settings, place=place),
        service=given.service,
        place=place,
        account=Account(limit=settings.at_a_time, ask_again=settings.ask_again),
        webhook_url=given.webhook_url,
        may_batch=settings.may_batch,
    )

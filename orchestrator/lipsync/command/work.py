"""Works on the queue for a command, or watches who does, until its jobs are where it wants them, and tells of it.

What happens to a job is the queue's; what is printed in the end is command.py's.
"""

from __future__ import annotations

import math
import random  # jitter of the queue's back-offs
import time  # jobs outlive the run and the machine's uptime: their times are the wall clock's
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import trio
from attrs import Factory, define, evolve, field, frozen

from orchestrator.app import run_clock
from orchestrator.errors import AvatarFault
from orchestrator.events import Event, QueueStopped
from orchestrator.lanes import ThreadLane
from orchestrator.lipsync.command.downloads import Downloads, Target
from orchestrator.lipsync.command.progress import Progress
from orchestrator.lipsync.command.service import REACHABLE_WITHIN, WatchedService, reach, words_of
from orchestrator.lipsync.command.store import CommandStore
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.lock import WorkerLock
from orchestrator.lipsync.queue import LipsyncQueue, LipsyncSurroundings, open_lipsync
from orchestrator.lipsync.telling import Scene, called, ended, newest_trouble, told_of, told_of_all
from orchestrator.ports import Lane
from orchestrator.settings import LipsyncSettings

TAKEN_WITHIN = 20.0
"""Seconds that a command without --wait works on the queue until the service has taken its jobs."""
_LOOK_EVERY = 0.25
"""Seconds between two looks at the jobs; a look is cheap where nothing has changed."""
_EACH_TOLD = 20
"""Of more jobs than so many only failures are told one by one."""
_THREADS = 4
"""For the store and for files: one that is stuck does not stop the next."""


def is_worked_on(path: Path) -> bool:
    """Say whether another process works on a store. Raises LipsyncStoreError."""
    if not path.exists():
        return False
    lock = WorkerLock(path)
    free = lock.take()
    lock.give_back()
    return not free


@frozen(kw_only=True)
class Errand:
    """What is to be done for some jobs. `wait`: until they have ended, else until the service has them.

    Without a `key` nothing is sent from here: another process works on the queue.
    """

    settings: LipsyncSettings
    key: str = field(repr=False)
    store: CommandStore
    wait: bool
    target: Target | None = None
    progress: Progress = Factory(Progress)

    def wants(self, job: Job) -> bool:
        """Say whether a job is not yet where it is wanted."""
        return not (job.state.ended or (not self.wait and job.state is JobState.SUBMITTED))


@define(kw_only=True)
class Outcome:
    """How far the jobs are, in the order in which they were given; `problem`: why no more was done."""

    jobs: list[Job]
    files: dict[str, Path] = field(factory=dict)
    failed_downloads: int = 0
    problem: str = ""
    trouble: str = ""
    """Why jobs that wait could not be sent, where `problem` does not say it."""
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        lost = any(job.state.ended and job.state is not JobState.COMPLETED for job in self.jobs)
        return not (lost or self.failed_downloads or self.problem)


async def carry_out(errand: Errand, jobs: Sequence[Job]) -> Outcome:
    """See jobs through, with progress on standard error. Ctrl-C ends it, and leaves them in the queue.

    Raises SettingsError, LipsyncStoreError.
    """
    outcome = Outcome(jobs=list(jobs))
    try:
        await _carry_out(errand, outcome)
    except* KeyboardInterrupt:
        outcome.interrupted = True
        outcome.jobs = [errand.store.job(job.id) or job for job in outcome.jobs]
    finally:
        errand.progress.clear()
    return outcome


async def _carry_out(errand: Errand, outcome: Outcome) -> None:
    downloads: Downloads | None = None
    async with WatchedService(errand.settings, errand.key) as service:
        if errand.target is not None:
            downloads = Downloads(target=errand.target, service=service, progress=errand.progress)
        watch = _Watch(errand=errand, service=service, outcome=outcome, downloads=downloads)
        try:
            async with trio.open_nursery() as nursery:
                await watch.follow(nursery)
        finally:
            if downloads is not None:
                outcome.files, outcome.failed_downloads = downloads.files, downloads.failed


@define(eq=False, kw_only=True)
class _Watch:
    """The jobs of one errand as they go. `outcome` is what is known of them."""

    errand: Errand
    service: WatchedService
    outcome: Outcome
    downloads: Downloads | None
    lane: Lane = field(factory=lambda: ThreadLane(_THREADS), init=False)
    _queue: LipsyncQueue | None = field(default=None, init=False)
    _version: int = field(default=-1, init=False)
    _scene: Scene = field(factory=lambda: Scene(now=0.0), init=False)
    _told: set[str] = field(factory=set, init=False)
    _stopped: str = field(default="", init=False)

    async def follow(self, nursery: trio.Nursery) -> None:
        """Look after the jobs until all are where they are wanted, or something stands against it."""
        if not await self._left(nursery):
            return
        if is_worked_on(self.errand.store.path):
            self.errand.progress.tell("another process works on the queue")
            if not self.errand.wait:
                return
        else:
            try:
                await reach(self.errand.settings)
            except AvatarFault as fault:
                self.outcome.problem = fault.message
                return
        async with self._working() as self._queue:
            began = trio.current_time()
            deadline = math.inf if self.errand.wait else began + TAKEN_WITHIN
            while left := await self._left(nursery):
                lasted = trio.current_time() - began
                self.outcome.problem = self._problem(lasted)
                if self.outcome.problem or trio.current_time() >= deadline:
                    return
                self._show(left)
                await trio.sleep(_LOOK_EVERY)

    def _working(self) -> AbstractAsyncContextManager[LipsyncQueue]:
        surroundings = LipsyncSurroundings(
            emit=self._hear,
            now=run_clock(),
            wall=time.time,
            lane=self.lane,
            service=self.service,
            rng=random.Random(),
            work=bool(self.errand.key),
        )
        return open_lipsync(self.errand.settings, surroundings)

    def _hear(self, event: Event) -> None:
        if isinstance(event, QueueStopped):
            self._stopped = event.error

    async def _left(self, nursery: trio.Nursery) -> list[Job]:
        """Return the jobs that are not yet where they are wanted; those that have ended are told once."""
        await self._look()
        for job in self.outcome.jobs:
            if job.state.ended and job.id not in self._told:
                self._told.add(job.id)
                if job.state is not JobState.COMPLETED or len(self.outcome.jobs) <= _EACH_TOLD:
                    self.errand.progress.tell(f"{called(job)}: {ended(job)}")
                if self.downloads is not None:
                    nursery.start_soon(self.downloads.fetch, job)
        self.outcome.trouble = newest_trouble(self._scene.live)
        return [job for job in self.outcome.jobs if self.errand.wants(job)]

    async def _look(self) -> None:
        """Read how the jobs are, if anything in the store has changed."""
        try:
            version = await self.lane.run(self.errand.store.data_version)
            if version != self._version:
                self.outcome.jobs, self._scene = await self.lane.run(self._read)
                self._version = version
        except LipsyncStoreError as error:  # it may be well again the next time
            self._stopped = str(error)

    def _read(self) -> tuple[list[Job], Scene]:
        store = self.errand.store
        live = {job.id: job for job in store.live()}
        jobs = [job if job.state.ended else live.get(job.id) or store.job(job.id) or job for job in self.outcome.jobs]
        scene = Scene(
            now=time.time(),
            live=tuple(live.values()),
            served=store.served(),
            usual=store.usual(),
            limit=self.errand.settings.at_a_time,
        )
        return jobs, scene

    def _problem(self, lasted: float) -> str:
        """Return why there is no sense in going on, if so."""
        if self._queue is None or not self._queue.working:
            return ""
        if self.service.refused is not None:
            return f"the video service refuses: {words_of(self.service.refused, self.errand.settings)}"
        if lasted >= REACHABLE_WITHIN and self.service.trouble and not self.service.answered:
            return f"the video service can't be reached: {self.service.trouble}"
        return ""

    def _show(self, left: Sequence[Job]) -> None:
        trouble = self.service.trouble
        if self._queue is not None and not self._queue.working:
            trouble = self.outcome.trouble  # another process knows more, and it writes this down only
        elif self._queue is not None and self._queue.statistics().stopped:
            trouble = self._stopped
        scene = evolve(self._scene, now=time.time(), trouble=trouble, uploading=self.service.uploading)
        many = len(self.outcome.jobs) > 1
        told = told_of_all(self.outcome.jobs, scene) if many else told_of(left[0], scene)
        self.errand.progress.show(told, now=trio.current_time(), many=many)

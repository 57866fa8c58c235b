"""Owns what the steps share: books, account, windows, what is under way; and what each answer changes there.

What is done next is plan.py's, how each step goes singles.py's and batching.py's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

import attrs
import trio
from attrs import define, field

from orchestrator.errors import AvatarFault
from orchestrator.events import VideoRefused
from orchestrator.lipsync import outcomes
from orchestrator.lipsync.account import Account
from orchestrator.lipsync.books import Books
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.plan import View
from orchestrator.lipsync.requests import Requests, Ticket
from orchestrator.lipsync.resolving import webhook_for
from orchestrator.lipsync.standing import Standing
from orchestrator.lipsync.steps import GiveUp, Step, Submit, SubmitBatch, about
from orchestrator.lipsync.store import Store
from orchestrator.lipsync.writing import Place, Writer
from orchestrator.ports import AvatarService, Generation, VideoRequest

T = TypeVar("T")
_AGAIN = 1.0
"""Seconds between two looks for room in a window that is full of requests under way."""


@define(eq=False, kw_only=True)
class Desk:
    """One queue at work. `webhook_url`: where the service tells of ends; empty: nowhere."""

    books: Books
    writer: Writer
    store: Store
    requests: Requests
    service: AvatarService
    place: Place
    account: Account
    webhook_url: str = ""
    may_batch: bool = False
    busy: set[str] = field(factory=set)
    gone: set[str] = field(factory=set)
    fetched: dict[str, float] = field(factory=dict)

    # --- what is decided by ---

    def view(self) -> View:
        """Return everything as it stands, by Place.steady."""
        jobs = tuple(_steadily(self.books.jobs.values(), ahead=self.place.ahead, begun=self.books.begun))
        if self.gone or self.fetched:
            batches = {job.batch for job in jobs}
            made = {job.id for job in jobs if job.state is JobState.SUBMITTED}  # what is tried again is not gone
            self.gone &= made | batches
            self.fetched = {name: at for name, at in self.fetched.items() if name in batches}
        return View(
            jobs=jobs,
            account=self.account,
            creates=self.requests.window("create"),
            others=self.requests.window("other"),
            busy=frozenset(self.busy),
            gone=frozenset(self.gone),
            usual=self.books.usual,
            may_batch=self.may_batch,
            served=self.books.served,
            fetched=self.fetched,
        )

    def standing(self) -> Standing:
        """Return where the jobs stand."""
        return Standing.of(self.books.jobs.values(), busy=self.busy, gone=self.gone)

    def begin(self, step: Step) -> Ticket:
        """A step is taken from a decision: from now on it is under way, and its requests count."""
        self.busy |= names(step)
        return self.requests.reserve("create" if isinstance(step, Submit) else "other", step.requests)

    def finish(self, step: Step, ticket: Ticket) -> None:
        """A step is over."""
        self.busy -= names(step)
        self.requests.give_back(ticket)
        self.writer.wake()

    # --- requests and their answers ---

    async def send(self, ticket: Ticket) -> None:
        """Store that a step's requests begin."""
        request = self.requests.send(ticket)
        await self.writer.persist(lambda: self.writer.read(self.store.keep_request, request))

    @asynccontextmanager
    async def one_more(self) -> AsyncIterator[None]:
        """Wait until one more request fits, and count it."""
        while (wait := self.requests.wait("other")) > 0:  # noqa: ASYNC110  # it is time that makes room
            await trio.sleep(min(_AGAIN, wait))
        ticket = self.requests.reserve("other", 1)
        try:
            await self.send(ticket)
            yield
        finally:
            self.requests.give_back(ticket)

    async def ask(self, step: Step, answer: Awaitable[T]) -> T:
        """Return the service's answer. What a refusal says about the account is noted at once; raises AvatarFault."""
        try:
            return await answer
        except AvatarFault as fault:
            self.refused(step, fault)
            raise

    def refused(self, step: Step, fault: AvatarFault) -> None:
        """The service refused a step, or failed."""
        standing = self.standing()
        is_batch = isinstance(step, SubmitBatch)
        ours = len(standing.batches) if is_batch else standing.live - isinstance(step, Submit)
        draw, now = self.place.rng.random(), self.place.steady()
        self.account = self.account.refused(fault, now, step=step, ours=ours, draw=draw)
        job = about(step) if about(step) in self.books.jobs else ""
        event = VideoRefused(at=self.place.now(), job=job, kind=fault.kind.value, code=fault.code, error=fault.message)
        self.place.emit(event)

    def took(self, step: Step) -> None:
        """The service answered all of a step's requests."""
        self.account = self.account.took(self.place.steady(), step=step, ours=self.standing().live)

    # --- what becomes of jobs ---

    def is_made(self, job_id: str, generation: str) -> bool:
        """Say whether a job, as far as is known, still waits for this generation: it may have been tried again."""
        job = self.books.jobs.get(job_id)
        return job is not None and job.generation == generation

    def outgoing(self, job: Job) -> VideoRequest:
        """Return a job's request as it is sent: with where its end is to be told, unless whoever asked has set that."""
        told_at = job.request.webhook_url or webhook_for(self.webhook_url, job=job.id)
        return attrs.evolve(job.request, webhook_url=told_at)

    async def explain(self, fault: AvatarFault) -> None:
        """Note on all jobs that wait why none is sent, if the account is refused, and not just one of them."""
        if not self.account.is_probing:
            return

        def how(job: Job) -> Job:
            if job.state is not JobState.WAITING or job.error == fault.message:
                return job
            return attrs.evolve(job, error=fault.message, code=fault.code)

        await self.books.change(tuple(self.books.jobs), how)

    async def claim(self, made: str, key: str) -> str:
        """Note of which key a generation or batch came; return the key of whoever was first."""
        return await self.writer.persist(
            lambda: self.writer.read(lambda: self.store.claim(made, key, at=self.place.wall()))
        )

    async def learned(self, job: Job, generation: Generation, *, told_by: str = "poll") -> bool:
        """Note what the service tells of a job's generation; False if that is another job's, or an earlier try's."""
        if await self.claim(generation.id, job.key) != job.key:
            return False

        def how(now: Job) -> Job:
            return outcomes.made(now, generation, now=self.place.wall()) if now.key == job.key else now

        await self.books.change([job.id], how, told_by=told_by)
        if not generation.live and self.is_made(job.id, generation.id):  # it has ended, and is without its video
            self.gone.add(job.id)
        return True


def _steadily(jobs: Iterable[Job], *, ahead: float, begun: Mapping[str, float]) -> Iterable[Job]:
    """Return the jobs with what is compared to the present by Place.steady: the wall clock may have been set."""
    if not ahead:
        return jobs
    return (
        attrs.evolve(
            job,
            deadline=None if job.deadline is None else job.deadline + ahead,
            submitted_at=begun.get(job.id, job.submitted_at),
        )
        if job.deadline is not None or job.submitted_at is not None
        else job
        for job in jobs
    )


def names(step: Step) -> set[str]:
    """Return what a step is under way for, as plan.View has it."""
    return {about(step), *step.jobs} if isinstance(step, SubmitBatch | GiveUp) else {about(step)}

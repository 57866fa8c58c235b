"""What a queue knows: its jobs, the account and the windows, and how answers change them; no store, and no clock."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

from attrs import Factory, define, evolve, field

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.lipsync.account import Account
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.plan import View
from orchestrator.lipsync.standing import Standing
from orchestrator.lipsync.steps import (
    Fetch,
    FetchBatch,
    Look,
    Resolve,
    ResolveBatch,
    Step,
    Submit,
    SubmitBatch,
    Upload,
)
from orchestrator.lipsync.windows import Window
from tests.lipsync.service_model import CREATES, OTHERS, ServiceModel

USUAL = 20.0
Answer = Callable[[], None]


@define(kw_only=True)
class QueueState:
    """In place of the store, and of what the real queue has in memory."""

    service: ServiceModel
    account: Account
    draw: random.Random
    now: float = 1000.0
    may_batch: bool = False
    webhooks: bool = False
    lost: float = 0.0
    latency: float = 1.0
    jobs: dict[str, Job] = field(factory=dict)
    busy: set[str] = field(factory=set)
    gone: set[str] = field(factory=set)
    served: dict[str, float] = field(factory=dict)
    fetched: dict[str, float] = field(factory=dict)
    open: dict[str, list[float]] = field(factory=lambda: {"create": [], "other": []})
    answered: dict[str, list[float]] = field(factory=lambda: {"create": [], "other": []})
    events: list[tuple[float, int, Answer]] = field(factory=list)
    numbers: Iterator[int] = Factory(itertools.count)
    begun: list[tuple[float, Step]] = field(factory=list)
    looked_before: dict[str, float] = field(factory=dict)
    """When the list was last looked at before a job's create request began."""
    refused_at: float = -1.0
    decisions: int = 0
    idle_decisions: int = 0
    handled: int = 0

    def view(self) -> View:
        """What the decision goes by."""
        return View(
            jobs=[job for job in self.jobs.values() if not job.state.ended],
            account=self.account,
            creates=Window(CREATES, self.answered["create"], self.open["create"]),
            others=Window(OTHERS, self.answered["other"], self.open["other"]),
            busy=frozenset(self.busy),
            gone=frozenset(self.gone),
            usual={"lipsync-2": USUAL},
            may_batch=self.may_batch,
            served=self.served,
            fetched=self.fetched,
        )

    def submitted(self, name: str) -> None:
        """The service took a job."""
        self.change(name, state=JobState.SUBMITTED, submitted_at=self.now, generation=f"made of {name}")
        self.served[self.jobs[name].owner] = self.now

    def batch_fetched(self, batch: str) -> None:
        """A batch is over, or not."""
        made = next(each for each in self.service.batches if each.id == batch)
        if made.ends <= self.now:
            for job in [job for job in self.jobs.values() if job.batch == batch]:
                self.change(job.id, state=JobState.COMPLETED)

    def resolved_batch(self, key: str) -> None:
        """A batch's answer was lost."""
        made = next((each for each in self.service.batches if each.key == key), None)
        for job in [job for job in self.jobs.values() if job.batch == key]:
            if made:
                self.change(job.id, state=JobState.SUBMITTED, submitted_at=self.now, batch=made.id)
            else:
                self.change(job.id, state=JobState.WAITING, batch="")

    def made_of(self, name: str) -> Any:
        """Return the generation that came of a job's create request."""
        return next((each for each in self.service.made if each.key == self.jobs[name].key), None)

    def change(self, name: str, **values: Any) -> None:
        """Change a job."""
        self.jobs[name] = evolve(self.jobs[name], **values)

    def standing(self) -> Standing:
        """Where the jobs stand."""
        return Standing.of(self.jobs.values(), busy=self.busy, gone=self.gone)

    def restart(self) -> None:
        """Be killed, and begin anew with what was stored: requests under way are counted as answered now."""
        self.events.clear()
        for kind in self.open:
            self.answered[kind] += [self.now + self.latency] * len(self.open[kind])
            self.open[kind] = []
        self.busy, self.gone, self.fetched, self.served = set(), set(), {}, {}
        self.account = Account(limit=self.account.limit, ask_again=self.account.ask_again)
        self.refused_at = self.service.listed_at = -1.0


@define(kw_only=True)
class Hearing(QueueState):
    """What becomes of the jobs and of the account when an answer is there."""

    def hear(self, step: Step, answer: Any, *, begun: float) -> None:
        """An answer is there."""
        if isinstance(answer, AvatarFault):
            self.failed(step, answer)
            return
        match step:
            case Look():
                self.looked(answer, begun)
                return
            case Submit(job):
                self.submitted(job)
            case SubmitBatch(jobs):
                for name in jobs:
                    self.change(name, state=JobState.SUBMITTED, submitted_at=self.now, batch=answer.id)
            case Fetch(job):
                made = self.made_of(job)
                if made and made.ends <= self.now:
                    self.change(job, state=JobState.COMPLETED)
                self.gone.discard(job)
            case FetchBatch(batch):
                self.fetched[batch] = begun
                self.batch_fetched(batch)
            case Resolve(job):
                if self.made_of(job):
                    self.submitted(job)
                else:
                    self.change(job, state=JobState.WAITING)
            case ResolveBatch(key):
                self.resolved_batch(key)
            case Upload(job):
                self.change(job, request=evolve(self.jobs[job].request, input=()))
        self.account = self.account.took(self.now, step=step, ours=self.standing().live)

    def failed(self, step: Step, fault: AvatarFault) -> None:
        """A fault is the answer."""
        if isinstance(step, Submit) and not fault.uncertain:
            self.change(step.job, state=JobState.WAITING)
        if isinstance(step, SubmitBatch) and not fault.uncertain:
            for name in step.jobs:
                self.change(name, state=JobState.WAITING, batch="")
        standing = self.standing()
        ours = len(standing.batches) if isinstance(step, SubmitBatch) else standing.live
        if isinstance(step, Submit) and fault.kind is FaultKind.CONCURRENCY:
            self.refused_at = self.now
        self.account = self.account.refused(fault, self.now, step=step, ours=ours, draw=self.draw.random())

    def looked(self, keys: list[str], begun: float) -> None:
        """The list is there: what of ours is not in it has ended."""
        self.service.listed_at = max(self.service.listed_at, begun)
        ours = {job.key: job for job in self.jobs.values()}
        for job in ours.values():
            single = job.state is JobState.SUBMITTED and not job.batch
            if single and (job.submitted_at or 0.0) <= begun and job.key not in keys:
                self.gone.add(job.id)
        self.account = self.account.looked(begun, others=sum(key not in ours for key in keys))

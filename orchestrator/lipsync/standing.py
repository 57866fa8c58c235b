"""Says where the jobs stand: which wait, which count against the plan, which are to be asked about; pure.

It sorts, plan.py decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Set
from typing import Self

from attrs import define, field

from orchestrator.lipsync.job import Job, JobState


@define(kw_only=True)
class Standing:
    """The jobs that have not ended, by what is to be done about them. Made by `of`."""

    waiting: list[Job] = field(factory=list)
    """Those for which nothing is under way, with files to upload or without."""
    uploading: list[Job] = field(factory=list)
    begun: int = 0
    """Create requests under way."""
    live: int = 0
    """Generations that count against the plan: what is being made, or may be."""
    live_by_owner: Counter[str] = field(factory=Counter)
    made: list[Job] = field(factory=list)
    """What the service makes, one by one, and has not ended as far as is known."""
    over: list[Job] = field(factory=list)
    """What is known to have ended, its result not being known yet."""
    lost: list[Job] = field(factory=list)
    """Create requests whose answer was lost."""
    batches: dict[str, float] = field(factory=dict)
    """Batches that are under way, and when they were taken."""
    sending_batches: dict[str, bool] = field(factory=dict)
    """The Idempotency-Keys of batches whose answer is not known, and whether a step about it is under way."""

    @classmethod
    def of(cls, jobs: Iterable[Job], *, busy: Set[str], gone: Set[str]) -> Self:
        """Sort the jobs; `busy` and `gone` as in plan.View."""
        standing = cls()
        for job in jobs:
            if job.state is JobState.WAITING:
                standing._waits(job, is_busy=job.id in busy)
            elif job.batch and not job.state.ended:
                standing._in_batch(job, busy=busy, gone=gone)
            elif job.state is JobState.SENDING:
                standing._sends(job, is_busy=job.id in busy)
            elif job.state is JobState.SUBMITTED:
                standing._is_made(job, busy=busy, gone=gone)
        return standing

    def begin(self, jobs: Collection[Job]) -> None:
        """Create requests of some of those that wait begin."""
        self.leave({job.id for job in jobs})
        for job in jobs:
            self._sends(job, is_busy=True)

    def leave(self, names: Set[str]) -> None:
        """Some that wait are sent as a batch, or given up."""
        if names:
            self.waiting = [job for job in self.waiting if job.id not in names]

    def _waits(self, job: Job, *, is_busy: bool) -> None:
        if not is_busy:
            self.waiting.append(job)
        elif job.request.files:
            self.uploading.append(job)
        else:  # it is about to be SENDING
            self._sends(job, is_busy=True)

    def _sends(self, job: Job, *, is_busy: bool) -> None:
        self._counts(job)
        if is_busy:
            self.begun += 1
        else:
            self.lost.append(job)

    def _is_made(self, job: Job, *, busy: Set[str], gone: Set[str]) -> None:
        if job.id not in gone:
            self._counts(job)
            self.made.append(job)
        elif job.id not in busy:
            self.over.append(job)

    def _in_batch(self, job: Job, *, busy: Set[str], gone: Set[str]) -> None:
        if job.state is JobState.SENDING:
            is_busy = self.sending_batches.get(job.batch, False) or job.batch in busy or job.id in busy
            self.sending_batches[job.batch] = is_busy
            return
        at = job.submitted_at or job.accepted_at
        self.batches[job.batch] = min(at, self.batches.get(job.batch, at))
        if job.generation and job.id in gone and job.id not in busy:
            self.over.append(job)

    def _counts(self, job: Job) -> None:
        self.live += 1
        self.live_by_owner[job.owner] += 1

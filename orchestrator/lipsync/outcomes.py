"""Says what becomes of a job by what the service tells of it: a generation, a line of a batch, a refusal; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from attrs import evolve

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.lipsync.job import ALONE, Job, JobState
from orchestrator.ports import Batch, BatchResult, Generation

_KEYS = 20
"""So many keys of a job are enough for a service that answers each with the generation of another job."""


def first_key(job_id: str) -> str:
    """Return a job's first Idempotency-Key."""
    return f"{job_id}-1"


def next_key(job: Job) -> str:
    """Return the Idempotency-Key that follows a job's: what was begun with the old one is no answer to the new one."""
    return f"{job.id}-{_number(job) + 1}"


def _number(job: Job) -> int:
    return int(job.key.rpartition("-")[2])


def batch_key(jobs: Iterable[Job]) -> str:
    """Return the Idempotency-Key of a batch: the same jobs, tried no oftener, have the same."""
    return "b-" + hashlib.sha256(" ".join(job.key for job in jobs).encode()).hexdigest()[:32]


def sending(job: Job, now: float, *, batch: str = "") -> Job:
    """A create request is about to begin, if the job still waits."""
    if job.state is not JobState.WAITING:
        return job
    tries = job.tries + 1
    return evolve(job, state=JobState.SENDING, attempted_at=now, tries=tries, batch=batch, error="", code="")


def waits_again(job: Job) -> Job:
    """The create request was not carried out: it is free to be begun again."""
    return evolve(job, state=JobState.WAITING, batch="") if job.state is JobState.SENDING else job


def not_taken(job: Job, *, fault: AvatarFault, key: str, alone: bool = True) -> Job:
    """The service certainly did not carry the create request with `key` out, unless more is known of it by now; of a
    batch that says nothing about a single job."""
    if job.state is not JobState.SENDING or job.key != key:
        return job
    job = evolve(waits_again(job), error=fault.message, code=fault.code)
    return failed(job, fault.message, code=fault.code) if alone and fault.kind is FaultKind.REQUEST else job


def failed(job: Job, error: str, *, code: str) -> Job:
    """There will be no video."""
    return evolve(job, state=JobState.FAILED, error=error, code=code)


def twin(job: Job) -> Job:
    """The answer was another job's generation: asked for the same, that job took it for its own when its answer was
    lost. What this one began, if anything, is still to be found, and nothing of it hangs on the old key."""
    if job.state is not JobState.SENDING:
        return job
    if _number(job) >= _KEYS:
        error = "the service answers with the generation of another job"
        return failed(job, error, code="generation_of_another_job")
    return evolve(job, key=next_key(job))


def made(job: Job, generation: Generation, *, now: float) -> Job:
    """The service tells of a job's generation: it is live, or it has ended."""
    if job.generation not in ("", generation.id):
        return job
    since = job.accepted_at if job.attempted_at is None else job.attempted_at
    submitted = job.submitted_at
    if submitted is None:  # the service's clock counts as far as it can be right by ours
        submitted = max(since, min(now, generation.created_at or now))
    if job.batch and is_too_long(generation.error_code):
        return _anew(job, together=ALONE)
    batch = "" if job.state is JobState.SENDING else job.batch  # which has no id yet
    job = evolve(
        job, state=JobState.SUBMITTED, generation=generation.id, batch=batch, submitted_at=submitted, error="", code=""
    )
    if generation.live or (generation.status == "COMPLETED" and not generation.output_url):
        return job
    return evolve(
        job,
        state=_ends(generation.status),
        output_url=generation.output_url,
        output_duration=generation.output_duration,
        error=generation.error,
        code=generation.error_code,
    )


def taken(job: Job, batch: Batch, *, now: float) -> Job:
    """The service has taken the batch that a job was sent with."""
    if job.state is not JobState.SENDING:
        return job
    return evolve(job, state=JobState.SUBMITTED, batch=batch.id, submitted_at=now)


def line(job: Job, result: BatchResult | None, *, batch: Batch) -> Job:
    """A batch has ended: with a line about the job, or without."""
    if job.batch != batch.id:
        return job
    if result is None:
        why = "the batch failed as a whole" if batch.status == "FAILED" else "its results have no line for this job"
        code = "batch_failed" if batch.status == "FAILED" else "no_result"
        return untold(job, f"batch {batch.id}: {why}", code=code)
    if is_too_long(result.error_code):
        return _anew(job, together=ALONE)
    generation = result.generation_id or job.generation
    if result.status == "COMPLETED" and result.output_url:
        return evolve(job, state=JobState.COMPLETED, generation=generation, output_url=result.output_url)
    if result.status in ("FAILED", "REJECTED"):
        job = evolve(job, generation=generation, error=result.error, code=result.error_code)
        return evolve(job, state=_ends(result.status))
    if generation:
        return evolve(job, generation=generation, batch="")
    return failed(job, f"batch {batch.id}: it has ended, and this line has no video", code="no_result")


def untold(job: Job, error: str, *, code: str) -> Job:
    """Nothing is told of a batch's job: if a webhook has told of its generation, that is asked for by itself."""
    return evolve(job, batch="") if job.generation else failed(job, error, code=code)


def astray(job: Job) -> Job:
    """The batch was none of ours: this job was in none, as far as can be known, unless a webhook tells otherwise."""
    return evolve(job, batch="") if job.generation else _anew(job, together=job.together)


def _anew(job: Job, *, together: str) -> Job:
    return evolve(
        job,
        state=JobState.WAITING,
        key=next_key(job),
        together=together,
        batch="",
        generation="",
        submitted_at=None,
        error="",
        code="",
    )


def is_too_long(code: str) -> bool:
    """Say whether an input is longer than it may be: than it may be in a batch, if it went with one."""
    return code.endswith("_length_exceeded")


def _ends(status: str) -> JobState:
    return {"COMPLETED": JobState.COMPLETED, "REJECTED": JobState.REJECTED}.get(status, JobState.FAILED)

"""Carries out the steps about batches: many jobs sent as one, asked about, and ended line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.lipsync import outcomes
from orchestrator.lipsync.desk import Desk
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.requests import Ticket
from orchestrator.lipsync.resolving import batch_for, begun_since, webhook_for
from orchestrator.lipsync.singles import WITHOUT_VIDEO, claimed_of
from orchestrator.lipsync.steps import FetchBatch, ResolveBatch, SubmitBatch
from orchestrator.ports import FEWEST_IN_BATCH, Batch, BatchLine, BatchResult

_UNREAD = 500
"""Tries, some half a minute apart, to read results that are said to be there: a fault of the storage may last hours."""


async def submit_batch(desk: Desk, step: SubmitBatch, *, ticket: Ticket) -> None:
    """Have the videos of those jobs made that still wait."""
    key = outcomes.batch_key(job for name in step.jobs if (job := desk.books.jobs.get(name)))

    def begins(job: Job) -> Job:
        return outcomes.sending(job, desk.place.wall(), batch=key)

    begun = await desk.books.change(step.jobs, begins, request=lambda: desk.requests.send(ticket))
    if not begun:
        ticket.sent = False
        return
    if len(begun) < FEWEST_IN_BATCH:  # others were cancelled meanwhile
        await desk.books.change(step.jobs, lambda job: _waits_again(job, key))
        ticket.sent = False
        return
    lines = [BatchLine(request_id=job.id, request=desk.outgoing(job)) for job in begun]
    told_at = webhook_for(desk.webhook_url, batch=key)
    try:
        batch = await desk.ask(step, desk.service.create_batch(lines, webhook_url=told_at, idempotency_key=key))
    except AvatarFault as fault:
        if not fault.uncertain:
            await desk.books.change(step.jobs, partial(_not_taken, key=key, fault=fault))
        raise
    await taken(desk, batch, key=key)


def _not_taken(job: Job, *, key: str, fault: AvatarFault) -> Job:
    return outcomes.not_taken(job, fault=fault, key=job.key, alone=False) if _sent(job, key) else job


def _sent(job: Job, key: str) -> bool:
    return job.state is JobState.SENDING and job.batch == key


async def taken(desk: Desk, batch: Batch, *, key: str) -> None:
    """Note that the service has taken a batch."""
    sent = [job.id for job in desk.books.jobs.values() if _sent(job, key)]
    if not sent:
        return
    await desk.claim(batch.id, key)
    await desk.books.change(sent, lambda job: outcomes.taken(job, batch, now=desk.place.wall()))


async def fetch_batch(desk: Desk, step: FetchBatch, *, ticket: Ticket) -> None:
    """Ask for a batch, and end its jobs if it has ended."""
    await desk.send(ticket)
    try:
        batch = await desk.ask(step, desk.service.batch(step.batch))
    except AvatarFault as fault:
        if fault.kind is FaultKind.REQUEST:
            await _give_up(desk, step, fault=fault)
        raise
    desk.fetched[step.batch] = desk.place.steady()
    if batch.live:
        desk.gone.discard(step.batch)
        return
    desk.gone.add(step.batch)
    results = await _results(desk, step, batch=batch)
    by_line = {result.request_id: result for result in results}
    jobs = in_batch(desk, batch.id)
    if results and by_line.keys().isdisjoint(jobs):  # one that looked like ours, whose answer was lost
        await desk.books.change(jobs, lambda job: outcomes.astray(job) if job.batch == batch.id else job)
    else:
        await _end(desk, batch, results=by_line)
    desk.gone.discard(step.batch)


async def _results(desk: Desk, step: FetchBatch, *, batch: Batch) -> Sequence[BatchResult]:
    """Return what became of the lines of a batch that has ended; its results are asked for again, but not for ever."""
    if not batch.output_url and batch.status != "COMPLETED":
        return ()
    try:
        return await desk.ask(step, desk.service.results(batch))
    except AvatarFault as fault:
        hopeless = fault.kind is FaultKind.REQUEST or not batch.output_url
        held = desk.account.held.get(step.batch)
        if held and held.failures >= (WITHOUT_VIDEO if hopeless else _UNREAD):
            await _give_up(desk, step, fault=fault)
        raise


async def _give_up(desk: Desk, step: FetchBatch, *, fault: AvatarFault) -> None:
    """Nothing will be told of a batch any more."""

    def how(job: Job) -> Job:
        return outcomes.untold(job, fault.message, code=fault.code) if job.batch == step.batch else job

    await desk.books.change(in_batch(desk, step.batch), how)


async def _end(desk: Desk, batch: Batch, *, results: Mapping[str, BatchResult]) -> None:
    """End a batch's jobs, each by its line."""
    jobs = in_batch(desk, batch.id)
    for job in [desk.books.jobs[name] for name in jobs]:
        line = results.get(job.id)
        if line and line.generation_id and outcomes.is_too_long(line.error_code):  # no answer to what is sent later
            await desk.claim(line.generation_id, job.key)
    ended = await desk.books.change(jobs, lambda job: outcomes.line(job, results.get(job.id), batch=batch))
    desk.gone |= {job.id for job in ended if job.state is JobState.SUBMITTED}


async def resolve_batch(desk: Desk, step: ResolveBatch, *, ticket: Ticket) -> None:
    """Look for a batch whose answer was lost; if there is none, let its jobs wait again."""
    jobs = [job for job in desk.books.jobs.values() if _sent(job, step.key)]
    if not jobs:
        return
    await desk.send(ticket)
    since = min(map(begun_since, jobs))
    found = await desk.ask(step, desk.service.batches(created_after=since))
    claimed = await claimed_of(desk, [each.id for each in found])
    if batch := batch_for(jobs, found, claimed=claimed):
        await taken(desk, batch, key=step.key)
    else:
        await desk.books.change([job.id for job in jobs], lambda job: _waits_again(job, step.key))


def _waits_again(job: Job, key: str) -> Job:
    return outcomes.waits_again(job) if _sent(job, key) else job


def in_batch(desk: Desk, batch: str) -> list[str]:
    """Return the jobs that a batch holds."""
    return [job.id for job in desk.books.jobs.values() if job.batch == batch]


STEPS: Mapping[type, Any] = {SubmitBatch: submit_batch, FetchBatch: fetch_batch, ResolveBatch: resolve_batch}
"""How each step is carried out; as singles.STEPS."""

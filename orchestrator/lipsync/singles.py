"""Carries out the steps about single jobs: uploads, create requests, looks at the list, results, lost answers, ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import attrs

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.events import VideosBeyondPlan
from orchestrator.lipsync import outcomes
from orchestrator.lipsync.desk import Desk
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.requests import Ticket
from orchestrator.lipsync.resolving import begun_since, made_for, named_in, not_ours
from orchestrator.lipsync.steps import Fetch, GiveUp, Look, Resolve, Submit, Upload
from orchestrator.ports import Generation, GenerationStatus
from orchestrator.ports.avatars import LIVE

_PAGE = 100
"""As many as the service lists at a time (published)."""
WITHOUT_VIDEO = 8
"""Looks, ever further apart, at a generation that is complete and has no video yet."""


async def upload(desk: Desk, step: Upload, *, ticket: Ticket) -> None:
    """Put the files of a job where the service reads them, each noted as soon as it is there."""
    job = desk.books.jobs.get(step.job)
    if job is None:
        return
    await desk.send(ticket)
    for url in job.request.files:
        try:
            there = await desk.ask(step, desk.service.upload(file_of(url)))
        except (OSError, ValueError) as error:
            message = _unreadable(url, error)
            await _fail(desk, step.job, message=message, code="file_unreadable")
            return
        except AvatarFault as fault:
            await desk.books.change([step.job], partial(_not_uploaded, fault=fault))
            raise
        await desk.books.change([step.job], partial(_uploaded, url=url, there=there))


def file_of(url: str) -> Path:
    """Return the file that a `file:` URL names."""
    return Path(url2pathname(urlsplit(url).path))


def _unreadable(url: str, error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return f"{file_of(url)}: can't be read ({error.strerror or error})"
    return f"{url}: names no file ({error})"


def _uploaded(job: Job, *, url: str, there: str) -> Job:
    items = tuple({**item, "url": there} if item.get("url") == url else item for item in job.request.input)
    return attrs.evolve(job, request=attrs.evolve(job.request, input=items), error="", code="")


def _not_uploaded(job: Job, *, fault: AvatarFault) -> Job:
    if fault.kind is FaultKind.REQUEST:
        return outcomes.failed(job, fault.message, code=fault.code)
    return attrs.evolve(job, error=fault.message, code=fault.code)


async def submit(desk: Desk, step: Submit, *, ticket: Ticket) -> None:
    """Have a video made, if the job still waits."""

    def begins(job: Job) -> Job:
        return outcomes.sending(job, desk.place.wall())

    begun = await desk.books.change([step.job], begins, request=lambda: desk.requests.send(ticket))
    if not begun:
        ticket.sent = False
        return
    (job,) = begun
    try:
        generation = await desk.ask(step, desk.service.create(desk.outgoing(job), idempotency_key=job.key))
    except AvatarFault as fault:
        if not fault.uncertain:
            await desk.books.change([job.id], partial(outcomes.not_taken, fault=fault, key=job.key))
        raise
    if not await desk.learned(job, generation):
        await desk.books.change([job.id], outcomes.twin)


async def look(desk: Desk, step: Look, *, ticket: Ticket) -> None:
    """See which of ours have ended, and how many others there are."""
    await desk.send(ticket)
    asked_at = desk.place.steady()
    asked = [job for job in desk.books.jobs.values() if job.state is JobState.SUBMITTED and job.generation]
    listed = await desk.ask(step, _listed(desk, LIVE))
    live = {each.id: each for each in listed if each.live}
    desk.gone |= {job.id for job in asked if job.generation not in live and desk.is_made(job.id, job.generation)}
    others = not_ours(live.values(), desk.books.jobs.values())
    if others and others != desk.account.others:
        ours = desk.standing().live
        now, limit = desk.place.now(), desk.account.limit
        desk.place.emit(VideosBeyondPlan(at=now, others=others, ours=ours, limit=limit))
    desk.account = desk.account.looked(asked_at, others=others)
    for generation in live.values():  # what was not in the list when it was looked for, and is now
        job = desk.books.jobs.get(named_in(generation.webhook_url, "job"))
        if job and job.state is JobState.WAITING and job.tries and job.id not in desk.busy:
            await desk.learned(job, generation)


async def fetch(desk: Desk, step: Fetch, *, ticket: Ticket) -> None:
    """Ask for a job's generation, and end the job by it."""
    job = desk.books.jobs.get(step.job)
    if job is None:
        return
    await desk.send(ticket)
    try:
        generation = await desk.ask(step, desk.service.get(job.generation))
    except AvatarFault as fault:
        if fault.kind is FaultKind.REQUEST and desk.is_made(job.id, job.generation):
            await _fail(desk, job.id, message=fault.message, code=fault.code or "generation_lost")
        raise
    desk.gone.discard(job.id)
    await desk.learned(job, generation)
    if job.id in desk.gone:
        await _missing(desk, step)


async def _missing(desk: Desk, step: Fetch) -> None:
    """A generation is complete, and its video is not there: it is asked for again, but not for ever."""
    message = "the generation is complete, and has no video"
    held = desk.account.held.get(step.job)
    if held and held.failures >= WITHOUT_VIDEO:
        await _fail(desk, step.job, message=message, code="no_video")
        return
    fault = AvatarFault(FaultKind.RETRY, message, code="no_video")
    desk.refused(step, fault)
    raise fault


async def resolve(desk: Desk, step: Resolve, *, ticket: Ticket) -> None:
    """Look for what a lost create request began; if that is nothing, let the job wait again."""
    job = desk.books.jobs.get(step.job)
    if job is None or job.state is not JobState.SENDING:
        return
    await desk.send(ticket)
    since = begun_since(job)
    found = await desk.ask(step, _listed(desk, (), enough=lambda page: (page[-1].created_at or since) < since))
    claimed = await claimed_of(desk, [each.id for each in found])
    while generation := made_for(job, found, claimed=claimed):
        if await desk.learned(job, generation):
            return
        claimed[generation.id] = ""  # another job was faster
    await desk.books.change([job.id], lambda now: outcomes.waits_again(now) if now.key == job.key else now)


async def give_up(desk: Desk, step: GiveUp, *, ticket: Ticket) -> None:  # the signature of all steps
    """End jobs without a video, those that still wait."""

    def how(job: Job) -> Job:
        waits = job.state is JobState.WAITING
        return outcomes.failed(job, step.reason, code=step.code) if waits else job

    await desk.books.change(step.jobs, how, told_by="queue")
    desk.took(step)


async def claimed_of(desk: Desk, made: Sequence[str]) -> dict[str, str]:
    """Return of which keys generations or batches are known to be."""
    return await desk.writer.persist(lambda: desk.writer.read(desk.store.claimed, made))


async def _fail(desk: Desk, job_id: str, *, message: str, code: str) -> None:
    await desk.books.change([job_id], lambda now: outcomes.failed(now, message, code=code))


async def _listed(
    desk: Desk,
    statuses: Collection[GenerationStatus],
    *,
    enough: Callable[[Sequence[Generation]], bool] = lambda page: False,
) -> list[Generation]:
    """Return the account's generations, page after page until one says that it is enough."""
    found: dict[str, Generation] = {}
    page = await desk.service.listing(statuses=statuses, limit=_PAGE)
    while True:
        fresh = {each.id: each for each in page if each.id not in found}
        found |= fresh
        if len(page) < _PAGE or not fresh or enough(page):
            return list(found.values())
        async with desk.one_more():
            page = await desk.service.listing(statuses=statuses, limit=_PAGE, cursor=page[-1].id)


STEPS: Mapping[type, Any] = {
    Upload: upload,
    Submit: submit,
    Look: look,
    Fetch: fetch,
    Resolve: resolve,
    GiveUp: give_up,
}
"""How each step is carried out. They raise AvatarFault, of which the account has then been told."""

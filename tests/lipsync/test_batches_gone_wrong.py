"""Batches that go wrong: results that can't be read, somebody else's batch, lines too long, too few lines left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.lipsync.job import ALONE, Job, JobState
from orchestrator.lipsync.outcomes import line, made
from orchestrator.lipsync.store import Store
from orchestrator.ports import Batch, BatchLine, BatchResult, Generation
from orchestrator.settings import LipsyncSettings
from tests.lipsync.worlds import World, asking, wall

JOBS = 40


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give a world whose plan takes one generation at a time, and batches."""
    return World(tmp_path / "lipsync.db", settings=LipsyncSettings(plan="scale", generations=1))


@pytest.mark.parametrize(
    ("kind", "output_url"), [(FaultKind.REQUEST, "results"), (FaultKind.RETRY, ""), (FaultKind.RETRY, "results")]
)
async def test_results_that_cannot_be_read_fail_their_jobs_in_the_end(
    world: World, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, kind: FaultKind, output_url: str
) -> None:
    """With the service's words; a job whose generation a webhook told of is asked for by itself, and ends well."""
    world.webhook_url = "https://us/hook"
    asked = []

    async def unreadable(_service: object, _batch: Batch) -> Sequence[BatchResult]:
        asked.append(trio.current_time())
        raise AvatarFault(kind, "they are not there", code="gone")

    async def ended_batch(_service: object, name: str) -> Batch:
        return Batch(id=name, status="COMPLETED", total=JOBS - 2, output_url=output_url)

    monkeypatch.setattr(type(world.service), "results", unreadable)
    monkeypatch.setattr(type(world.service), "batch", ended_batch)
    async with world.queue() as queue:
        for n in range(JOBS):
            await queue.accept(asking(str(n)))
        await trio.sleep(2)
        ((_, lines),) = world.service.batches_made.values()
        told = lines[0]
        await queue.hear(told.generation)
        ended = {name: await queue.wait_ended(name) for name in world.stored()}
    assert (ended[told.job].state, ended[told.job].generation) == (JobState.COMPLETED, told.generation.id)
    rest = [ended[each.job] for each in lines[1:]]
    assert {(job.state, job.error, job.code) for job in rest} == {(JobState.FAILED, "they are not there", "gone")}
    patient = kind is FaultKind.RETRY and output_url
    assert (asked[-1] - asked[0] > 3600) if patient else 10 < asked[-1] - asked[0] < 600


async def test_a_batch_of_somebody_else_is_no_end(
    world: World, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours never arrived, and one of as many lines was there: its results name none of our jobs, which go anew."""
    create_batch, lost = world.service.create_batch, list[Sequence[BatchLine]]()

    async def create(lines: Sequence[BatchLine], **keywords: Any) -> Batch:
        if not lost:
            lost.append(lines)
            await create_batch([evolve(each, request_id=f"their {each.request_id}") for each in lines])
            raise AvatarFault(FaultKind.RETRY, "bad gateway", uncertain=True)
        return await create_batch(lines, **keywords)

    monkeypatch.setattr(world.service, "create_batch", create)
    async with world.queue() as queue:
        for n in range(JOBS):
            await queue.accept(asking(str(n)))
        ended = [await queue.wait_ended(name) for name in world.stored()]
    assert {job.state for job in ended} == {JobState.COMPLETED}
    (theirs, _), *_ = world.service.batches_made.values()
    own = [each for each in world.service.made.values() if each.batch != theirs.id]
    assert len(own) == JOBS == len({job.generation for job in ended})
    keys = {job.id: job.key for job in ended}
    assert all(keys[each.request_id].endswith("-2") for each in lost[0])  # what the old key began is no answer


@pytest.mark.parametrize("by_webhook", [False, True])
async def test_a_line_too_long_for_a_batch_goes_alone(
    world: World, autojump_clock: MockClock, by_webhook: bool
) -> None:
    """What a batch refuses is made by itself, and no batch takes it again; what failed in the batch is never its."""
    world.webhook_url = "https://us/hook"
    failed: list[Generation] = []

    def end_of(each: Generation) -> Generation:
        if world.service.batches_made or len(world.service.made) == 0:
            return evolve(each, status="COMPLETED", output_url=f"o/{each.id}")
        failed.append(evolve(each, status="FAILED", error="too long", error_code="generation_audio_length_exceeded"))
        return failed[-1]

    world.service.end_of = end_of
    async with world.queue() as queue:
        for n in range(JOBS):
            await queue.accept(asking(str(n)))
        await trio.sleep(2)
        if by_webhook:
            for each in failed:
                await queue.hear(each)
        await trio.sleep(200)
        for each in failed:
            await queue.hear(each)
        ended = [await queue.wait_ended(name) for name in world.stored()]
    assert {(job.state, job.error) for job in ended} == {(JobState.COMPLETED, "")}
    assert len(world.service.batches_made) == 1
    assert len(failed) == len([job for job in ended if job.together == ALONE]) > 20


async def test_a_batch_too_small_is_not_sent(
    world: World, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process cancels so many in the moment of its sending that too few are left: these go one by one."""
    async with world.queue(work=False) as queue:
        jobs = [await queue.accept(asking(str(n))) for n in range(36)]
    save, other = Store.save, Store.open(world.path)
    cancelled: list[Job] = []

    def saving(store: Store, *changed: Job, **keywords: object) -> frozenset[str]:
        if len(changed) >= 20 and not cancelled:
            cancelled.extend(other.cancel(job.id, wall()) for job in changed[: len(changed) - 19])
        return save(store, *changed, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "save", saving)
    async with world.queue() as queue:
        ended = [await queue.wait_ended(job.id) for job in jobs]
    other.close()
    assert cancelled
    assert not world.service.batches_made
    assert {job.state for job in ended if job.id not in {each.id for each in cancelled}} == {JobState.COMPLETED}
    assert len(world.service.made) == len(jobs) - len(cancelled)


def test_only_a_batch_is_no_place_for_long_inputs() -> None:
    """The same refusal of a single job is its end."""
    job = Job(id="j", key="j-1", request=asking(), accepted_at=0.0, state=JobState.SUBMITTED, batch="b")
    long = Generation(id="g", status="FAILED", error="too long", error_code="generation_audio_length_exceeded")
    again = made(job, long, now=1.0)
    assert (again.state, again.key, again.generation, again.batch) == (JobState.WAITING, "j-2", "", "")
    assert made(evolve(job, batch=""), long, now=1.0).state is JobState.FAILED
    result = BatchResult(request_id="j", status="FAILED", error_code="generation_audio_length_exceeded")
    assert line(job, result, batch=Batch(id="b", status="COMPLETED")) == again

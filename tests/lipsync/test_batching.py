"""Batches: many jobs go as one, and end line by line, whatever became of the batch."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.events import VideoEnded, VideosBeyondPlan
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.queue import LipsyncQueue
from orchestrator.ports import Batch, Generation
from orchestrator.settings import LipsyncSettings
from tests.lipsync.worlds import World, asking

JOBS = 25


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give a world whose plan takes one generation at a time, and batches."""
    return World(tmp_path / "lipsync.db", settings=LipsyncSettings(plan="scale", generations=1))


async def all_ended(queue: LipsyncQueue, world: World) -> list[Job]:
    """Wait until every job has ended."""
    return [await queue.wait_ended(name) for name in world.stored()]


async def accept(queue: LipsyncQueue) -> None:
    """Take in more jobs than one by one would end soon."""
    for n in range(JOBS):
        await queue.accept(asking(str(n)))


def failing(generation: Generation) -> Generation:
    """Fail every seventh generation."""
    if int(generation.id[1:]) % 7 == 0:
        return evolve(generation, status="FAILED", error="no face", error_code="generation_failed")
    return evolve(generation, status="COMPLETED", output_url=f"o/{generation.id}")


async def test_a_failed_line_is_a_failed_job(world: World, autojump_clock: MockClock) -> None:
    """Each line ends its job; the others do not care; lines of ours are no others' generations."""
    world.service.end_of = failing
    async with world.queue() as queue:
        await accept(queue)
        ended = await all_ended(queue, world)
    assert len(world.service.batches_made) == 1
    assert len(world.service.made) == JOBS == len(world.all_of(VideoEnded))
    for job in ended:
        whole = world.service.made[job.generation].end
        assert (job.state.value, job.output_url) == (whole.status.lower(), whole.output_url)
        assert job.error == ("no face" if job.state is JobState.FAILED else "")
    assert not world.all_of(VideosBeyondPlan)


async def test_a_line_without_result_is_a_failed_job(world: World, autojump_clock: MockClock) -> None:
    """What the results do not tell of failed, in clear words."""
    async with world.queue() as queue:
        await accept(queue)
        await trio.sleep(3)
        ((_, made),) = world.service.batches_made.values()
        lost = made[0].job
        made[0].job = ""
        ended = {job.id: job for job in await all_ended(queue, world)}
    assert (ended[lost].state, ended[lost].code) == (JobState.FAILED, "no_result")
    assert ended[lost].error == "batch b1: its results have no line for this job"
    assert sum(job.state is JobState.COMPLETED for job in ended.values()) == JOBS - 1


async def test_a_batch_that_failed_fails_what_has_no_result(world: World, autojump_clock: MockClock) -> None:
    """Nothing is sent again by itself, for it may have been made: a retry is a person's."""
    async with world.queue() as queue:
        await accept(queue)
        await trio.sleep(3)
        ((batch, made),) = world.service.batches_made.values()
        world.service.batches_made["b1"] = (evolve(batch, status="FAILED"), made)
        ended = await all_ended(queue, world)
        failed = [job for job in ended if job.state is JobState.FAILED]
        assert {(job.code, job.error) for job in failed} == {("batch_failed", "batch b1: the batch failed as a whole")}
        assert len(failed) == len(made)
        again = await queue.retry(failed[0].id)
        assert (await queue.wait_ended(again.id)).state is JobState.COMPLETED


async def test_a_webhook_of_a_batch_has_it_fetched_at_once(world: World, autojump_clock: MockClock) -> None:
    """Its jobs end within the moment that the results take."""
    world.webhook_url = "https://us/hook"
    world.service.seconds = 2000.0
    async with world.queue() as queue:
        await accept(queue)
        await trio.sleep(1000.3)
        ((batch, made),) = world.service.batches_made.values()
        for each in made:
            each.seconds = 0.0
        asked = len(world.service.asked)
        await queue.hear_batch(evolve(batch, status="COMPLETED"))
        await trio.sleep(1)
        assert "results" in [what for _, what in world.service.asked[asked:]]
        await queue.hear_batch(evolve(batch, status="COMPLETED"))
        await queue.hear_batch(Batch(id="unknown", status="COMPLETED", webhook_url="https://us/hook?batch=x"))
    ended = [job for job in world.stored().values() if job.state.ended]
    assert len(ended) == len(made)


@pytest.mark.parametrize("kind", [FaultKind.REQUEST, FaultKind.FINAL, FaultKind.CONCURRENCY])
async def test_jobs_of_a_refused_batch_go_one_by_one(
    world: World, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, kind: FaultKind
) -> None:
    """A plan without batches, a line that spoils it, too many batches: none fails because of that."""

    async def refuse(*_args: object, **_keywords: object) -> Batch:
        await trio.sleep(0.1)
        raise AvatarFault(kind, "no batch", code="refused")

    monkeypatch.setattr(type(world.service), "create_batch", refuse)
    async with world.queue() as queue:
        await accept(queue)
        ended = await all_ended(queue, world)
    assert {(job.state, job.error) for job in ended} == {(JobState.COMPLETED, "")}
    assert len(world.service.made) == JOBS


async def test_a_batch_that_is_not_there_any_more_fails_its_jobs(
    world: World, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the service's words."""
    async with world.queue() as queue:
        await accept(queue)
        await trio.sleep(3)

        async def gone(_service: object, _batch: str) -> Batch:
            raise AvatarFault(FaultKind.REQUEST, "no such batch", code="not_found")

        monkeypatch.setattr(type(world.service), "batch", gone)
        ended = await all_ended(queue, world)
    assert {job.error for job in ended if job.state is JobState.FAILED} == {"no such batch"}


async def test_lines_end_by_their_own_webhooks_too(world: World, autojump_clock: MockClock) -> None:
    """What was heard of one by one is not ended again by the results."""
    world.webhook_url = "https://us/hook"
    async with world.queue() as queue:
        await accept(queue)
        await trio.sleep(50)
        ((_, made),) = world.service.batches_made.values()
        for each in made[:5]:
            await queue.hear(each.end)
            assert (await queue.job(each.job)).state is JobState.COMPLETED
        ended = await all_ended(queue, world)
    assert {job.state for job in ended} == {JobState.COMPLETED}
    assert len(world.all_of(VideoEnded)) == JOBS

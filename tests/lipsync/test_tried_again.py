"""A job that is tried again in the moment of its end: what was known of its first generation is past."""

from __future__ import annotations

from pathlib import Path

import trio
from attrs import evolve
from trio.testing import MockClock

from orchestrator.lipsync.job import JobState
from orchestrator.lipsync.queue import LipsyncQueue
from orchestrator.ports import Generation
from tests.lipsync.worlds import World, asking

ROUNDS = 30


async def test_a_job_that_is_tried_again_at_once_counts_against_the_plan(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """It is with the service again, and nobody takes it for one that has ended: not by a webhook's end of its first
    generation, nor by a look at the list that had begun before."""
    world = World(tmp_path / "lipsync.db", webhook_url="https://us/hooks/sync")
    world.service.seconds = 1e6
    async with world.queue() as queue:
        job = await queue.accept(asking())
        for _ in range(ROUNDS):
            await trio.sleep(1.0 + world.rng.random())
            made = list(world.service.made.values())[-1]
            assert (await queue.job(job.id)).generation == made.generation.id
            made.began, made.end = made.began - 1e7, _failed(made.generation)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_try_again, queue, job.id)
                nursery.start_soon(queue.hear, made.end)
        await trio.sleep(10)
        assert queue.statistics().submitted == 1
    assert len(world.service.made) == ROUNDS + 1
    assert not [what for _, what in world.service.asked if what == "get"]


async def _try_again(queue: LipsyncQueue, job_id: str) -> None:
    assert (await queue.wait_ended(job_id)).state is JobState.FAILED
    await queue.retry(job_id)


def _failed(generation: Generation) -> Generation:
    return evolve(generation, status="FAILED", error="it failed", error_code="generation_pipeline_failed")

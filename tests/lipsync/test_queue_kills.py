"""However often the process is killed, and whatever is lost on the way: every job ends once, nothing is made twice."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from orchestrator.events import VideoEnded
from orchestrator.lipsync.job import JobState
from orchestrator.lipsync.queue import LipsyncQueue
from orchestrator.settings import LipsyncSettings
from tests.lipsync.worlds import Killed, Life, World, asking

SEEDS = range(6)
KILLS = 8


@pytest.mark.parametrize("honours_keys", [True, False])
@pytest.mark.parametrize("webhook_url", ["", "https://us/hooks/sync"])
def test_every_job_ends_once_and_nothing_is_made_twice(tmp_path: Path, *, honours_keys: bool, webhook_url: str) -> None:
    """With faults before and after acceptance and kills at drawn moments, with and without Idempotency-Keys honoured,
    with and without webhooks to tell generations apart by."""
    for seed in SEEDS:
        rng = random.Random(f"{seed}:{honours_keys}:{webhook_url}")
        world = World(tmp_path / f"{seed}.db", rng=rng, webhook_url=webhook_url)
        world.service.honours_keys, world.service.faults = honours_keys, rng.choice([0.0, 0.1, 0.3])
        trio.run(lives, world, clock=MockClock(autojump_threshold=0))
        judge(world)


def test_jobs_that_ask_for_the_same_get_a_video_each(tmp_path: Path) -> None:
    """Generations of equal content can't be told apart by the list: still as many are made as were asked for."""
    for seed in SEEDS:
        world = World(tmp_path / f"{seed}.db", rng=random.Random(f"{seed}"))
        world.service.faults, world.service.honours_keys = 0.2, seed % 2 == 0
        trio.run(lives, world, True, clock=MockClock(autojump_threshold=0))
        judge(world, jobs_alike=True)


def test_batches_survive_as_well(tmp_path: Path) -> None:
    """A batch whose answer was lost is found again or sent again: its lines end once, and are made once."""
    for seed in SEEDS:
        rng = random.Random(f"{seed}")
        settings = LipsyncSettings(plan="scale", generations=2)
        world = World(tmp_path / f"{seed}.db", rng=rng, settings=settings, webhook_url=rng.choice(["", "https://us/x"]))
        world.service.faults, world.service.honours_keys = rng.choice([0.0, 0.2]), rng.random() < 0.5
        trio.run(lives, world, False, 30, clock=MockClock(autojump_threshold=0))
        judge(world, batches=True)
        assert world.service.batches_made


async def lives(world: World, alike: bool = False, jobs: int = 12) -> None:
    """Live and die several times, jobs being accepted meanwhile; the last life ends when all jobs have."""
    accepted: list[str] = []
    for _ in range(KILLS):
        life = Life(world.rng.randrange(10, 120))
        try:
            with trio.move_on_after(world.rng.uniform(5, 200)):
                await live(world, life, accepted, alike=alike, jobs=jobs)
        except* Killed:
            pass
        await trio.sleep(world.rng.choice([0.0, 1.0, 50.0]))
    await live(world, Life(1_000_000), accepted, alike=alike, jobs=jobs)
    assert set(accepted) <= world.stored().keys()


async def live(world: World, life: Life, accepted: list[str], *, alike: bool, jobs: int) -> None:
    """Accept what is still to be accepted, and wait for the end of all."""
    async with world.queue(open_store=life.store, service=life.service(world.service)) as queue:
        while len(accepted) < jobs:
            name = "same" if alike else f"{len(world.stored())}"
            accepted.append((await queue.accept(asking(name))).id)
        await all_ended(queue, world)


async def all_ended(queue: LipsyncQueue, world: World) -> None:
    """Wait until every job in the store has ended, also those of whose acceptance nobody heard."""
    with trio.fail_after(50_000):
        for name in world.stored():
            await queue.wait_ended(name)


def judge(world: World, *, jobs_alike: bool = False, batches: bool = False) -> None:
    """Every job has one video, which was made for it alone; its end was told once, and nobody was pressed."""
    jobs, made = world.stored().values(), world.service.made.values()
    assert {job.state for job in jobs} == {JobState.COMPLETED}
    ends = Counter(event.job for event in world.all_of(VideoEnded))
    assert max(ends.values()) == 1, ends
    assert batches or len(ends) >= len(jobs) - KILLS  # a death between writing and telling, of a whole batch even
    assert len({job.generation for job in jobs}) == len(jobs) == len(made)
    contents = Counter(each.generation.input[0]["url"] for each in made)
    assert jobs_alike or max(contents.values()) == 1, contents
    assert world.service.most_live <= world.service.limit

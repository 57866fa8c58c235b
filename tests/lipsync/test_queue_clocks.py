"""The queue and its clocks: what is compared to the service's times goes by the wall clock, what rests by none."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.lipsync.job import JobState
from orchestrator.ports import Generation, VideoRequest
from orchestrator.settings import LipsyncSettings
from tests.lipsync.worlds import World, asking, wall


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give a world in which the plan is no limit, but the minute is."""
    settings = LipsyncSettings(plan="creator", generations=1000, creates_per_minute=60)
    made = World(tmp_path / "lipsync.db", settings=settings)
    made.service.seconds = 1000.0
    return made


@pytest.mark.parametrize("by", [3600.0, -3600.0])
async def test_a_clock_that_is_set_opens_no_window(world: World, autojump_clock: MockClock, by: float) -> None:
    """A minute is a minute of ours, whatever the wall clock says."""
    ahead = 0.0
    async with world.queue(wall=lambda: wall() + ahead) as queue:
        for n in range(200):
            await queue.accept(asking(str(n)))
        await trio.sleep(5)
        ahead = by
        await queue.accept(asking("another"))
        await trio.sleep(50)
        assert sum(what == "create" for _, what in world.service.asked) == 60
        await trio.sleep(10)
        assert sum(what == "create" for _, what in world.service.asked) > 60


async def test_jobs_after_a_clock_was_set_right_have_right_times(world: World, autojump_clock: MockClock) -> None:
    """A lost answer's generation is found by when it was made, and a deadline is the caller's, not an hour off."""
    ahead, lost = 3600.0, [True]
    world.service.honours_keys, world.service.seconds = False, 30.0
    leave = world.service.leave

    async def losing(what: str) -> None:
        await leave(what)
        if what == "create" and lost:
            lost.pop()
            raise AvatarFault(FaultKind.RETRY, "lost", uncertain=True)

    world.service.leave = losing  # type: ignore[method-assign]
    async with world.queue(wall=lambda: wall() + ahead) as queue:
        await trio.sleep(1)
        ahead = 0.0
        job = await queue.accept(asking("a"))
        assert (await queue.wait_ended(job.id)).state is JobState.COMPLETED
        late = await queue.accept(asking("b"), deadline=wall() + 1800)
        assert (await queue.wait_ended(late.id)).state is JobState.COMPLETED
        too_late = await queue.accept(asking("c"), deadline=wall() + 5)
        assert (await queue.wait_ended(too_late.id)).code == "deadline_passed"
    assert len(world.service.made) == 2


@pytest.mark.parametrize("by", [3600.0, -3600.0])
async def test_usual_durations_know_no_clock_that_is_set(world: World, autojump_clock: MockClock, by: float) -> None:
    """How long a video took is measured by a clock that nobody sets; and it is asked about as often as ever."""
    ahead = 0.0
    world.service.seconds = 40.0
    async with world.queue(wall=lambda: wall() + ahead) as queue:
        job = await queue.accept(asking("a"))
        await trio.sleep(5)
        ahead = by
        await queue.wait_ended(job.id)
        await trio.sleep(1)
        (usual,) = queue._books.usual.values()
    (made,) = world.service.made.values()
    assert usual == pytest.approx(made.seconds, abs=4)


async def test_a_restart_counts_what_began_long_before_its_answer(
    world: World, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests that reached the service half a minute after they began count for a minute from then on."""
    create, arrived = world.service.create, []

    async def slow(request: VideoRequest, *, idempotency_key: str) -> Generation:
        if trio.current_time() < 30:
            await trio.sleep(25)
        arrived.append(trio.current_time())
        return await create(request, idempotency_key=idempotency_key)

    monkeypatch.setattr(world.service, "create", slow)
    world.settings = evolve(world.settings, request_within=30.0)
    async with world.queue() as queue:
        for n in range(200):
            await queue.accept(asking(str(n)))
        await trio.sleep(25.5)
    await trio.sleep(61 - trio.current_time())
    async with world.queue():
        await trio.sleep(20)
    assert len(arrived) == 60

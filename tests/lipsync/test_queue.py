"""The queue at work: what it takes in survives and ends, places are filled at once, and what goes wrong stays small."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
import trio.testing
from attrs import evolve
from trio.testing import MockClock

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.events import VideoAccepted, VideoEnded, VideoRefused, VideosBeyondPlan, VideoSubmitted
from orchestrator.lipsync.job import JobState
from orchestrator.lipsync.queue import LipsyncJobError
from orchestrator.settings import LipsyncSettings
from tests.lipsync.worlds import World, asking, wall


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give a world with a store of its own and a plan of three."""
    return World(tmp_path / "lipsync.db")


async def test_jobs_are_made_as_many_at_a_time_as_the_plan_allows(world: World, autojump_clock: MockClock) -> None:
    """Each is accepted, submitted and ended once, told as an event, and stored."""
    async with world.queue() as queue:
        assert queue.working
        jobs = [await queue.accept(asking(str(n)), owner="bot") for n in range(7)]
        await trio.sleep(1)
        assert (queue.statistics().waiting, queue.statistics().submitted) == (4, 3)
        ended = [await queue.wait_ended(job.id) for job in jobs]
        assert queue.statistics().submitted == 0
    assert [job.state for job in ended] == [JobState.COMPLETED] * 7
    assert all(job.output_url == f"o/{job.generation}" and job.notified for job in ended)
    assert world.service.most_live == 3
    for kind in (VideoAccepted, VideoSubmitted, VideoEnded):
        assert sorted(event.job for event in world.all_of(kind)) == sorted(job.id for job in jobs)
    assert world.all_of(VideoAccepted)[0].waiting == 1
    assert world.stored() == {job.id: job for job in ended}


async def test_a_webhook_frees_its_place_in_the_same_moment(world: World, autojump_clock: MockClock) -> None:
    """The next create request goes out at once; the same webhook again, or an older one, changes nothing."""
    world.webhook_url, world.service.limit = "https://us/hooks/sync", 3
    world.service.seconds = 600.0
    async with world.queue() as queue:
        for n in range(4):
            await queue.accept(asking(str(n)))
        await trio.sleep(20.3)
        first = next(iter(world.service.made.values()))
        first.began -= 10_000
        done = world.service.now(first)
        asked = len(world.service.asked)
        await queue.hear(done)
        await trio.testing.wait_all_tasks_blocked()
        assert world.service.asked[asked:] == [(wall(), "create")]
        ended = [job for job in world.stored().values() if job.state is JobState.COMPLETED]
        assert [job.output_url for job in ended] == [f"o/{done.id}"]
        await queue.hear(done)
        await queue.hear(evolve(done, id="unknown", webhook_url="https://us/hooks/sync?job=nobody"))
    assert [event.told_by for event in world.all_of(VideoEnded)] == ["webhook"]


async def test_a_webhook_may_be_faster_than_the_answer(world: World, autojump_clock: MockClock) -> None:
    """The end of a generation is heard while its create request is still under way: the job ends, once."""
    world.webhook_url, world.service.seconds = "https://us/hooks/sync", 0.0
    async with world.queue() as queue:
        job = await queue.accept(asking())
        while not world.service.made:  # noqa: ASYNC110  # the service has no event
            await trio.sleep(0.001)
        (made,) = world.service.made.values()
        await queue.hear(world.service.now(made))
        assert (await queue.job(job.id)).state is JobState.COMPLETED
        await trio.sleep(5)
    assert len(world.all_of(VideoEnded)) == len(world.all_of(VideoSubmitted)) == 1
    assert len(world.service.made) == 1


async def test_a_retried_job_does_not_end_by_its_earlier_try(world: World, autojump_clock: MockClock) -> None:
    """A late webhook of the generation that failed before is no news of the new one."""
    world.webhook_url = "https://us/hooks/sync"
    world.service.end_of = lambda each: evolve(each, status="FAILED", error="no face", error_code="generation_failed")
    async with world.queue() as queue:
        job = await queue.accept(asking())
        failed = await queue.wait_ended(job.id)
        assert (failed.state, failed.error, failed.code) == (JobState.FAILED, "no face", "generation_failed")
        world.service.end_of = lambda each: evolve(each, status="COMPLETED", output_url="there")
        earlier = world.service.now(world.service.made["g1"])
        again = await queue.retry(job.id)
        assert again.key != job.key
        await queue.hear(earlier)
        await trio.sleep(2)
        await queue.hear(earlier)
        assert (await queue.wait_ended(job.id)).output_url == "there"
        with pytest.raises(LipsyncJobError, match="its video was made"):
            await queue.retry(job.id)


async def test_only_what_waits_is_cancelled(world: World, autojump_clock: MockClock) -> None:
    """A job that is being sent or made can't be stopped any more; one that waits ends, and is never sent."""
    async with world.queue() as queue:
        jobs = [await queue.accept(asking(str(n))) for n in range(4)]
        await trio.sleep(0.005)
        with pytest.raises(LipsyncJobError, match=r"\(sending\)"):
            await queue.cancel(jobs[0].id)
        await trio.sleep(2)
        with pytest.raises(LipsyncJobError, match=r"\(submitted\)"):
            await queue.cancel(jobs[0].id)
        assert (await queue.cancel(jobs[3].id)).state is JobState.CANCELLED
        assert (await queue.wait_ended(jobs[3].id)).code == "cancelled"
        with pytest.raises(LipsyncJobError, match="no such job"):
            await queue.job("nobody")
        await queue.wait_ended(jobs[2].id)
    assert len(world.service.made) == 3


@pytest.mark.parametrize("after", range(8))
async def test_a_cancel_and_a_create_that_race_end_in_one_of_both(
    world: World, autojump_clock: MockClock, after: int
) -> None:
    """Whoever is written first wins: cancelled and never made, or made and not cancelled."""
    async with world.queue() as queue:
        job = await queue.accept(asking())
        for _ in range(after):
            await trio.lowlevel.checkpoint()
        try:
            await queue.cancel(job.id)
        except LipsyncJobError:
            assert (await queue.wait_ended(job.id)).state is JobState.COMPLETED
            assert len(world.service.made) == 1
        else:
            await trio.sleep(5)
            assert (await queue.job(job.id)).state is JobState.CANCELLED
            assert not world.service.made
    assert len(world.all_of(VideoEnded)) == 1


async def test_a_refused_request_is_its_jobs_own_failure(world: World, autojump_clock: MockClock) -> None:
    """A bad video address fails its job with the service's words; the others go on."""
    async with world.queue() as queue:
        world.service.refusing = AvatarFault(FaultKind.REQUEST, "the video can't be read", code="input_inaccessible")
        bad = await queue.accept(asking("bad"))
        failed = await queue.wait_ended(bad.id)
        world.service.refusing = None
        good = await queue.accept(asking("good"))
        assert (await queue.wait_ended(good.id)).state is JobState.COMPLETED
    assert (failed.state, failed.error, failed.code) == (
        JobState.FAILED,
        "the video can't be read",
        "input_inaccessible",
    )
    (refused,) = world.all_of(VideoRefused)
    assert (refused.job, refused.kind, refused.code) == (bad.id, "request", "input_inaccessible")


async def test_a_revoked_key_lets_all_jobs_wait_with_the_reason(world: World, autojump_clock: MockClock) -> None:
    """Nothing fails; it is asked again now and then, and when the key is good again all go on."""
    world.service.refusing = AvatarFault(FaultKind.FINAL, "the key is not known", code="unauthorized")
    async with world.queue() as queue:
        jobs = [await queue.accept(asking(str(n))) for n in range(5)]
        await trio.sleep(301)
        states = [await queue.job(job.id) for job in jobs]
        assert {(job.state, job.error) for job in states} == {(JobState.WAITING, "the key is not known")}
        assert len(world.service.asked) <= 14
        world.service.refusing = None
        ended = [await queue.wait_ended(job.id) for job in jobs]
    assert {(job.state, job.error) for job in ended} == {(JobState.COMPLETED, "")}


async def test_files_are_uploaded_first(world: World, autojump_clock: MockClock) -> None:
    """Their addresses take the files' place; a file that can't be read fails its job, and says which."""
    video = asking(input=({"type": "video", "url": "file:///v/m%C3%BC.mp4"}, {"type": "audio", "url": "file:///a.wav"}))
    world.service.uploads = {"/v/mü.mp4": "https://assets/v", "/a.wav": "https://assets/a"}
    async with world.queue() as queue:
        job = await queue.accept(video)
        assert (await queue.wait_ended(job.id)).state is JobState.COMPLETED
        world.service.uploads["/a.wav"] = OSError(13, "Permission denied")
        failed = await queue.wait_ended((await queue.accept(video)).id)
        world.service.uploads["/a.wav"] = AvatarFault(FaultKind.REQUEST, "too large", code="file_size")
        too_large = await queue.wait_ended((await queue.accept(video)).id)
    (made,) = world.service.made.values()
    assert [item["url"] for item in made.generation.input] == ["https://assets/v", "https://assets/a"]
    assert (failed.error, failed.code) == ("/a.wav: can't be read (Permission denied)", "file_unreadable")
    assert (too_large.state, too_large.error, too_large.code) == (JobState.FAILED, "too large", "file_size")


async def test_a_job_that_would_be_late_is_not_begun(world: World, autojump_clock: MockClock) -> None:
    """It fails with the reason when its deadline can't be kept any more."""
    async with world.queue() as queue:
        for n in range(3):
            await queue.accept(asking(str(n)))
        await trio.sleep(0.1)
        job = await queue.accept(asking("late"), deadline=wall() + 121)
        ended = await queue.wait_ended(job.id)
    assert (ended.state, ended.code) == (JobState.FAILED, "deadline_passed")
    assert "deadline" in ended.error
    assert [event.told_by for event in world.all_of(VideoEnded)] == ["queue"]


@pytest.mark.parametrize("comes", [True, False])
async def test_a_complete_generation_without_video_is_asked_for_again(
    world: World, autojump_clock: MockClock, comes: bool
) -> None:
    """The address may come later; if it does not come in minutes the job fails, and the service was not pressed."""
    world.service.end_of = lambda each: evolve(each, status="COMPLETED")
    async with world.queue() as queue:
        job = await queue.accept(asking())
        await trio.sleep(60)
        (made,) = world.service.made.values()
        if comes:
            made.end = evolve(made.end, output_url="there")
        ended = await queue.wait_ended(job.id)
    assert (ended.state, ended.output_url) == (JobState.COMPLETED, "there") if comes else (JobState.FAILED, "")
    assert ended.code == ("" if comes else "no_video")
    assert sum(what == "get" for _, what in world.service.asked) <= 10


async def test_what_the_service_forgot_is_a_failure(world: World, autojump_clock: MockClock) -> None:
    """A generation that is not there any more ends its job with the service's words."""
    async with world.queue() as queue:
        job = await queue.accept(asking())
        await trio.sleep(3)
        world.service.made.clear()
        ended = await queue.wait_ended(job.id)
    assert (ended.state, ended.error) == (JobState.FAILED, "no such generation")


async def test_others_generations_are_counted_over_all_pages(world: World, autojump_clock: MockClock) -> None:
    """They take places, are told when their number changes, and none is pressed in beside them."""
    world.service.limit = 150
    world.settings = evolve(world.settings, generations=120)
    for n in range(119):
        world.service.begin(asking(f"other{n}")).seconds = 1000.0
    async with world.queue() as queue:
        jobs = [await queue.accept(asking(str(n))) for n in range(3)]
        for job in jobs:
            await queue.wait_ended(job.id)
    told = [event.others for event in world.all_of(VideosBeyondPlan)]
    assert told == [119]
    assert 120 <= world.service.most_live <= 122


async def test_usual_durations_are_learned(world: World, autojump_clock: MockClock) -> None:
    """From what was made under our eyes, and kept for the next process."""
    world.service.seconds = 40.0
    async with world.queue() as queue:
        for n in range(6):
            await queue.accept(asking(str(n)))
        for name in world.stored():
            await queue.wait_ended(name)
    lasted = [made.seconds for made in world.service.made.values()]
    async with world.queue() as queue:
        (usual,) = queue._books.usual.values()
    assert usual == pytest.approx(sum(lasted) / 6, rel=0.1)


async def test_a_restart_keeps_the_windows(world: World, autojump_clock: MockClock) -> None:
    """Requests of the last minute count after a restart: the service is not asked more often because of it."""
    world.settings = LipsyncSettings(plan="scale", creates_per_minute=2)
    async with world.queue() as queue:
        jobs = [await queue.accept(asking(str(n))) for n in range(4)]
        await trio.sleep(5)
    async with world.queue() as queue:
        for job in jobs:
            await queue.wait_ended(job.id)
    creates = [at for at, what in world.service.asked if what == "create"]
    assert len(creates) == 4
    assert creates[2] - creates[0] >= 60


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_clock_that_is_set_back_stops_nothing(world: World, autojump_clock: MockClock, restarted: bool) -> None:
    """Nothing is put off until it has caught up, neither in the same process nor in the next one."""
    ahead = 3600.0

    def changing() -> float:
        return wall() + ahead

    world.settings = LipsyncSettings(plan="scale", creates_per_minute=1)
    world.service.wall = changing
    async with world.queue(wall=changing) as queue:
        await queue.accept(asking("a"))
        job = await queue.accept(asking("b"))
        await trio.sleep(5)
        ahead = 0.0
        began = trio.current_time()
        if not restarted:
            await queue.wait_ended(job.id)
    async with world.queue(wall=changing) as queue:
        await queue.wait_ended(job.id)
    assert trio.current_time() - began < 200

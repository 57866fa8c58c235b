"""One job that the service does not take, in a queue at work: it harms nobody, and does not wait for ever."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.lipsync.giving_up import TRIES
from orchestrator.lipsync.job import JobState
from orchestrator.ports import Generation, VideoRequest
from tests.lipsync.avatars import FakeAvatars
from tests.lipsync.worlds import World, asking

FAULTS = [
    AvatarFault(FaultKind.RETRY, "internal error [500]", code="internal_error", uncertain=True),
    AvatarFault(FaultKind.FINAL, "not in your plan [402]", code="plan"),
]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_job_that_alone_is_refused_ends_with_the_services_words(
    tmp_path: Path, autojump_clock: MockClock, fault: AvatarFault
) -> None:
    """The others go on as if it were not there, and bear none of its words; tried again, it has as many tries anew."""
    world = World(tmp_path / "lipsync.db")
    world.settings, world.service.seconds = evolve(world.settings, batch="never"), 20.0
    create, tries = world.service.create, list[float]()

    async def refuse(request: VideoRequest, *, idempotency_key: str) -> Generation:
        if request.model != "bad":
            return await create(request, idempotency_key=idempotency_key)
        await world.service.arrive("create")
        tries.append(trio.current_time())
        raise fault

    world.service.create = refuse  # type: ignore[method-assign]
    async with world.queue() as queue:
        others = [await queue.accept(asking(str(number))) for number in range(TRIES * 8)]
        first = await queue.wait_ended(others[0].id)
        assert first.state is JobState.COMPLETED
        bad = await queue.accept(asking("bad", model="bad"), priority=1)
        with trio.fail_after(3000.0):
            ended = await queue.wait_ended(bad.id)
        assert ended.state is JobState.FAILED
        assert ended.error == f"given up after {TRIES} failures while others passed: {fault.message}"
        assert ended.code == fault.code
        assert 120.0 < tries[-1] - tries[0] < 1200.0
        made = sum(job.state is JobState.COMPLETED for job in world.stored().values())
        assert made > 0.8 * trio.current_time() * 3 / 20.0
        assert not [job for job in world.stored().values() if job.error and job.id != bad.id]
        await queue.retry(bad.id)
        await trio.sleep(20.0)
        assert (await queue.job(bad.id)).state in (JobState.WAITING, JobState.SENDING)


async def test_files_that_cannot_be_uploaded_keep_nobody_elses_back(tmp_path: Path, autojump_clock: MockClock) -> None:
    """However many they are; and while none can be, the service is left in peace."""
    world = World(tmp_path / "lipsync.db")
    no = AvatarFault(FaultKind.RETRY, "the upload was refused by the storage [403]")
    world.service.uploads = {f"/v/{number}.mp4": no for number in range(8)}
    async with world.queue() as queue:
        jobs = [await queue.accept(_filed(number)) for number in range(8)]
        await trio.sleep(3600.0)
        assert _uploads(world.service) < 400
        world.service.uploads |= {"/v/6.mp4": "https://assets/6", "/v/7.mp4": "https://assets/7"}
        with trio.fail_after(300.0):
            assert [(await queue.wait_ended(job.id)).state for job in jobs[6:]] == [JobState.COMPLETED] * 2


def test_the_files_of_a_request_are_no_part_of_it() -> None:
    """They are found once; equality, copies and what is stored know nothing of that."""
    request = _filed(1)
    assert request.files is request.files
    assert request == _filed(1)
    assert "files" not in attrs.asdict(request)
    assert evolve(request, input=()).files == ()


def _filed(number: int) -> VideoRequest:
    return asking(input=({"type": "video", "url": f"file:///v/{number}.mp4"}, {"type": "audio", "url": "https://a/a"}))


def _uploads(service: FakeAvatars) -> int:
    return sum(what == "upload" for _, what in service.asked)

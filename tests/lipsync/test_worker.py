"""The worker: its lock, what it does when something unexpected is raised, how often it decides, what it forgets."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from orchestrator import events
from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.events import Event, VideoRefused
from orchestrator.lipsync import plan, worker
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.job import JobState
from orchestrator.lipsync.keeping import KeptQueue
from orchestrator.lipsync.lock import WorkerLock
from orchestrator.lipsync.store import Store
from orchestrator.ports import Generation, GenerationStatus, VideoRequest
from tests.lipsync.worlds import World, asking


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give a world with a store of its own and a plan of three."""
    return World(tmp_path / "lipsync.db")


def test_one_store_by_two_names_has_one_lock(tmp_path: Path) -> None:
    """A symbolic link to a store is that store."""
    store, link = tmp_path / "a.db", tmp_path / "b.db"
    Store.open(store).close()
    link.symlink_to(store)
    first, second = WorkerLock(store), WorkerLock(link)
    assert first.take()
    assert not second.take()
    first.give_back()
    assert second.take()
    second.give_back()


def test_a_lock_whose_file_was_deleted_is_taken_anew_or_lost(tmp_path: Path) -> None:
    """Whoever is first has it, and the other one learns that."""
    first, second = WorkerLock(tmp_path / "a.db"), WorkerLock(tmp_path / "a.db")
    assert first.take()
    assert first.keep()
    (tmp_path / "a.db.lock").unlink()
    assert first.keep()
    assert not second.take()
    (tmp_path / "a.db.lock").unlink()
    assert second.take()
    assert not first.keep()
    second.give_back()


async def test_of_two_workers_one_stops(world: World, autojump_clock: MockClock) -> None:
    """The lock's file is deleted, and another process takes the work over: the first one says so, and ends."""
    with pytest.RaisesGroup(
        pytest.RaisesExc(LipsyncStoreError, match="another process works on it"), flatten_subgroups=True
    ):
        async with world.queue() as queue:
            world.path.with_name("lipsync.db.lock").unlink()
            async with world.queue() as second:
                assert queue.working
                assert second.working
                await trio.sleep(2)


async def test_a_poisonous_job_fails_alone(
    world: World, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody expected is told with a traceback, once; the queue is not opened anew, and the others go on."""
    create, told = world.service.create, list[Event]()

    async def poisoned(request: VideoRequest, *, idempotency_key: str) -> Generation:
        if "bad" in request.input[0]["url"]:
            raise ZeroDivisionError("nobody thought of it")
        return await create(request, idempotency_key=idempotency_key)

    monkeypatch.setattr(world.service, "create", poisoned)
    queue = KeptQueue(world.queue, again=30.0, emit=told.append, now=trio.current_time)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(queue.run)
        await trio.sleep(0.1)
        bad = await queue.accept(asking("bad"))
        good = [await queue.accept(asking(str(n))) for n in range(4)]
        failed = await queue.wait_ended(bad.id)
        assert {(await queue.wait_ended(job.id)).state for job in good} == {JobState.COMPLETED}
        nursery.cancel_scope.cancel()
    assert (failed.state, failed.code) == (JobState.FAILED, "unexpected_error")
    assert failed.error == "an unexpected error: ZeroDivisionError: nobody thought of it"
    (refused,) = world.all_of(VideoRefused)
    assert refused.job == bad.id
    assert "Traceback" in refused.error
    assert "in poisoned" in refused.error
    assert not [event for event in told if isinstance(event, events.QueueStopped)]


async def test_a_list_that_nobody_expected_rests(
    world: World, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No job is to blame: none fails, it is asked for ever less often, and when it is right all go on."""
    listing, asked = world.service.listing, list[float]()

    async def broken(**keywords: object) -> object:
        asked.append(trio.current_time())
        if trio.current_time() < 600:
            raise KeyError("status")
        return await listing(**keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(world.service, "listing", broken)
    async with world.queue() as queue:
        jobs = [await queue.accept(asking(str(n))) for n in range(4)]
        assert {(await queue.wait_ended(job.id)).state for job in jobs} == {JobState.COMPLETED}
    assert len([at for at in asked if at < 600]) < 60


async def test_a_certain_refusal_after_the_news_fails_nothing(
    world: World, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A webhook has told that the generation is made: the refusal is about a request that was made twice."""
    create = world.service.create
    world.webhook_url = "https://us/hook"
    async with world.queue() as queue:

        async def refused(request: VideoRequest, *, idempotency_key: str) -> Generation:
            await queue.hear(await create(request, idempotency_key=idempotency_key))
            raise AvatarFault(FaultKind.REQUEST, "this key was used", code="idempotency_conflict")

        monkeypatch.setattr(world.service, "create", refused)
        job = await queue.accept(asking())
        assert (await queue.wait_ended(job.id)).state is JobState.COMPLETED
    assert len(world.service.made) == 1


@pytest.mark.parametrize("url", ["file:///tmp/a%00b.mp4", "file://[x/a.mp4"])
async def test_a_file_that_can_be_none_fails_its_job(
    world: World, autojump_clock: MockClock, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address in the store that no path comes of is that job's own failure."""

    async def upload(_service: object, path: Path) -> str:
        path.stat()  # noqa: ASYNC240  # it is none, and so does not block
        raise AssertionError(path)

    monkeypatch.setattr(type(world.service), "upload", upload)
    async with world.queue() as queue:
        video = {"type": "video", "url": url}
        failed = await queue.wait_ended((await queue.accept(asking(input=(video,)))).id)
        assert (await queue.wait_ended((await queue.accept(asking())).id)).state is JobState.COMPLETED
    assert failed.code == "file_unreadable"
    assert failed.error.startswith(f"{url}: names no file (")


async def test_many_changes_at_once_are_one_decision(
    world: World, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decisions follow each other by ten milliseconds, but for the first two; how many wait is counted along."""
    decided = list[float]()

    def counted(*args: object) -> object:
        decided.append(trio.current_time())
        return plan.decide(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "decide", counted)
    async with world.queue() as queue:
        await trio.sleep(1)
        decided.clear()
        for n in range(300):
            await queue.accept(asking(str(n)))
        await trio.sleep(0.1)
        assert len(decided) <= 12
        await trio.sleep(1)
        assert queue._books.waiting == queue.statistics().waiting == 297


async def test_what_is_old_is_forgotten_every_day(
    world: World, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only when the process begins."""
    monkeypatch.setattr(worker, "_WATCH", 3600.0)
    async with world.queue() as queue:
        job = await queue.accept(asking())
        await queue.wait_ended(job.id)
        autojump_clock.jump(89 * 86_400)
        await trio.sleep(1)
        assert job.id in world.stored()
        autojump_clock.jump(3 * 86_400)
        await trio.sleep(1)
        assert not world.stored()


async def test_pages_that_move_end_no_job(
    world: World, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list cut short, because its cursor is unknown by now, has jobs asked for that are still made: no more."""
    world.settings = evolve(world.settings, generations=150, creates_per_minute=1000)
    world.service.limit = 150
    listing = world.service.listing

    async def moving(*, statuses: tuple[GenerationStatus, ...] = (), limit: int = 100, cursor: str = "") -> object:
        return [] if cursor else await listing(statuses=statuses, limit=limit)

    monkeypatch.setattr(world.service, "listing", moving)
    async with world.queue() as queue:
        jobs = [await queue.accept(asking(str(n))) for n in range(150)]
        ended = [await queue.wait_ended(job.id) for job in jobs]
    assert {job.state for job in ended} == {JobState.COMPLETED}
    assert len(world.service.made) == 150

"""The queue and its file: a full disk stops it and no more, and several processes share one file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from orchestrator.events import QueueStopped, VideoEnded
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.job import JobState
from orchestrator.lipsync.store import LipsyncJobError, Store
from tests.lipsync.worlds import World, asking


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give a world with a store of its own and a plan of three."""
    return World(tmp_path / "lipsync.db")


class FullAtWill(Store):
    """A store whose disk is full when told so: SQLite itself refuses, by its limit of pages."""

    full = False

    def fill(self) -> None:
        """Let no page be added."""
        self.full = True
        self._connection.execute("PRAGMA max_page_count = 1")

    def empty(self) -> None:
        """Let there be room again."""
        self.full = False
        self._connection.execute("PRAGMA max_page_count = 1000000")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with super()._writing() as connection:
            if self.full:  # every write needs a page, as it does in the log of a real file
                connection.execute("INSERT INTO made VALUES (hex(zeroblob(100000)), '', 0)")
            yield connection


async def test_a_full_disk_stops_the_queue_until_there_is_room(world: World, autojump_clock: MockClock) -> None:
    """Who submits gets the error; nothing new is begun; it is told once; later everything goes on, nothing lost."""
    stores: list[FullAtWill] = []

    def opened(path: Path) -> Store:
        stores.append(FullAtWill.open(path))
        return stores[-1]

    async with world.queue(open_store=opened) as queue:
        jobs = [await queue.accept(asking(str(n))) for n in range(8)]
        await trio.sleep(5)
        stores[0].fill()
        with pytest.raises(LipsyncStoreError, match="the disk is full"):
            await queue.accept(asking("too much"))
        await trio.sleep(300)
        assert queue.statistics().stopped
        made, asked = len(world.service.made), len(world.service.asked)
        await trio.sleep(300)
        assert (len(world.service.made), len(world.service.asked)) == (made, asked)
        stores[0].empty()
        for job in jobs:
            assert (await queue.wait_ended(job.id)).state is JobState.COMPLETED
    assert queue.statistics().stopped == 0
    (stopped,) = world.all_of(QueueStopped)
    assert "the disk is full" in stopped.error
    assert len(world.service.made) == len(world.all_of(VideoEnded)) == 8


async def test_a_death_with_a_full_disk_makes_nothing_twice(world: World, autojump_clock: MockClock) -> None:
    """An answer that could not be written is found in the list by the next process."""
    stores: list[FullAtWill] = []

    def opened(path: Path) -> Store:
        stores.append(FullAtWill.open(path))
        return stores[-1]

    world.service.honours_keys = False
    async with world.queue(open_store=opened) as queue:
        job = await queue.accept(asking())
        while not world.service.made:  # noqa: ASYNC110  # the service has no event
            await trio.sleep(0.001)
        stores[0].fill()
        await trio.sleep(100)
        assert queue.statistics().sending == 1
    async with world.queue() as queue:
        assert (await queue.wait_ended(job.id)).state is JobState.COMPLETED
    assert len(world.service.made) == 1


async def test_one_works_and_the_other_accepts_and_watches(world: World, autojump_clock: MockClock) -> None:
    """Jobs and cancels of the second are noticed within about a second, ends by the first are seen by the second."""
    async with world.queue() as first, world.queue() as second:
        assert (first.working, second.working) == (True, False)
        theirs = [await second.accept(asking(str(n))) for n in range(4)]
        assert not world.service.asked
        await trio.sleep(2.5)
        assert first.statistics().submitted == second.statistics().submitted == 3
        await second.cancel(theirs[3].id)
        assert (await first.wait_ended(theirs[3].id)).state is JobState.CANCELLED
        for job in theirs[:3]:
            assert (await second.wait_ended(job.id)).state is JobState.COMPLETED
        again = await second.retry(theirs[3].id)
        assert (await second.wait_ended(again.id)).state is JobState.COMPLETED
    assert world.service.most_live == 3


async def test_a_cancel_beside_the_worker_is_never_overwritten(world: World, autojump_clock: MockClock) -> None:
    """The worker goes by what it knew a second ago: what was cancelled since is not sent all the same."""
    async with world.queue() as first, world.queue() as second:
        for n in range(4):
            await first.accept(asking(str(n)))
        await trio.sleep(2)
        (waiting,) = [job for job in world.stored().values() if job.state is JobState.WAITING]
        for made in world.service.made.values():
            made.seconds = 5.0
        for _ in range(300):
            await trio.sleep(0.05)
            if len(world.service.live()) < 3:
                break
        try:
            await second.cancel(waiting.id)
            cancelled = True
        except LipsyncJobError:
            cancelled = False
        await trio.sleep(100)
        state = (await first.job(waiting.id)).state
    assert state is (JobState.CANCELLED if cancelled else JobState.COMPLETED)
    assert len(world.service.made) == (3 if cancelled else 4)


async def test_who_waited_takes_the_work_over(world: World, autojump_clock: MockClock) -> None:
    """When the worker is gone the next process goes on within about a second."""
    async with world.queue(work=False) as watching, world.queue() as second:
        job = await watching.accept(asking())
        assert (await watching.wait_ended(job.id)).state is JobState.COMPLETED
        assert second.working
        assert not watching.working
    async with world.queue() as first, world.queue() as second:
        assert not second.working
        assert first._worker._lock is not None
        first._worker._lock.give_back()
        await trio.sleep(1.1)
        assert second.working


async def test_a_store_that_is_none_is_said_at_once(world: World, autojump_clock: MockClock) -> None:
    """Opening a queue on somebody else's file raises, and leaves it alone."""
    connection = sqlite3.connect(world.path)
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    with pytest.raises(LipsyncStoreError, match="another program"):
        async with world.queue():
            raise AssertionError

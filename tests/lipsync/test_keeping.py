"""A queue that fails hurts nobody: it is told, opened anew, and waits for jobs go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from orchestrator import events
from orchestrator.events import Event
from orchestrator.lipsync.job import JobState
from orchestrator.lipsync.keeping import KeptQueue
from orchestrator.lipsync.queue import LipsyncQueue, LipsyncStoreError
from orchestrator.lipsync.store import LipsyncJobError
from tests.lipsync.worlds import World, asking

AGAIN = 30.0


@define(eq=False)
class Shop:
    """Opens queues on one store; `breaks` are the moments at which an open one fails, `closed` why none opens."""

    world: World
    breaks: list[float] = field(factory=list)
    closed: Exception | None = None
    told: list[Event] = field(factory=list)
    opened: int = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[LipsyncQueue]:
        """Open it."""
        self.opened += 1
        if self.closed is not None:
            raise self.closed
        async with trio.open_nursery() as nursery, self.world.queue() as queue:
            if self.breaks:
                nursery.start_soon(self._break, self.breaks.pop(0))
            yield queue
            nursery.cancel_scope.cancel()

    async def _break(self, after: float) -> None:
        await trio.sleep(after)
        raise ZeroDivisionError("a mistake of ours")

    def stops(self) -> list[str]:
        """Return what was told."""
        return [event.error for event in self.told if isinstance(event, events.QueueStopped)]


@asynccontextmanager
async def kept(shop: Shop) -> AsyncIterator[KeptQueue]:
    """Keep the shop's queue open."""
    queue = KeptQueue(shop.open, again=AGAIN, emit=shop.told.append, now=trio.current_time)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(queue.run)
        yield queue
        nursery.cancel_scope.cancel()


async def test_it_is_the_queue_while_that_is_open(autojump_clock: MockClock, tmp_path: Path) -> None:
    """A job that is accepted here ends."""
    shop = Shop(World(tmp_path / "lipsync.db"))
    async with kept(shop) as queue:
        await trio.sleep(0.1)
        job = await queue.accept(asking(), owner="ada", call="c1", priority=2)
        assert (job.owner, job.call, job.priority) == ("ada", "c1", 2)
        assert (await queue.wait_ended(job.id)).state is JobState.COMPLETED
        with pytest.raises(LipsyncJobError):
            await queue.wait_ended("no-such-job")
    assert shop.stops() == []


async def test_a_failure_in_it_is_told_and_it_is_opened_anew(autojump_clock: MockClock, tmp_path: Path) -> None:
    """A wait for a job outlives that; meanwhile nothing is accepted, and said why. No task of ours fails."""
    shop = Shop(World(tmp_path / "lipsync.db"), breaks=[5.0, 5.0])
    async with kept(shop) as queue:
        await trio.sleep(1.0)
        job = await queue.accept(asking())
        ended = False

        async def wait() -> None:
            nonlocal ended
            assert (await queue.wait_ended(job.id)).state is JobState.COMPLETED
            ended = True

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await trio.sleep(5.0)
            with pytest.raises(LipsyncStoreError, match="a mistake of ours"):
                await queue.accept(asking("b"))
            with pytest.raises(LipsyncStoreError):
                await queue.hear_signed(next(iter(shop.world.service.made.values())).generation, "0a")
        assert ended
        await queue.accept(asking("c"))
    assert len(shop.stops()) == 2
    assert all("ZeroDivisionError" in error and "_break" in error for error in shop.stops())  # a traceback
    assert len(shop.world.service.made) == 1


async def test_a_store_that_cannot_be_opened_is_tried_again(autojump_clock: MockClock, tmp_path: Path) -> None:
    """What was raised on purpose is told in a line; no tight loop."""
    shop = Shop(World(tmp_path / "lipsync.db"), closed=LipsyncStoreError("/x/lipsync.db: it can't be opened"))
    async with kept(shop) as queue:
        with pytest.raises(LipsyncStoreError, match="not open yet"):
            await queue.accept(asking())
        await trio.sleep(3 * AGAIN + 1)
        assert shop.opened == 4
        assert set(shop.stops()) == {"/x/lipsync.db: it can't be opened"}
        with pytest.raises(LipsyncStoreError, match="can't be opened"):
            await queue.accept(asking())
        shop.closed = None
        await trio.sleep(AGAIN)
        assert (await queue.accept(asking())).state is JobState.WAITING

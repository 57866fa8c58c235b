"""Keeps a queue open for a program that does more than that: a queue that fails is told, and opened anew.

What it does while it is open is queue.py's.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import trio
from attrs import Factory, define

from orchestrator import events
from orchestrator.errors import TalkingstickError
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.job import Job
from orchestrator.lipsync.queue import LipsyncQueue
from orchestrator.ports import Batch, Emit, Generation, Now, VideoRequest

Open = Callable[[], AbstractAsyncContextManager[LipsyncQueue]]


@define(eq=False)
class _Opening:
    """The queue while it is open once, and who waits there."""

    queue: LipsyncQueue
    waiting: set[trio.CancelScope] = Factory(set)


class KeptQueue:
    """A queue that is there again `again` seconds after it failed. Meanwhile nothing is accepted, and waits go on."""

    def __init__(self, open_queue: Open, *, again: float, emit: Emit, now: Now) -> None:
        self._open_queue = open_queue
        self._again = again
        self._emit = emit
        self._now = now
        self._opening: _Opening | None = None
        self._opened = trio.Event()
        self._why = "it is not open yet"

    async def run(self) -> None:
        """Keep it open; never ends, and nothing that goes wrong in the queue is raised."""
        while True:
            try:
                await self._hold_open()
            except* Exception as failure:
                self._why = _told(failure)
                self._emit(events.QueueStopped(at=self._now(), error=self._why))
            await trio.sleep(self._again)

    async def accept(
        self,
        request: VideoRequest,
        *,
        owner: str = "",
        call: str = "",
        priority: int = 0,
        deadline: float | None = None,
    ) -> Job:
        """Put a job into the queue, as LipsyncQueue does. Raises LipsyncStoreError."""
        queue = self._queue()
        return await queue.accept(request, owner=owner, call=call, priority=priority, deadline=deadline)

    async def hear_signed(self, news: Generation | Batch, signature: str) -> bool:
        """Take in what a webhook says, as LipsyncQueue does. Raises LipsyncStoreError."""
        return await self._queue().hear_signed(news, signature)

    async def wait_ended(self, job_id: str) -> Job:
        """Return a job when it has ended, however often the queue is opened meanwhile. Raises LipsyncJobError."""
        while True:
            opening = await self._wait_open()
            with trio.CancelScope() as scope:
                opening.waiting.add(scope)
                try:
                    return await opening.queue.wait_ended(job_id)
                except LipsyncStoreError:
                    await trio.sleep(self._again)
                finally:
                    opening.waiting.discard(scope)

    def _queue(self) -> LipsyncQueue:
        if self._opening is None:
            raise LipsyncStoreError(f"the queue of videos can't be used: {self._why}")
        return self._opening.queue

    async def _wait_open(self) -> _Opening:
        while self._opening is None:
            await self._opened.wait()
        return self._opening

    async def _hold_open(self) -> None:
        async with self._open_queue() as queue:
            opening = self._opening = _Opening(queue)
            self._opened.set()
            try:
                await trio.sleep_forever()
            finally:
                self._opening, self._opened = None, trio.Event()
                for scope in opening.waiting:
                    scope.cancel()


def _told(failure: BaseExceptionGroup[Exception]) -> str:
    """Say what went wrong: in a line where it was raised on purpose, else with where it was."""
    first: BaseException = failure
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return str(first) if isinstance(first, TalkingstickError) else "".join(traceback.format_exception(first))

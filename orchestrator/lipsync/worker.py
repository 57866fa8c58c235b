"""Works on a queue as long as no other process does: carries out what plan.py decides, and notices what others do."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import trio

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.lipsync import batching, outcomes, singles
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.desk import Desk
from orchestrator.lipsync.lock import WorkerLock
from orchestrator.lipsync.notices import Notices
from orchestrator.lipsync.plan import decide
from orchestrator.lipsync.requests import Ticket
from orchestrator.lipsync.steps import Look, Step, SubmitBatch, about
from orchestrator.lipsync.windows import MINUTE

_STEPS: Mapping[type, Any] = {**singles.STEPS, **batching.STEPS}
_WATCH = 1.0
"""Seconds between two looks for what other processes changed."""
_LEAST, _MOST = 0.001, 60.0
"""Seconds until the next decision: no tight loop if a clock is coarse, and soon enough if the wall clock was set."""
_APART = 0.01
"""Seconds between two decisions, whatever happens in between; after a rest the next two follow each other at once."""
_UNEXPECTED = "unexpected_error"
_DAY = 86_400.0
_KEPT = 90 * _DAY
"""Seconds that jobs are kept after their end."""


class Worker:
    """The one that works on a queue. Without a `lock` it only notices what others do."""

    def __init__(self, desk: Desk, *, lock: WorkerLock | None, notices: Notices | None) -> None:
        self.working = False
        self._desk = desk
        self._lock = lock
        self._notices = notices

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Notice what other processes do, and work as soon as none of them does; never ends."""
        async with trio.open_nursery() as nursery:
            while True:
                await self._desk.books.notice()
                if not self.working and self._lock is not None and self._lock.take():
                    await self._begin()
                    nursery.start_soon(self._work)
                    nursery.start_soon(self._tidy)
                    if self._notices:
                        nursery.start_soon(self._notices.run)
                if self.working and self._lock is not None and not self._lock.keep():
                    raise LipsyncStoreError(f"{self._desk.store.path}: another process works on it by now")
                task_status.started()
                task_status = trio.TASK_STATUS_IGNORED
                await trio.sleep(_WATCH)

    async def _begin(self) -> None:
        """Take the work over from whoever did it before."""
        desk, now = self._desk, self._desk.place.wall()
        since = now - MINUTE - desk.requests.longest  # one that was answered a minute ago may have begun so long before
        desk.requests.restore(await desk.writer.persist(lambda: desk.writer.read(desk.store.requests, since)))
        await desk.writer.persist(self._desk.books.learn)
        await self._desk.books.notice()
        self.working = True

    async def _tidy(self) -> None:
        """Forget what is old, now and every day."""
        while True:
            with suppress(LipsyncStoreError):  # a full disk: that is no time to tidy up
                await self._desk.writer.write(self._desk.store.delete_old, self._desk.place.wall() - _KEPT)
            await trio.sleep(_DAY)

    async def _work(self) -> None:
        paced_to = 0.0
        async with trio.open_nursery() as nursery:
            while True:
                changed, now = self._desk.writer.changed, self._desk.place.steady()
                paced_to = max(paced_to, trio.current_time()) + _APART
                wake_at: float | None = None
                if not self._desk.writer.stopped:
                    decision = decide(self._desk.view(), now)
                    wake_at = decision.wake_at
                    for step in decision.steps:
                        nursery.start_soon(self._carry_out, step, self._desk.begin(step))
                wait = _MOST if wake_at is None else min(_MOST, max(_LEAST, wake_at - now))
                with trio.move_on_after(wait):
                    await changed.wait()
                await trio.sleep_until(paced_to - _APART)

    async def _carry_out(self, step: Step, ticket: Ticket) -> None:
        try:
            await _STEPS[type(step)](self._desk, step, ticket=ticket)
        except AvatarFault as fault:  # the account knows of it, and the plan goes by that
            if fault.kind is FaultKind.FINAL and not isinstance(step, SubmitBatch):
                await self._desk.explain(fault)
        except Exception as error:  # a mistake of ours, or data that nobody thought of: it costs one job at most
            await self._blame(step, error)
        else:
            if ticket.sent and not isinstance(step, Look):  # of which the account was told more
                self._desk.took(step)
        finally:
            self._desk.finish(step, ticket)

    async def _blame(self, step: Step, error: Exception) -> None:
        """Tell what was raised, rest what it was about, and fail the job, if it was one: it would be raised again."""
        trace = "".join(traceback.format_exception(error))
        self._desk.refused(step, AvatarFault(FaultKind.REQUEST, trace, code=_UNEXPECTED))
        words = f"an unexpected error: {type(error).__name__}: {error}"
        await self._desk.books.change([about(step)], lambda job: outcomes.failed(job, words, code=_UNEXPECTED))

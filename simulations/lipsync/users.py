"""The users of a queue: they hand their orders in, change their minds, try again, and know what they know over all the
lives of the program. What they want is orders.py's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

import trio
from attrs import define, field

from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.queue import LipsyncQueue
from orchestrator.lipsync.store import LipsyncJobError, Store
from simulations.lipsync.life import Life
from simulations.lipsync.orders import Order
from simulations.sync.server import made_up_wall

_WITHOUT_VIDEO = (JobState.FAILED, JobState.REJECTED)


@define(eq=False)
class Users:
    """All users; `store` is a look into the file, from outside of the program."""

    _orders: Sequence[Order]
    _store: Store
    handed_in: dict[int, str] = field(factory=dict)
    """The job of each order whose acceptance its user knows of."""
    cancelled: dict[int, bool] = field(factory=dict)
    """Whether a change of mind came in time, by order."""
    retries: Counter[int] = field(factory=Counter)
    """How often each order was tried again."""
    content: set[int] = field(factory=set)
    """The orders whose users want nothing more."""
    _retrying: dict[int, str] = field(factory=dict)
    """The key of a job that is tried again, until it has another one."""

    def recall(self) -> None:
        """See what was accepted and what was tried again although nobody was told: after a death."""
        jobs = {job.call: job for job in self._store.jobs(limit=2 * len(self._orders))}
        for order in self._orders:
            job = jobs.get(order.call)
            if job is None:
                continue
            self.handed_in.setdefault(order.number, job.id)
            if self._retrying.get(order.number, job.key) != job.key:
                self._retried(order.number)

    def wanting(self) -> int:
        """Return how many orders have not come to their end."""
        return len(self._orders) - len(self.content)

    async def run(self, queue: LipsyncQueue, life: Life) -> None:
        """Use the queue in one life; return when every job has ended."""
        async with trio.open_nursery() as nursery:
            for order in self._orders:
                nursery.start_soon(partial(self._see_through, order, queue, life=life))

    async def _see_through(self, order: Order, queue: LipsyncQueue, *, life: Life) -> None:
        await trio.sleep_until(order.at)
        if order.number not in self.handed_in:
            await self._hand_in(order, queue, life=life)
        job_id = self.handed_in[order.number]
        if order.cancels_at is not None and order.number not in self.cancelled:
            await trio.sleep_until(order.cancels_at)
            await self._cancel(order, queue)
        job = await queue.wait_ended(job_id)
        if order.retries and not self.retries[order.number] and job.state in _WITHOUT_VIDEO:
            await self._retry(order, queue, job=job)
            await queue.wait_ended(job_id)
        self.content.add(order.number)

    async def _hand_in(self, order: Order, queue: LipsyncQueue, *, life: Life) -> None:
        life.step("accept: a job is handed in")
        since = made_up_wall() - trio.current_time()
        job = await queue.accept(
            order.request,
            owner=order.owner,
            call=order.call,
            priority=order.priority,
            deadline=None if order.deadline is None else since + order.deadline,
        )
        self.handed_in[order.number] = job.id

    async def _cancel(self, order: Order, queue: LipsyncQueue) -> None:
        try:
            await queue.cancel(self.handed_in[order.number])
        except LipsyncJobError:
            self.cancelled[order.number] = False
        else:
            self.cancelled[order.number] = True

    async def _retry(self, order: Order, queue: LipsyncQueue, *, job: Job) -> None:
        self._retrying[order.number] = job.key
        await queue.retry(job.id)
        self._retried(order.number)

    def _retried(self, number: int) -> None:
        self.retries[number] += 1
        del self._retrying[number]

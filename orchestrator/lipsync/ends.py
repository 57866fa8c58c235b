"""Owns who waits for the end of which job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

import trio
from attrs import define, field

from orchestrator.lipsync.job import Job


@define(eq=False)
class _Waiter:
    ended: trio.Event = field(factory=trio.Event)
    job: Job | None = None


class Ends:
    """The ends of jobs. `any` is set when one comes; who waits for the next one puts another event there."""

    def __init__(self) -> None:
        self.any = trio.Event()
        self._waiters: dict[str, list[_Waiter]] = {}

    @property
    def awaited(self) -> Collection[str]:
        """The jobs whose ends somebody waits for."""
        return self._waiters.keys()

    def came(self, job: Job) -> None:
        """A job has ended."""
        self.any.set()
        for waiter in self._waiters.get(job.id, ()):
            waiter.job = job
            waiter.ended.set()

    async def wait(self, job_id: str, find: Callable[[str], Awaitable[Job | None]]) -> Job | None:
        """Return a job when it has ended; None if it is not found."""
        waiter = _Waiter()
        self._waiters.setdefault(job_id, []).append(waiter)
        try:
            job = await find(job_id)
            if job is None or job.state.ended:
                return job
            await waiter.ended.wait()
            return waiter.job
        finally:
            self._waiters[job_id].remove(waiter)
            if not self._waiters[job_id]:
                del self._waiters[job_id]

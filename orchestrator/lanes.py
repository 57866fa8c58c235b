"""Where blocking work runs: a bounded set of worker threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import trio

T = TypeVar("T")


class ThreadLane:
    """At most `size` pieces of blocking work at a time: implements ports.Lane."""

    def __init__(self, size: int) -> None:
        self._limiter = trio.CapacityLimiter(size)

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work(*args)` in a worker thread; abandoned, not stopped, when the caller is cancelled."""
        return await trio.to_thread.run_sync(work, *args, abandon_on_cancel=True, limiter=self._limiter)


class InlineLane:
    """Runs work at once, in the loop: for virtual time, which must not meet a thread."""

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work(*args)` here and now."""
        await trio.lowlevel.checkpoint()
        return work(*args)

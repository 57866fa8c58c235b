"""What a run gives all its parts: a clock, a place for events, a lane for work that blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from orchestrator.events import Event

T = TypeVar("T")


Emit = Callable[[Event], None]
"""Where events go; never raises, never waits."""

Now = Callable[[], float]
"""The run's clock: seconds since the run began, monotonic."""


class Lane(Protocol):
    """Where blocking work runs: a bounded set of threads in the product, inline in the simulation."""

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work(*args)`; abandoned, not stopped, when the caller is cancelled."""

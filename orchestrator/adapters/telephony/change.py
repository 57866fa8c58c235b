"""Tells tasks that something changed; what, they see for themselves."""

from __future__ import annotations

import trio


class Change:
    """Wakes all who wait; the event is made for who does, for most changes have nobody."""

    def __init__(self) -> None:
        self._event: trio.Event | None = None

    async def wait(self) -> None:
        """Wait for the next change."""
        if self._event is None:
            self._event = trio.Event()
        await self._event.wait()

    def tell(self) -> None:
        """Something changed."""
        if self._event is not None:
            self._event.set()
            self._event = None

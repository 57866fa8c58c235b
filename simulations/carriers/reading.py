"""One task that reads for all calls: a wake-up shared by all sockets that have something, not one a call."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio


class SharedReader:
    """Says of sockets, each with a callback, when there is something to read; `run` it in a task of its own.

    The selector's own descriptor is readable when one of its sockets is: Trio waits for that one alone.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    async def run(self) -> None:
        """Call back until cancelled; a callback must not raise."""
        try:
            while True:
                await trio.lowlevel.wait_readable(self._selector.fileno())
                for key, _events in self._selector.select(0):
                    key.data()
        finally:
            self._selector.close()

    @contextmanager
    def reading(self, source: socket.socket, on_readable: Callable[[], None]) -> Iterator[None]:
        """Call `on_readable` whenever there is something, as long as the context lasts."""
        self._selector.register(source, selectors.EVENT_READ, on_readable)
        try:
            yield
        finally:
            if self._selector.get_map() is not None:  # None: it is closed, with all that was registered
                self._selector.unregister(source)

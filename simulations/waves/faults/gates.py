"""What faults shut: the bytes of all connections, the door for new ones, and what is asked before one is let in.

When they shut, and for how long, is the engine's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from simulations.waves.faults.faults import Faults


class Gates:
    """What is shut at one provider, and its open connections. Shutting twice takes opening twice."""

    def __init__(self) -> None:
        self._streams: dict[GatedStream, None] = {}  # in order: which is cut first is part of the story
        self._unread = self._restarting = self._gone = self._locked = 0
        self._stirred = trio.lowlevel.ParkingLot()

    @property
    def shut(self) -> bool:
        """Nothing is read."""
        return bool(self._unread or self._gone)

    @property
    def restarting(self) -> bool:
        """Every new connection is cut."""
        return bool(self._restarting)

    @property
    def gone(self) -> bool:
        """Nothing is read, sent or let in."""
        return bool(self._gone)

    @property
    def locked(self) -> bool:
        """No key is good."""
        return bool(self._locked)

    async def wait_stirred(self) -> None:
        """Wait until something was opened or cut."""
        await self._stirred.park()

    def enter(self, stream: GatedStream) -> None:
        """Count a connection in."""
        self._streams[stream] = None

    def leave(self, stream: GatedStream) -> None:
        """Count a connection out; harmless when that was done."""
        self._streams.pop(stream, None)

    @contextmanager
    def stop_reading(self) -> Iterator[None]:
        """Have nothing read inside."""
        self._unread += 1
        try:
            yield
        finally:
            self._unread -= 1
            self._stirred.unpark_all()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Have no key be good inside."""
        self._locked += 1
        try:
            yield
        finally:
            self._locked -= 1

    @asynccontextmanager
    async def restart(self) -> AsyncIterator[None]:
        """Cut every connection, and every new one inside."""
        self._restarting += 1
        try:
            await self._cut(list(self._streams))
            yield
        finally:
            self._restarting -= 1

    @asynccontextmanager
    async def be_gone(self) -> AsyncIterator[None]:
        """Have nothing read, sent or let in inside, and what was open before cut afterwards."""
        self._gone += 1
        lost = list(self._streams)
        for stream in lost:
            stream.lose()
        try:
            yield
        finally:
            self._gone -= 1
            await self._cut(lost)
            self._stirred.unpark_all()

    async def _cut(self, streams: Sequence[GatedStream]) -> None:
        with trio.CancelScope(shield=True):  # nothing in it waits, and who is cancelled leaves none open
            for stream in streams:
                await stream.cut()
        self._stirred.unpark_all()


class GatedStream(trio.abc.HalfCloseableStream):
    """A peer's stream behind the gates, from its opening until it is closed."""

    def __init__(self, stream: trio.abc.Stream, gates: Gates) -> None:
        self._stream = stream
        self._gates = gates
        self._unread: bytes | None = None
        """Bytes that came when nothing was to be read any more."""
        self._lost = False
        self._is_cut = False
        gates.enter(self)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything, or nothing where it would reach nobody; raises BrokenResourceError once it is cut."""
        if self._is_cut:
            raise trio.BrokenResourceError("the connection was cut")
        if self._lost:
            await trio.lowlevel.checkpoint()
            return
        try:
            await self._stream.send_all(data)
        except trio.ClosedResourceError:
            self._raise_cut()
            raise

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room, as the stream itself tells."""
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """Say that nothing follows, where the stream can and it would be heard."""
        if isinstance(self._stream, trio.abc.HalfCloseableStream) and not (self._lost or self._is_cut):
            await self._stream.send_eof()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Return the next bytes as soon as something may be read; raises BrokenResourceError once it is cut."""
        await self._wait_open()
        data = self._unread
        if data is None:
            try:
                data = bytes(await self._stream.receive_some(max_bytes))
            except trio.ClosedResourceError:
                self._raise_cut()
                raise
        if self._gates.shut:
            self._unread = data  # not to be lost by a cancel
            await self._wait_open()
        size = len(data) if max_bytes is None else max_bytes
        self._unread = data[size:] or None
        return data[:size]

    async def aclose(self) -> None:
        """Close it; of a provider that is gone the peer sees that later."""
        self._gates.leave(self)
        if self._lost and not self._is_cut:
            await trio.lowlevel.checkpoint()
        else:
            await self._stream.aclose()

    def lose(self) -> None:
        """From now on the peer hears nothing."""
        self._lost = True

    async def cut(self) -> None:
        """End it at once, without a good-bye."""
        self._is_cut = True
        self._gates.leave(self)
        await trio.aclose_forcefully(self._stream)

    async def _wait_open(self) -> None:
        while self._gates.shut and not self._is_cut:
            await self._gates.wait_stirred()
        self._raise_cut()

    def _raise_cut(self) -> None:
        if self._is_cut:
            raise trio.BrokenResourceError("the connection was cut") from None


async def admit(faults: Faults, stream: trio.abc.Stream) -> GatedStream | None:
    """Return a new connection's stream as it is to be served; None where it is to be closed at once.

    What comes while the provider is gone waits until it is back, and is then closed, too: nobody had taken it.
    """
    gates = faults.gates
    cut = gates.restarting or gates.gone
    while gates.gone:
        await gates.wait_stirred()
    return None if cut else GatedStream(stream, gates)


async def refusal_at_open(faults: Faults, *, upgrade: bool) -> int | None:
    """Return the HTTP status with which faults refuse a request, or the `upgrade` to a WebSocket; None lets it pass.

    401 where no key is good now (to be counted in the books as such), 500 where that was ordered. An upgrade may take
    its time. Not to be asked for the pages that are open to this machine only.
    """
    if faults.gates.locked:
        return 401
    if faults.strike("error_500") is not None:
        return 500
    slow = faults.strike("slow_handshake") if upgrade else None
    if slow is not None:
        await trio.sleep(slow.seconds)
    return None

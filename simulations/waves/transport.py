"""A pair of memory streams between which bytes are under way for a while: a delay line, not a limit; it knows no
protocol."""

from __future__ import annotations

from collections import deque

import trio
from attrs import Factory, define


def stream_pair(seconds: float) -> tuple[trio.abc.HalfCloseableStream, trio.abc.HalfCloseableStream]:
    """Return two connected streams; what one sends reaches the other `seconds` later, its end too.

    Any amount is taken. Who sends to one that has left notices by the end that comes back. Unlike Trio's own pair,
    which turns the loop twice before each call and once more after it to find misuse, they wait only for bytes.
    """
    there, back = _Way(seconds), _Way(seconds)
    return _End(sends=there, receives=back), _End(sends=back, receives=there)


@define(eq=False)
class _Way:
    """One direction: what was sent and did not arrive or was not read, each with when it arrives; b"" is the end."""

    seconds: float
    parcels: deque[tuple[float, bytes]] = Factory(deque)
    stirred: trio.lowlevel.ParkingLot = Factory(trio.lowlevel.ParkingLot)

    def send(self, data: bytes) -> None:
        self.parcels.append((trio.current_time() + self.seconds, data))
        self.stirred.unpark_all()

    async def wait(self) -> None:
        """Wait until something has arrived, or something else happened."""
        if not self.parcels:  # a scope would cost more than the wait
            await self.stirred.park()
            return
        with trio.move_on_at(self.parcels[0][0]):
            await self.stirred.park()

    def take(self, most: int | None) -> bytes | None:
        """Return what has arrived, b"" at the end, None if nothing has."""
        now, arrived = trio.current_time(), []
        if not self.parcels or self.parcels[0][0] > now:
            return None
        while self.parcels and self.parcels[0][0] <= now and self.parcels[0][1]:
            arrived.append(self.parcels.popleft()[1])
        data = b"".join(arrived)
        if most is not None and len(data) > most:
            self.parcels.appendleft((now, data[most:]))
            data = data[:most]
        return data


class _End(trio.abc.HalfCloseableStream):
    """One of the two streams."""

    def __init__(self, *, sends: _Way, receives: _Way) -> None:
        self._sends = sends
        self._receives = receives
        self._ended = False
        self._closed = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._ended:
            raise trio.ClosedResourceError
        if data:
            self._sends.send(bytes(data))

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def send_eof(self) -> None:
        self._end()
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint_if_cancelled()
        while True:
            if self._closed:
                raise trio.ClosedResourceError
            data = self._receives.take(max_bytes)
            if data is not None:
                return data
            await self._receives.wait()

    async def aclose(self) -> None:
        self._end()
        self._closed = True
        self._receives.stirred.unpark_all()
        await trio.lowlevel.checkpoint()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._sends.send(b"")

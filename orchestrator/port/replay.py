"""The stream behind the port: bytes that were read too far come again, and no send outlasts its time."""

from __future__ import annotations

import trio


class PortStream(trio.abc.HalfCloseableStream):
    """A peer's stream, for the bridge and for whoever takes an upgrade from it.

    `send_within` is in seconds: a peer that takes longer to take what it is sent is gone (BrokenResourceError).
    """

    def __init__(self, stream: trio.abc.Stream, *, send_within: float) -> None:
        self._stream = stream
        self._send_within = send_within
        self._again = b""

    @property
    def beneath(self) -> trio.abc.Stream:
        """The peer's stream itself; what is to be read again is not in it."""
        return self._stream

    def push_back(self, data: bytes) -> None:
        """Give `data` to the next reader before anything new."""
        self._again = data + self._again

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return the next bytes, b"" at the end of the stream."""
        if not self._again:
            return bytes(await self._stream.receive_some(max_bytes))
        await trio.lowlevel.checkpoint()
        cut = len(self._again) if max_bytes is None else max_bytes
        data, self._again = self._again[:cut], self._again[cut:]
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything, or close the stream at once when the time is over: half a message helps nobody."""
        with trio.move_on_after(self._send_within) as scope:
            await self._stream.send_all(data)
        if scope.cancelled_caught:
            await trio.aclose_forcefully(self._stream)
            raise trio.BrokenResourceError(f"the peer took nothing for {self._send_within:g} s")

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room, as the stream itself tells."""
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """Say that nothing follows, where the stream can."""
        if isinstance(self._stream, trio.abc.HalfCloseableStream):
            await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close the peer's stream."""
        await self._stream.aclose()

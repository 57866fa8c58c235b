"""A carrier's connection to the bot: a WebSocket client by wsproto, or bare TCP; messages in, messages out, no waits.

wsproto is what trio-websocket is made of; it is driven directly because trio-websocket's reader task, lock and channel
cost two wake-ups a message, and what every message needs is done by hand (frames.py): one core is to carry 200 calls.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress

import trio
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from simulations.carriers.carrier import Message
from simulations.carriers.frames import MASKED, frame_span, masked_frame
from simulations.carriers.target import Refused, Target, WireClosed, cause_of

_READ = 65_536
_MOST_UNSENT = 1_000_000
"""Bytes that may wait for a bot that does not read; a minute of mu-law in JSON."""
_MOST_MESSAGE = 4_000_000
_WHOLE_TEXT, _WHOLE_BYTES = 0x81, 0x82
"""First bytes of frames that are whole messages."""


def _second_descriptor(stream: trio.abc.Stream) -> socket.socket | None:
    """Return the same socket for writing without waiting: Trio keeps its own to itself."""
    if not isinstance(stream, trio.SocketStream):
        return None
    again = socket.fromfd(stream.socket.fileno(), stream.socket.family, stream.socket.type)
    again.setblocking(False)
    return again


class Wire:
    """A byte stream: `send` never waits, `receive` returns what one read brought.

    What the socket does not take at once is left to the task of `write_on`: no send is ever cancelled half way while
    the call goes on.
    """

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self.early: list[Message] = []
        """What came together with the answer to the upgrade, before anything was read."""
        self.direct = _second_descriptor(stream)
        self._unsent = bytearray()
        self._writing = False
        self._wanted, self._empty = trio.Event(), trio.Event()
        self._empty.set()

    def send(self, messages: Sequence[Message]) -> None:
        """Send messages in order. Raises WireClosed where the connection is gone or its reader is far behind."""
        if messages:
            self._write(b"".join(self.framed(message) for message in messages))

    async def receive(self) -> list[Message]:
        """Wait for one read; return the messages that it completed, possibly none. Raises WireClosed."""
        try:
            data = await self.stream.receive_some(_READ)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise WireClosed(1006, "the connection broke") from None
        return self.completed(bytes(data))

    def receive_nowait(self) -> list[Message]:
        """Read what is there, of a wire with a `direct` socket; as `receive`."""
        assert self.direct is not None
        try:
            data = self.direct.recv(_READ)
        except BlockingIOError:
            return []
        except OSError as error:
            raise WireClosed(1006, cause_of(error)) from None
        return self.completed(data)

    def completed(self, data: bytes) -> list[Message]:
        """Return the messages that these bytes complete; none are the end of the stream. Raises WireClosed."""
        if not data:
            raise WireClosed(1000)
        return [data]

    def framed(self, message: Message) -> bytes:
        """Return a message as bytes of the wire."""
        return message.encode() if isinstance(message, str) else message

    async def say_goodbye(self) -> None:
        """End the connection in the wire's own way; bounded by the caller."""
        await self._drained()

    async def write_on(self) -> None:
        """Write what `send` could not, until the stream ends."""
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while True:
                await self._wanted.wait()
                while self._unsent:
                    data, self._unsent = self._unsent, bytearray()
                    self._writing = True
                    await self.stream.send_all(data)
                    self._writing = False
                self._wanted = trio.Event()
                self._empty.set()

    async def aclose(self) -> None:
        """Close the stream at once."""
        if self.direct is not None:
            self.direct.close()
        await trio.aclose_forcefully(self.stream)

    async def _drained(self) -> None:
        await self._empty.wait()

    def _write(self, data: bytes) -> None:
        if self.direct is not None and not self._unsent and not self._writing:
            try:
                data = data[self.direct.send(data) :]
            except BlockingIOError:
                pass
            except OSError as error:
                raise WireClosed(1006, cause_of(error)) from None
        if data:
            if self._empty.is_set():
                self._empty = trio.Event()
            self._unsent += data
            self._wanted.set()
            if len(self._unsent) > _MOST_UNSENT:
                raise WireClosed(1006, "the other side does not read")


class WebSocketWire(Wire):
    """A WebSocket client; pings are answered, compression is not offered.

    Whole messages in one frame, nearly all there are, are read and written here; wsproto gets the others.
    """

    def __init__(self, stream: trio.abc.Stream) -> None:
        super().__init__(stream)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._unread = b""
        self._parts: list[Message] = []
        self._size = 0

    async def shake_hands(self, target: Target) -> None:
        """Ask for the upgrade; return when it is granted. Raises Refused."""
        path = (target.url.path or "/") + (f"?{target.url.query}" if target.url.query else "")
        request = Request(
            host=target.url.netloc.rpartition("@")[2],
            target=path,
            subprotocols=list(target.subprotocols),
            extra_headers=[(name.encode(), value.encode()) for name, value in target.headers],
        )
        await self.stream.send_all(self._protocol.send(request))
        head, end = b"", b""
        while not end:
            data = bytes(await self.stream.receive_some(_READ))
            if not data:
                raise Refused(0, "closed before the upgrade was answered")
            head, end, self._unread = (head + data).partition(b"\r\n\r\n")
            if len(head) > _READ:
                raise Refused(0, "no WebSocket: its answer never ends")
        try:
            self._protocol.receive_data(head + end)
            event = next(self._protocol.events(), None)
        except ProtocolError as error:
            raise Refused(0, f"no WebSocket: {error}") from None
        if not isinstance(event, AcceptConnection):
            status = getattr(event, "status_code", 0)
            raise Refused(status, f"HTTP {status}")
        self.early = self._messages(b"")

    def framed(self, message: Message) -> bytes:
        """Return a message as one masked frame."""
        if self._protocol.state is not ConnectionState.OPEN:
            raise WireClosed(1006, "closed already")
        data = message.encode() if isinstance(message, str) else message
        return masked_frame(data, text=isinstance(message, str))

    def completed(self, data: bytes) -> list[Message]:
        """Return the messages that these bytes complete; none are the end of the stream. Raises WireClosed."""
        if data:
            return self._messages(data)
        try:
            self._protocol.receive_data(None)
            return self._events()
        except ProtocolError as error:
            raise WireClosed(1002, str(error)) from None

    def _messages(self, data: bytes) -> list[Message]:
        """Return the messages that are complete with `data`."""
        data = self._unread + data if self._unread else data
        found: list[Message] = []
        at = 0
        try:
            while (span := frame_span(data, at)) is not None:
                start, end = span
                if end - start > _MOST_MESSAGE:
                    raise WireClosed(1009, "a message longer than any carrier reads")
                if end > len(data):
                    break
                plain = not (self._parts or data[at + 1] & MASKED)  # the protocol knows what else there may be
                if plain and data[at] == _WHOLE_TEXT:
                    found.append(data[start:end].decode())
                elif plain and data[at] == _WHOLE_BYTES:
                    found.append(data[start:end])
                else:
                    self._protocol.receive_data(data[at:end])
                    found += self._events()
                at = end
        except ProtocolError as error:
            raise WireClosed(1002, str(error)) from None
        except UnicodeDecodeError:
            raise WireClosed(1007, "text that is no UTF-8") from None
        self._unread = data[at:]
        return found

    def _events(self) -> list[Message]:
        found: list[Message] = []
        for event in self._protocol.events():
            match event:
                case TextMessage() | BytesMessage():
                    self._parts.append(event.data if isinstance(event.data, str) else bytes(event.data))
                    self._size += len(event.data)
                    if self._size > _MOST_MESSAGE:
                        raise WireClosed(1009, "a message longer than any carrier reads")
                    if event.message_finished:
                        found.append(self._whole())
                case Ping():
                    self._write(self._protocol.send(event.response()))
                case CloseConnection(code=code, reason=reason):
                    if self._protocol.state is ConnectionState.REMOTE_CLOSING:
                        self._write(self._protocol.send(event.response()))
                    raise WireClosed(code, reason or "")
        return found

    def _whole(self) -> Message:
        parts, self._parts, self._size = self._parts, [], 0
        if len(parts) == 1:
            return parts[0]
        if isinstance(parts[0], str):
            return "".join(str(part) for part in parts)
        return b"".join(part for part in parts if not isinstance(part, str))

    async def say_goodbye(self) -> None:
        """Close the WebSocket with 1000 and wait for the other side's close."""
        if self._protocol.state is ConnectionState.OPEN:
            with suppress(WireClosed):
                self._write(self._protocol.send(CloseConnection(code=1000)))
                while True:
                    await self.receive()
        await self._drained()

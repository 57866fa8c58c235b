"""The connection to a carrier under a leg: one task reads, whoever has something to say queues it, and one send at a
time takes all that is queued; what the bytes mean belongs to those who derive from it, and what is said to the legs.

No cancel ever reaches a send, for half a message would spoil all that follows. A peer that does not take a send within
its time is dropped, and a connection whose owner is being cancelled gives a send that is under way one last second.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from math import inf

import trio
from attrs import frozen

from orchestrator.adapters.telephony.at_once import arrived, plain_socket, taken_at_once, watch_peer
from orchestrator.adapters.telephony.change import Change
from orchestrator.ports import WireMessage

_READ = 4096
"""Bytes of one read: a dozen messages as carriers send them; a buffer of this size is allotted for each."""


@frozen(kw_only=True)
class WireLimits:
    """What one carrier's connection may take, in seconds, and bytes for a message."""

    message_bytes: int = 262_144
    handshake_within: float = 5.0
    ping_every: float = 5.0
    pong_within: float = 5.0
    send_within: float = 5.0
    """For one send to be taken: the peer's and our machine's buffers are full by then."""
    close_within: float = 1.0


class WireProtocol:
    """What goes over a connection, told apart from how: those who derive from CarrierWire say it."""

    def decode(self, data: bytes) -> list[WireMessage]:
        """Return the messages that end with `data` (b"": the end of the stream); `finished` may become true."""
        raise NotImplementedError

    def encode(self, messages: Sequence[WireMessage]) -> bytes:
        """Return what goes on the wire for them, with whatever the protocol itself has to say before or after."""
        raise NotImplementedError

    def say_goodbye(self) -> None:
        """Have the next `encode` say that we leave, where the protocol can."""

    @property
    def finished(self) -> bool:
        """Whether the protocol knows that nothing more will come."""
        return False

    @property
    def has_answer(self) -> bool:
        """Whether the protocol itself has something to say."""
        return False

    async def keep_alive(self) -> None:
        """See to it that a peer that is gone is noticed; returns when it is."""
        await trio.sleep_forever()


class CarrierWire(WireProtocol):
    """A connection over any stream. `over` is set once nothing more will come or go; `reads` counts what was read."""

    def __init__(self, stream: trio.abc.Stream, *, limits: WireLimits) -> None:
        self.over = trio.Event()
        self.limits = limits
        self._stream = stream
        self._socket = plain_socket(stream)
        self._nursery: trio.Nursery | None = None
        self._early: list[WireMessage] = []
        """What came while the connection was opened."""
        self._unsent: list[WireMessage] = []
        self._sending: trio.CancelScope | None = None
        self._changed = Change()
        self._give_up_at = inf
        self._flusher = self._reading = False
        self._all_read = False  # nothing waits, neither here nor at what is between us and the socket
        self.reads = 0

    # --- for whoever uses the connection ---

    async def receive(self) -> list[WireMessage]:
        """Return all messages that one read completed; nothing once the connection is over. For one task at a time."""
        if self._early:
            await trio.lowlevel.checkpoint()
            messages, self._early = self._early, []
            return messages
        if self._reading:  # one who closes the connection has taken over
            await self.over.wait()
        while not self.over.is_set():
            while self.has_answer and self.sending:  # who does not take our answers gets no more of them
                await self._changed.wait()
            messages = self.decode(await self._read())
            if self.finished:
                await self.flush()
                self._end()
            elif self.has_answer:
                self.flush_soon()
            if messages:
                return messages
        return []

    def send(self, messages: Sequence[WireMessage]) -> None:
        """Queue messages for the next flush; nothing once the connection is over."""
        if not self.over.is_set():
            self._unsent += messages

    @property
    def sending(self) -> bool:
        """Whether a send is under way: the machine did not take all of it at once."""
        return self._sending is not None

    def drop_unsent(self) -> None:
        """Forget what is queued and not yet being sent."""
        self._unsent.clear()
        self._changed.tell()

    async def flush(self) -> None:
        """Send all that is queued in one go, behind a send that is under way, if any. Raises nothing: see `over`."""
        while self.sending:
            await self._changed.wait()
        messages, self._unsent = self._unsent, []
        data = self.encode(messages)
        if data and not self.over.is_set() and (rest := taken_at_once(data, self._socket)):
            await self._send(rest)
        self._changed.tell()

    def flush_soon(self) -> None:
        """Flush from a task of the connection's own: the caller need not wait, and its cancel changes nothing."""
        if not self._flusher and self._nursery is not None and not self.over.is_set():
            self._flusher = True
            self._nursery.start_soon(self._flush_all)

    async def wait_sent(self) -> None:
        """Wait until nothing is queued or the connection is over."""
        while (self._unsent or self.sending) and not self.over.is_set():
            await self._changed.wait()

    async def close(self) -> None:
        """Send what is queued, say goodbye, give the peer a second to do the same, and close; harmless when closed."""
        try:
            with trio.move_on_after(self.limits.close_within):
                self._hurry()
                self.say_goodbye()
                await self.flush()
                while await self.receive():
                    pass
        finally:
            await self.drop()

    async def drop(self) -> None:
        """Close at once, without a word."""
        self._end()
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(self._stream)

    def _end(self) -> None:
        self.over.set()
        self._unsent.clear()
        self._changed.tell()

    def begin(self, nursery: trio.Nursery) -> None:
        """Do in `nursery` what a connection needs beside its reader."""
        self._nursery = nursery
        nursery.start_soon(self._guard)

    async def _send(self, data: bytes) -> None:
        sent = False
        deadline = min(trio.current_time() + self.limits.send_within, self._give_up_at)
        gone = suppress(trio.BrokenResourceError, trio.ClosedResourceError)
        try:
            with gone, trio.CancelScope(shield=True, deadline=deadline) as self._sending:
                await self._stream.send_all(data)
                sent = True
        finally:
            self._sending = None
        if not sent:
            await self.drop()

    async def _read(self) -> bytes:
        self._reading = True
        try:
            data = await arrived(self._socket, _READ) if self._socket is not None and self._all_read else None
            if data is None:
                data = bytes(await self._stream.receive_some(_READ))
            self._all_read = self._socket is not None and len(data) < _READ  # a TLS record is no sign
            self.reads += 1
            return data
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""
        finally:
            self._reading = False

    async def _flush_all(self) -> None:
        while (self._unsent or self.has_answer) and not self.over.is_set():
            await self.flush()
        self._flusher = False

    async def _guard(self) -> None:
        try:
            await self.keep_alive()
        finally:
            self._hurry()
        await self.drop()

    def _hurry(self) -> None:
        """Give whatever is sent from now on one second in all."""
        self._give_up_at = min(self._give_up_at, trio.current_time() + self.limits.close_within)
        if self._sending is not None:
            self._sending.deadline = min(self._sending.deadline, self._give_up_at)


class CarrierBytes(CarrierWire):
    """A connection without messages of its own: what one read gave is one message, and each message goes out whole.

    It has no pings: that a peer is gone is for the machine to notice, where the stream is a plain socket. One that says
    nothing need not be gone.
    """

    def __init__(self, stream: trio.abc.Stream, *, limits: WireLimits) -> None:
        super().__init__(stream, limits=limits)
        self._ended = False

    def decode(self, data: bytes) -> list[WireMessage]:
        """Return what was read."""
        self._ended = not data
        return [data] if data else []

    def encode(self, messages: Sequence[WireMessage]) -> bytes:
        """Return the messages one behind the other."""
        return b"".join(message if isinstance(message, bytes) else message.encode() for message in messages)

    @property
    def finished(self) -> bool:
        """Whether the peer closed its end."""
        return self._ended

    async def keep_alive(self) -> None:
        """Have the machine end a connection whose peer acknowledges nothing."""
        if self._socket is not None:
            watch_peer(self._socket, within=self.limits.ping_every + self.limits.pong_within)
        await trio.sleep_forever()


@asynccontextmanager
async def plain_nursery() -> AsyncIterator[trio.Nursery]:
    """Open a nursery for tasks that raise nothing: leaving cancels them, what the body raises comes out as it is."""
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        try:
            yield nursery
        except Exception as error:
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure


@asynccontextmanager
async def kept_open(wire: CarrierWire) -> AsyncIterator[None]:
    """Keep a connection for what is inside, then close it. What is raised inside comes out as it is."""
    async with plain_nursery() as nursery:
        wire.begin(nursery)
        try:
            yield
        finally:
            with trio.CancelScope(shield=True):
                await wire.close()


@asynccontextmanager
async def open_carrier_bytes(
    stream: trio.abc.Stream,
    *,
    limits: WireLimits = WireLimits(),
) -> AsyncIterator[CarrierBytes]:
    """Use a byte stream as a carrier's connection; leaving closes it. A TCP stream of Trio's is TCP_NODELAY already."""
    wire = CarrierBytes(stream, limits=limits)
    async with kept_open(wire):
        yield wire

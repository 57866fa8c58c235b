"""A carrier's WebSocket over any stream, server side (dialled.py: client side): the protocol is `websockets`' sans-I/O
one, driven by the task of the leg that reads; the single writer and the closing are wire.py's, and what the messages
mean is the codecs'.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio
from websockets.client import ClientProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from orchestrator.adapters.telephony.wire import CarrierWire, WireLimits, kept_open
from orchestrator.errors import CarrierFault
from orchestrator.ports import WireMessage

_MOMENT = 0.05
"""Seconds between two looks at whether all that came has been read."""
_QUIET_MOMENTS = 2
"""Moments without a read after which nothing waits: what was read last may take its time for longer than one."""


class CarrierSocket(CarrierWire):
    """One carrier's WebSocket. Made by `open_carrier_socket`; `subprotocol` is what was agreed on, "" if none was."""

    def __init__(self, stream: trio.abc.Stream, *, subprotocols: Sequence[str], limits: WireLimits) -> None:
        super().__init__(stream, limits=limits)
        self._protocol = self._speak([Subprotocol(name) for name in subprotocols])
        self._parts = bytearray()
        self._text = False
        self._before = b""
        self._pongs = 0

    @property
    def subprotocol(self) -> str:
        """The subprotocol of this connection."""
        return self._protocol.subprotocol or ""

    async def accept(self) -> None:
        """Do the opening handshake. Raises CarrierFault where the peer's is none or comes too late."""
        with trio.move_on_after(self.limits.handshake_within):
            while self._protocol.state is State.CONNECTING and not self.finished:
                self._early += self.decode(await self._read())
        await self.flush()
        if self._protocol.handshake_exc is not None or self._protocol.state is State.CONNECTING or self.over.is_set():
            await self.drop()
            raise CarrierFault(f"no WebSocket handshake: {self._protocol.handshake_exc or 'it did not come'}")

    def decode(self, data: bytes) -> list[WireMessage]:
        """Return the messages that end with `data`."""
        protocol = self._protocol
        if data:
            protocol.receive_data(data)
        else:
            protocol.receive_eof()
        messages: list[WireMessage] = []
        for event in protocol.events_received():
            if isinstance(event, Request):
                self._answer(event)
            elif isinstance(event, Frame):
                self._take(event, messages)
        return messages

    def encode(self, messages: Sequence[WireMessage]) -> bytes:
        """Return the frames of `messages`, behind whatever the protocol has to say; none after the goodbye."""
        protocol = self._protocol
        for message in messages if protocol.state is State.OPEN else ():
            if isinstance(message, str):
                protocol.send_text(message.encode())
            else:
                protocol.send_binary(message)
        before, self._before = self._before, b""
        return before + b"".join(protocol.data_to_send())

    def say_goodbye(self) -> None:
        """Begin the closing handshake, behind what is queued."""
        queued, self._unsent = self._unsent, []
        self._before = self.encode(queued)
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)

    @property
    def finished(self) -> bool:
        """Whether the closing handshake is through, or one side broke the protocol."""
        return self._protocol.eof_sent or self._protocol.state is State.CLOSED

    @property
    def has_answer(self) -> bool:
        """Whether a pong or a close waits to be sent."""
        return bool(self._protocol.writes)

    async def keep_alive(self) -> None:
        """Ping the peer until it does not answer in time."""
        await trio.sleep(self.limits.ping_every)
        while self._protocol.state is State.OPEN:
            before = self._pongs
            self._protocol.send_ping(b"")
            self.flush_soon()
            await trio.sleep(self.limits.pong_within)
            if self._pongs == before and not await self._late_pong(before):
                return
            await trio.sleep(max(0.0, self.limits.ping_every - self.limits.pong_within))
        await trio.sleep_forever()  # it is being closed: whoever does it sees to its end

    async def _late_pong(self, before: int) -> bool:
        """Whether the pong is in what has come and is not read yet: after we were held up, that may be much."""
        quiet = 0
        for _ in range(round(self.limits.pong_within / _MOMENT)):
            reads = self.reads
            await trio.sleep(_MOMENT)  # the reader reads meanwhile
            quiet = quiet + 1 if self.reads == reads else 0
            if self._pongs != before or self._all_read or quiet == _QUIET_MOMENTS:
                break
        return self._pongs != before

    def _speak(self, subprotocols: Sequence[Subprotocol]) -> ServerProtocol | ClientProtocol:
        """Return the protocol of our side."""
        most = self.limits.message_bytes
        return ServerProtocol(subprotocols=subprotocols, select_subprotocol=_select, max_size=most)

    def _answer(self, request: Request) -> None:
        if isinstance(self._protocol, ServerProtocol):
            self._protocol.send_response(self._protocol.accept(request))

    def _take(self, frame: Frame, messages: list[WireMessage]) -> None:
        if frame.opcode is Opcode.PONG:
            self._pongs += 1
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        if frame.opcode is not Opcode.CONT:
            self._text = frame.opcode is Opcode.TEXT
            if frame.fin:
                self._complete(frame.data, messages)
                return
        self._parts += frame.data
        if frame.fin:
            whole, self._parts = self._parts, bytearray()
            self._complete(whole, messages)

    def _complete(self, data: bytes | bytearray | memoryview, messages: list[WireMessage]) -> None:
        if not self._text:
            messages.append(bytes(data))
            return
        try:
            messages.append(str(data, "utf-8"))
        except UnicodeDecodeError:
            if not self.finished:
                self._protocol.fail(CloseCode.INVALID_DATA, "this is no UTF-8")


def _select(protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Return the first of ours that the peer offers; one that offers none of them is taken without."""
    return next((name for name in protocol.available_subprotocols or () if name in offered), None)


@asynccontextmanager
async def open_carrier_socket(
    stream: trio.abc.Stream,
    *,
    subprotocols: Sequence[str] = (),
    limits: WireLimits = WireLimits(),  # noqa: B008 (frozen)
) -> AsyncIterator[CarrierSocket]:
    """Take a WebSocket whose request is the first that `stream` gives; leaving closes it, within a second.

    A peer that answers no ping or takes no send in time is dropped. Raises CarrierFault where there is no handshake.
    """
    socket = CarrierSocket(stream, subprotocols=subprotocols, limits=limits)
    await socket.accept()
    async with kept_open(socket):
        yield socket

"""A carrier at the other end of a memory stream, for tests of sockets and legs: trio-websocket, and a codec so small
that its wire can be read in a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import trio
from trio.testing import MemoryReceiveStream, MemorySendStream, memory_stream_pair
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream

from orchestrator.adapters.telephony.options import LegOptions
from orchestrator.adapters.telephony.socket import CarrierSocket, open_carrier_socket
from orchestrator.adapters.telephony.wire import WireLimits
from orchestrator.errors import CarrierFault
from orchestrator.ports import (
    Answered,
    CallFacts,
    CarrierEvent,
    Complaint,
    Congested,
    Emptied,
    Ended,
    Key,
    MarkBack,
    MarksAfterClear,
    Media,
    WireMessage,
)
from orchestrator.settings.serve import HearingSettings

Peer = trio.StapledStream[MemorySendStream, MemoryReceiveStream]
RATE = 8000
OPTIONS = LegOptions(hearing=HearingSettings(lines=("yes", "no")))
LIMITS = WireLimits()
LOUD = b"\x00\x20\x00\xe0" * 80
"""20 ms far above the level."""
QUIET = bytes(320)
REQUEST = (
    b"GET /toy HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n"
)
_NO_STORY = 2 * 3600
"""Seconds that no test's story takes: pings go on for ever in virtual time."""


def pcm(seconds: float, value: int = 1) -> bytes:
    """Sound of that length whose bytes are all alike."""
    return bytes([value]) * (2 * round(seconds * RATE))


class ToyCodec:
    """Sound is binary, everything else a word: implements ports.CarrierCodec. Only whole frames of 20 ms are sent."""

    name = "toy"
    rate = RATE
    subprotocols: Sequence[str] = ("toy",)
    marks_after_clear = MarksAfterClear.RETURNED
    keeps = 0.02

    def __init__(self, *, most_marks: int = 20, hangs_up: bool = False, transfers: bool = False) -> None:
        self.most_marks = most_marks
        self._hangs_up = hangs_up
        self._transfers = transfers
        self._rest = b""

    def receive(self, message: WireMessage) -> Sequence[CarrierEvent]:
        if isinstance(message, bytes):
            return (Media(message),)
        word, _, rest = message.partition(" ")
        match word:
            case "call":
                return (Answered(CallFacts(rest)),)
            case "key":
                return [Key(key) for key in rest]
            case "mark" | "cleared":
                return (MarkBack(rest, cleared=word == "cleared"),)
            case "full" | "free":
                return (Congested(word == "full"),)
            case "empty":
                return (Emptied(),)
            case "oh":
                return (Complaint(rest),)
            case "bye":
                return (Ended(rest),)
        raise CarrierFault(f"no such word: {word}")

    def media(self, pcm: bytes) -> Sequence[WireMessage]:
        data = self._rest + pcm
        whole = len(data) - len(data) % 320
        self._rest = data[whole:]
        return [data[:whole]] if whole else []

    def fill(self) -> Sequence[WireMessage]:
        rest, self._rest = self._rest, b""
        return [rest.ljust(320, b"\0")] if rest else []

    def mark(self, name: str) -> Sequence[WireMessage]:
        return [f"mark {name}"]

    def clear(self) -> Sequence[WireMessage]:
        self._rest = b""
        return ["clear"]

    def hang_up(self) -> Sequence[WireMessage]:
        return ["hangup"] if self._hangs_up else []

    def transfer(self, to: str) -> Sequence[WireMessage] | None:
        return [f"to {to}"] if self._transfers else None


@asynccontextmanager
async def carrier(
    *, limits: WireLimits = LIMITS, subprotocols: Sequence[str] = (), offers: Sequence[str] | None = None
) -> AsyncIterator[tuple[CarrierSocket, WebSocketConnection, Peer]]:
    """Yield our socket, the carrier's end of it, and the stream under that."""
    ours, theirs = memory_stream_pair()
    with trio.fail_after(_NO_STORY):
        async with _carrier(ours, theirs, subprotocols=subprotocols, limits=limits, offers=offers) as (socket, peer):
            yield socket, peer, theirs


@asynccontextmanager
async def _carrier(
    ours: Peer, theirs: Peer, *, limits: WireLimits, subprotocols: Sequence[str], offers: Sequence[str] | None
) -> AsyncIterator[tuple[CarrierSocket, WebSocketConnection]]:
    async with trio.open_nursery() as nursery:
        peers: list[WebSocketConnection] = []

        async def connect() -> None:
            stream: Any = theirs  # any stream will do, whatever the annotation says
            peers.append(await wrap_client_stream(nursery, stream, "bots", "/toy", subprotocols=offers))

        nursery.start_soon(connect)
        async with open_carrier_socket(ours, subprotocols=subprotocols, limits=limits) as socket:
            await trio.testing.wait_all_tasks_blocked()
            yield socket, peers[0]
        nursery.cancel_scope.cancel()


class Tape:
    """A ports.Tap that keeps what it is told: when each sound began, and how long it was."""

    def __init__(self) -> None:
        self.caller: list[tuple[float, int]] = []
        self.bot: list[tuple[float, int]] = []

    def from_caller(self, at: float, pcm: bytes) -> None:
        self.caller.append((round(at, 6), len(pcm)))

    def to_caller(self, at: float, pcm: bytes) -> None:
        self.bot.append((round(at, 6), len(pcm)))


class FarEnd:
    """The toy carrier's buffer: plays what comes in order, returns marks when they are reached, clears at once.

    `returns` says whether it returns the marks that a clear throws away; `lag` is how long its messages are under way.
    """

    def __init__(self, peer: WebSocketConnection, *, returns: bool = True, lag: float = 0.0) -> None:
        self.got: list[tuple[float, str | bytes]] = []
        self.cleared = 0
        """Bytes that were thrown away."""
        self._peer = peer
        self._returns = returns
        self._lag = lag
        self._queue: list[str | int] = []
        self._changed = trio.Event()

    @property
    def ahead(self) -> float:
        """Seconds of sound that wait."""
        return sum(item for item in self._queue if isinstance(item, int)) / 2 / RATE

    async def listen(self) -> None:
        """Take messages until the connection is over."""
        with suppress(ConnectionClosed):
            while True:
                message = await self._peer.get_message()
                self.got.append((round(trio.current_time(), 6), message))
                if isinstance(message, bytes):
                    self._queue.append(len(message))
                elif message.startswith("mark "):
                    self._queue.append(message)
                elif message == "clear":
                    waiting, self._queue = self._queue, []
                    self.cleared += sum(item for item in waiting if isinstance(item, int))
                    for item in waiting:
                        if isinstance(item, str) and self._returns:
                            await self._peer.send_message(item)
                self._changed.set()
                self._changed = trio.Event()

    async def play(self) -> None:
        """Play what waits, 20 ms at a time."""
        with suppress(ConnectionClosed):
            while True:
                while not self._queue:
                    await self._changed.wait()
                item = self._queue[0]
                if isinstance(item, str):
                    self._queue.pop(0)
                    await trio.sleep(self._lag)
                    await self._peer.send_message(item)
                else:
                    await trio.sleep(0.02)
                    if self._queue and isinstance(self._queue[0], int):  # else it was cleared meanwhile
                        self._queue[0] -= 320
                        if self._queue[0] <= 0:
                            self._queue.pop(0)

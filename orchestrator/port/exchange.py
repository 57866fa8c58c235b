"""One exchange as an ASGI app sees it: what its `receive` gives and what its `send` takes, in the order ASGI demands.

Bytes are wire.py's; which app is asked and what becomes of the connection afterwards is bridge.py's.
"""

from __future__ import annotations

from contextlib import suppress

import attrs
import h11
import trio

from orchestrator.port.heads import Refused
from orchestrator.port.messages import Message
from orchestrator.port.wire import PeerLeft, Wire, head_of, send_whole

_BODYLESS = {204, 304}
_OURS = {b"connection", b"transfer-encoding"}
"""Headers that say how this connection goes on: an app's own are dropped, but for `connection: close`."""


@attrs.define(kw_only=True, eq=False)
class Exchange:
    """The two channels of one `http` scope.

    The head of an answer goes out with the first `http.response.body`, as ASGI has it; an empty one sends it alone.
    """

    _wire: Wire
    _draining: trio.Event
    told: bool = attrs.field(default=False, init=False)
    """The app knows that its peer left: to end without an answer is then no failure."""
    complete: bool = attrs.field(default=False, init=False)
    """The whole answer was sent."""
    _head: h11.Response | None = attrs.field(default=None, init=False)
    """What the app began its answer with, until it is sent."""
    _bodyless: bool = attrs.field(default=False, init=False)
    _body_read: trio.Event = attrs.field(factory=trio.Event, init=False)
    _over: trio.Event = attrs.field(factory=trio.Event, init=False)
    """The peer left or the answer is complete."""

    async def receive(self) -> Message:
        """Return the body's next piece; behind the body wait for the peer's end or the answer's."""
        if not self._over.is_set() and not self._body_read.is_set():
            with suppress(PeerLeft, trio.BrokenResourceError, trio.ClosedResourceError):
                return await self._receive_piece()
            self._over.set()
        if not self._over.is_set():  # a set event's wait is a checkpoint: Starlette looks in from a cancelled scope
            await self._over.wait()
        self.told = not self.complete
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Send the app's next message.

        Raises OSError once the peer left, RuntimeError where the message is out of order or can't be sent.
        """
        kind = message["type"]
        if kind == "http.response.start" and not self._started:
            headers = [(name.lower(), value) for name, value in message.get("headers", ())]
            self._head = self._head_of(message["status"], headers)
        elif kind == "http.response.body" and self._started and not self.complete:
            try:
                await self._send_body(bytes(message.get("body", b"")), more=message.get("more_body", False))
            except PeerLeft:
                self.told = True
                self._over.set()
                raise
        else:
            raise RuntimeError(f"{kind} is out of order")

    async def watch(self) -> None:
        """Notice the peer's end once its request was read, and keep what it sends ahead."""
        await self._body_read.wait()
        left = True
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            left = await self._wire.read_ahead()
        if left:
            self._over.set()

    @property
    def _started(self) -> bool:
        return self._head is not None or self._wire.started

    async def _receive_piece(self) -> Message:
        """Return the body's next piece. A peer that is refused for it has left as far as the app is concerned."""
        try:
            piece, more = await self._wire.read_body()
        except Refused as refused:
            if self._wire.answerable:
                await send_whole(self._wire, refused.response, last=True)
            self._wire.gone = True
            raise PeerLeft("the peer was refused") from refused
        if not more:
            self._body_read.set()
        return {"type": "http.request", "body": piece, "more_body": more}

    def _head_of(self, status: int, headers: list[tuple[bytes, bytes]]) -> h11.Response:
        """Return the head of the app's answer, with the connection's end where this is its last exchange."""
        last = self._draining.is_set() or self._wire.unasked
        last = last or any(name == b"connection" and b"close" in value.lower() for name, value in headers)
        kept = [(name, value) for name, value in headers if name not in _OURS]
        return head_of(status, [*kept, (b"connection", b"close")] if last else kept)

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        events: list[h11.Event] = [] if self._head is None else [self._head]
        if self._head is not None:
            self._bodyless = self._wire.method == b"HEAD" or self._head.status_code in _BODYLESS
        if body and not self._bodyless:
            events.append(h11.Data(data=body))
        if not more:
            events.append(h11.EndOfMessage())
        await self._wire.send(*events)
        self._head = None
        if not more:
            self.complete = True
            self._over.set()

"""An Asterisk whose channels wait for the bot to connect (`WebSocket/INCOMING`): its HTTP server, by trio-websocket.

From chan_websocket.c, res_http_websocket.c, autoservice.c and channel.c: a wrong id is 404, a second connection 409, no
subprotocol 400. Until Dial() has called the channel, Asterisk throws away the sound and the answers that it reads.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio
from attrs import define, field
from trio.testing import memory_stream_pair
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest, wrap_server_stream

from simulations.carriers.asterisk import FakeAsterisk
from simulations.carriers.carrier import FRAME_SECONDS
from simulations.carriers.line import Line

_MEDIA = "/media/"
_PROTOCOL = "media"


@define(eq=False)
class WaitingChannel:
    """One channel: `dialled` is set when Dial() called it, `up` when it was answered after that, `over` at its end.

    `lost` counts bytes of sound that came before.
    """

    line: Line
    auto_answer: bool = True
    taken: bool = field(default=False, init=False)
    lost: int = field(default=0, init=False)
    dialled: trio.Event = field(factory=trio.Event, init=False)
    up: trio.Event = field(factory=trio.Event, init=False)
    over: trio.Event = field(factory=trio.Event, init=False)
    _left: trio.Event = field(factory=trio.Event, init=False)
    _socket: WebSocketConnection | None = field(default=None, init=False)

    async def run(self, socket: WebSocketConnection) -> None:
        """Talk to a bot that has connected until either side ends it."""
        self._socket = socket
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._speak)
                nursery.start_soon(self._leave, socket)
                with suppress(ConnectionClosed):
                    await self._send(self.carrier.opening())
                    if self.auto_answer:
                        self._answer()
                    await self._listen(socket)
                nursery.cancel_scope.cancel()
        finally:
            self.over.set()

    @property
    def carrier(self) -> FakeAsterisk:
        """What is known of the call."""
        carrier = self.line.carrier
        assert isinstance(carrier, FakeAsterisk)
        return carrier

    def hang_up(self) -> None:
        """The caller hangs up."""
        self._left.set()

    async def _listen(self, socket: WebSocketConnection) -> None:
        while not self.carrier.hung_up and not self.carrier.dropped:
            message = await socket.get_message()
            if isinstance(message, bytes) and not self.dialled.is_set():
                self.lost += len(message)
                continue
            answers = self.carrier.answers
            await self._send(self.carrier.receive(message, trio.current_time()))
            if self.carrier.answers > answers:
                self._answer()
        await socket.aclose(1000)

    def _answer(self) -> None:
        if self.dialled.is_set():
            self.up.set()

    async def _speak(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                await trio.sleep(FRAME_SECONDS)
                if self.dialled.is_set():
                    await self._send(self.line.tick(trio.current_time()))

    async def _leave(self, socket: WebSocketConnection) -> None:
        await self._left.wait()
        await socket.aclose(1000)

    async def _send(self, messages: list[str | bytes]) -> None:
        assert self._socket is not None
        for message in messages:
            await self._socket.send_message(message)


@define(eq=False)
class WaitingAsterisk:
    """The server, and the channels that wait, by their connection id. `paths` are the requests that came."""

    channels: dict[str, WaitingChannel] = field(factory=dict, init=False)
    paths: list[str] = field(factory=list, init=False)

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection to its end."""
        async with trio.open_nursery() as nursery:
            request = await wrap_server_stream(nursery, stream)
            self.paths.append(request.path)
            status = self._status(request)
            if status != 101:
                await request.reject(status, body=b"no")
            else:
                channel = self.channels[request.path.removeprefix(_MEDIA)]
                channel.taken = True
                await channel.run(await request.accept(subprotocol=_PROTOCOL))
            nursery.cancel_scope.cancel()

    def connect(self, nursery: trio.Nursery) -> Callable[[str, int], Awaitable[trio.abc.Stream]]:
        """Return what connects to this server over memory, whatever host and port are given."""

        async def connected(host: str, port: int) -> trio.abc.Stream:
            near, far = memory_stream_pair()
            nursery.start_soon(self.serve, far)
            return near

        return connected

    def _status(self, request: WebSocketRequest) -> int:
        channel = self.channels.get(request.path.removeprefix(_MEDIA)) if request.path.startswith(_MEDIA) else None
        if channel is None:
            return 404
        if channel.taken:
            return 409
        return 101 if _PROTOCOL in request.proposed_subprotocols else 400

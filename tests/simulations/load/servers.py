"""Servers for tests of the load: somebody else's WebSocket library, bots of a few lines, on a real loopback port."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import trio
from websockets.exceptions import ConnectionClosed
from websockets.trio.server import ServerConnection, serve

from orchestrator import g711

Handler = Callable[[ServerConnection], Awaitable[None]]
LOUD = (9000).to_bytes(2, "little", signed=True)


@asynccontextmanager
async def websocket_server(handler: Handler, **options: Any) -> AsyncIterator[str]:
    """Serve on a free port; yield the address."""
    async with trio.open_nursery() as nursery:
        start = partial(serve, _quiet(handler), 0, host="127.0.0.1", compression=None, **options)
        server = await nursery.start(start)
        port = server.listeners[0].socket.getsockname()[1]
        yield f"ws://127.0.0.1:{port}/call"
        nursery.cancel_scope.cancel()


def _quiet(handler: Handler) -> Handler:
    async def serve_one(connection: ServerConnection) -> None:
        try:
            await handler(connection)
        except ConnectionClosed:
            return

    return serve_one


@asynccontextmanager
async def audiosocket_echo() -> AsyncIterator[str]:
    """Echo AudioSocket's sound on a free TCP port; yield the address."""

    async def echo(stream: trio.SocketStream) -> None:
        buffer = b""
        try:
            while data := await stream.receive_some():
                buffer += data
                while len(buffer) >= 3 and len(buffer) >= (size := 3 + int.from_bytes(buffer[1:3], "big")):
                    message, buffer = buffer[:size], buffer[size:]
                    if message[0] == 0x10:
                        await stream.send_all(message)
        except trio.BrokenResourceError:
            return

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, echo, 0, host="127.0.0.1"))
        yield f"audiosocket://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def twilio_echo(connection: ServerConnection) -> None:
    """Send back what is heard."""
    while True:
        said = json.loads(await connection.recv())
        if said["event"] == "media":
            await connection.send(media(said["streamSid"], b64decode(said["media"]["payload"])))


def media(stream: str, data: bytes) -> str:
    """Return a message of sound to Twilio."""
    return json.dumps({"event": "media", "streamSid": stream, "media": {"payload": b64encode(data).decode()}})


class TwilioBot:
    """Greets, answers every turn 0.2 s after the caller fell silent for 0.4 s, and clears when interrupted."""

    ANSWERS_AFTER = 0.6

    def __init__(self, *, seconds: float = 3.0) -> None:
        self.seconds = seconds
        self.heard: list[dict[str, Any]] = []

    async def __call__(self, connection: ServerConnection) -> None:
        """Talk over one connection."""
        silent, spoken, stream = 0, 0, ""
        while True:
            said = json.loads(await connection.recv())
            if said["event"] != "media":
                self.heard.append(said)
                if said["event"] == "start":
                    stream = said["streamSid"]
                    await self._speak(connection, stream)
                continue
            loud = max(memoryview(g711.decode(b64decode(said["media"]["payload"]), "ulaw")).cast("h")) > 1000
            silent = 0 if loud else silent + 1
            spoken = spoken + 1 if loud else spoken
            if spoken == 3 and loud:
                await connection.send(json.dumps({"event": "clear", "streamSid": stream}))
            if silent == 20 and spoken:
                spoken = 0
                await trio.sleep(0.2)
                await self._speak(connection, stream)

    async def _speak(self, connection: ServerConnection, stream: str) -> None:
        await connection.send(media(stream, g711.encode(LOUD * round(8000 * self.seconds), "ulaw")))
        await connection.send(json.dumps({"event": "mark", "streamSid": stream, "mark": {"name": "end"}}))

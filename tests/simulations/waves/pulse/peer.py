"""A client of Pulse for tests: `websockets` and plain HTTP over memory streams, and speech made of tone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import h11
import numpy as np
import trio
from starlette.applications import Starlette
from trio.testing import memory_stream_pair
from websockets.exceptions import ConnectionClosed
from websockets.trio.client import ClientConnection, connect

from orchestrator.audio import silence
from orchestrator.port.bridge import serve_connection
from orchestrator.port.messages import Request, Response
from simulations.waves.provider import Provider
from simulations.waves.pulse.hearing import Recognizer
from simulations.waves.pulse.page import routes
from simulations.waves.pulse.script import Script
from simulations.waves.pulse.upgrades import Pulse
from tests.simulations.waves import peer

LIVE = "/waves/v1/stt/live"
RATE = 16000
LINES = ("One two three.", "Four, five?", "Six seven eight nine ten.")

Frame = dict[str, Any]


def speech(seconds: float, rate: int = RATE) -> bytes:
    """Return a tone of 200 Hz, loud enough to be speech."""
    wave = 8000 * np.sin(2 * np.pi * 200 * np.arange(round(seconds * rate)) / rate)
    return wave.astype("<i2").tobytes()


class Served:
    """Pulse at a provider of its own, on memory streams."""

    def __init__(self, recognizer: Recognizer | None = None, **options: Any) -> None:
        recognizer = recognizer or Script(LINES)
        self.provider: Provider = peer.provider(**options).provider
        self.pulse = Pulse(provider=self.provider, recognizer=recognizer)
        self._app = Starlette(routes=routes(self.provider, recognizer))

    async def _upgrade(self, stream: trio.abc.Stream, request: Request) -> Response | None:
        return await self.pulse.serve(stream, request, account=self.provider.accounts.first)

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection."""
        await serve_connection(stream, peer="127.0.0.1", app=self._app, upgrade=self._upgrade)

    @property
    def counts(self) -> dict[str, int | float]:
        """The counts of the only account's sessions."""
        return self.pulse.sessions(self.provider.accounts.first).snapshot()

    @asynccontextmanager
    async def dialled(self, path: str = LIVE, **query: str) -> AsyncIterator[ClientConnection]:
        """Yield an open session, at 16 kHz in `linear16` where `query` says nothing else; leaving closes it."""
        asked = {**({"model": "pulse"} if path == LIVE else {}), **query}
        near, far = memory_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.serve, far)
            address = f"ws://waves{path}?{urlencode(asked)}"
            async with connect(address, stream=near, proxy=None, compression=None) as socket:
                yield socket

    async def post(self, path: str, body: bytes, *, headers: dict[str, str] | None = None) -> tuple[int, Frame]:
        """Return the status and the JSON of the answer to a POST."""
        near, far = memory_stream_pair()
        http = h11.Connection(h11.CLIENT)
        length = {"host": "waves", "content-length": str(len(body)), "connection": "close"}
        head = h11.Request(method="POST", target=path, headers=list({**length, **(headers or {})}.items()))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.serve, far)
            await near.send_all(
                b"".join(http.send(event) or b"" for event in (head, h11.Data(data=body), h11.EndOfMessage()))
            )
            status, answer = await _read_answer(near, http)
            nursery.cancel_scope.cancel()
        return status, json.loads(answer)


async def _read_answer(stream: trio.abc.Stream, http: h11.Connection) -> tuple[int, bytes]:
    status, answer = 0, b""
    while not isinstance(event := http.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            http.receive_data(bytes(await stream.receive_some(65536)))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            answer += event.data
    return status, answer


async def send_sound(socket: ClientConnection, pcm: bytes, *, rate: int = RATE) -> None:
    """Send PCM of 16 bit as a phone does: 20 ms at a time, each when it was spoken."""
    size = 2 * rate // 50
    for start in range(0, len(pcm), size):
        await socket.send(pcm[start : start + size])
        await trio.sleep(0.02)


async def say(socket: ClientConnection, *, seconds: float = 1.0, pause: float = 1.0) -> None:
    """Speak for some time, then pause."""
    await send_sound(socket, speech(seconds) + silence(pause, RATE))


async def next_frame(socket: ClientConnection) -> Frame:
    """Return the next frame."""
    frame = json.loads(await socket.recv())
    assert isinstance(frame, dict)
    return frame


async def signal(socket: ClientConnection, kind: str) -> None:
    """Send a control message."""
    await socket.send(json.dumps({"type": kind}))


async def frames_to_the_end(socket: ClientConnection) -> list[Frame]:
    """Return all frames until the other side has closed."""
    frames = []
    try:
        while True:
            frames.append(await next_frame(socket))
    except ConnectionClosed:
        return frames


def finals(frames: list[Frame]) -> list[Frame]:
    """Return those that will not be revised."""
    return [frame for frame in frames if frame.get("is_final")]


def texts(frames: list[Frame]) -> list[str]:
    """Return what the frames say."""
    return [frame["transcript"] for frame in frames]

"""A client of the simulated provider for tests: `websockets` over memory streams, and a voice that spells."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import memory_stream_pair
from websockets.trio.client import ClientConnection, connect

from orchestrator.ports import Spoken
from simulations.voices import Voice, Wanted
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer

LIVE = "/waves/v1/tts/live"
OLDER = "/waves/v1/lightning-v3.1/get_speech/stream"
CHARACTER_SECONDS = 0.05

TEN = "abcd efghi"
"""Half a second of the spelling voice."""

Frame = dict[str, Any]


async def spelling_voice(wanted: Wanted) -> Spoken:
    """Speak every character in 50 ms, all samples being its number."""
    assert wanted.voice
    samples = round(wanted.rate * CHARACTER_SECONDS / wanted.speed)
    seconds = samples / wanted.rate
    pcm = b"".join((ord(letter) % 30000).to_bytes(2, "little") * samples for letter in wanted.text)
    words = tuple(
        (match.start(), len(match.group()), match.start() * seconds, match.end() * seconds)
        for match in re.finditer(r"\S+", wanted.text)
    )
    return Spoken(pcm, wanted.rate, words)


def hoarse_voice() -> Voice:
    """Return a spelling voice that fails at its first text."""
    failures = [ValueError("no voice today")]

    async def speak(wanted: Wanted) -> Spoken:
        if failures:
            raise failures.pop()
        return await spelling_voice(wanted)

    return speak


def wanted(text: str, voice: str = "avery", *, rate: int = 8000, **more: Any) -> Wanted:
    """Return what a voice is asked for."""
    return Wanted(text=text, voice=voice, rate=rate, **more)


def provider(**options: Any) -> WavesServer:
    """Return a provider that keeps its sockets open."""
    return WavesServer(WavesOptions(**{"close_after_complete": False, **options}), spelling_voice)


def ask(text: str | None, **more: Any) -> str:
    """Return a client's message; no back-off unless it asks for one."""
    body = {"text": text, "voice_id": "avery", "sample_rate": 8000, "complete_backoff_ms": 0, **more}
    return json.dumps({name: value for name, value in body.items() if value is not None})


@asynccontextmanager
async def dialled(server: WavesServer, *, path: str = LIVE, key: str = "") -> AsyncIterator[ClientConnection]:
    """Yield an open WebSocket to the server, over memory streams; leaving it closes it."""
    near, far = memory_stream_pair()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve_stream, far)
        address = f"ws://waves{path}"
        async with connect(address, stream=near, proxy=None, compression=None, additional_headers=headers) as socket:
            yield socket


async def next_frame(socket: ClientConnection) -> Frame:
    """Return the next frame."""
    frame = json.loads(await socket.recv())
    assert isinstance(frame, dict)
    return frame


async def frames_until(socket: ClientConnection, status: str = "complete") -> list[Frame]:
    """Return the frames up to the first with this status."""
    frames = [await next_frame(socket)]
    while frames[-1]["status"] != status:
        frames.append(await next_frame(socket))
    return frames


async def expect_silence(socket: ClientConnection, seconds: float = 10.0) -> None:
    """Check that nothing comes, and that the socket stays open."""
    with trio.move_on_after(seconds) as waiting:
        pytest.fail(f"{await socket.recv()!r} came")
    assert waiting.cancelled_caught


def pcm_of(frames: list[Frame]) -> bytes:
    """Return the sound of the frames."""
    return b"".join(base64.b64decode(frame["data"]["audio"]) for frame in frames if frame["status"] == "chunk")

"""What hostile clients do on a connection to a running `serve`, each kind again and again until its time is up; from
where they come, how many there are and what honest calls hear of it is decided elsewhere."""

from __future__ import annotations

import json
import random
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence

import trio

from simulations.bench.deeds import TEXT_FRAME, frame, frame_head

Deed = Callable[[trio.abc.Stream, random.Random], Awaitable[None]]
"""Ends when its doer is to vanish and come again, or with BrokenResourceError where the server ended it."""

PATH = "/twilio"
_UPGRADE = (
    f"GET {PATH} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()
_LARGE = 10_000_000
_BLOCK = b"A" * 65_536
_SOUND = {"track": "inbound", "chunk": "1", "timestamp": "20", "payload": b64encode(bytes(range(80, 120)) * 4).decode()}
_START = {
    "event": "start",
    "start": {"streamSid": "MZ1", "callSid": "CA1", "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000}},
    "streamSid": "MZ1",
}
_WRONG: Sequence[object] = (
    1,
    None,
    [],
    "start",
    {"event": 1},
    {"event": "start", "start": 7},
    {"event": "start", "start": {"streamSid": [], "callSid": {}}},
    {"event": "media", "media": []},
    {"event": "media", "media": {"payload": 5}},
)


async def say_nothing(_stream: trio.abc.Stream, _rng: random.Random) -> None:
    """No handshake at all."""
    await trio.sleep_forever()


async def half_a_handshake(stream: trio.abc.Stream, rng: random.Random) -> None:
    """A request that ends in its middle."""
    await stream.send_all(_UPGRADE[: rng.randrange(1, len(_UPGRADE) - 1)])
    await trio.sleep_forever()


async def noise(stream: trio.abc.Stream, rng: random.Random) -> None:
    """Random bytes instead of a request."""
    await stream.send_all(rng.randbytes(2000))
    await trio.sleep(1)


async def random_frames(stream: trio.abc.Stream, rng: random.Random) -> None:
    """Random bytes instead of frames."""
    await _upgrade(stream)
    await stream.send_all(rng.randbytes(5000))
    await trio.sleep(1)


async def wrong_types(stream: trio.abc.Stream, rng: random.Random) -> None:
    """JSON whose values are of other types than anybody expects, before or after the call's start."""
    await _upgrade(stream)
    if rng.random() < 0.5:
        await _send(stream, _START)
    for value in _WRONG:
        await _send(stream, value)
        await trio.sleep(0.1)


async def garbage_for_sound(stream: trio.abc.Stream, _rng: random.Random) -> None:
    """A call whose sound is no base64."""
    await _upgrade(stream)
    await _send(stream, _START)
    while True:
        await _send(stream, {"event": "media", "media": {**_SOUND, "payload": "!!!!@@@%%"}, "streamSid": "MZ1"})
        await trio.sleep(0.05)


async def large_messages(stream: trio.abc.Stream, _rng: random.Random) -> None:
    """A message of 10 MB."""
    await _upgrade(stream)
    await stream.send_all(frame_head(TEXT_FRAME, _LARGE))
    for _ in range(0, _LARGE, len(_BLOCK)):
        await stream.send_all(_BLOCK)


async def byte_by_byte(stream: trio.abc.Stream, _rng: random.Random) -> None:
    """A call's start at one byte a second."""
    await _upgrade(stream)
    data = frame(TEXT_FRAME, json.dumps(_START).encode())
    for place in range(len(data)):
        await stream.send_all(data[place : place + 1])
        await trio.sleep(1)


async def never_read(stream: trio.abc.Stream, _rng: random.Random) -> None:
    """A call that speaks and does not read its echo."""
    await _upgrade(stream)
    await _send(stream, _START)
    data = frame(TEXT_FRAME, json.dumps({"event": "media", "media": _SOUND, "streamSid": "MZ1"}).encode())
    while True:
        await stream.send_all(data)
        await trio.sleep(0.02)


DEEDS: Sequence[Deed] = (
    say_nothing,
    half_a_handshake,
    noise,
    random_frames,
    wrong_types,
    garbage_for_sound,
    large_messages,
    byte_by_byte,
    never_read,
)


async def _upgrade(stream: trio.abc.Stream) -> None:
    await stream.send_all(_UPGRADE)
    if not await stream.receive_some(4096):
        raise trio.BrokenResourceError("the server ended it")


async def _send(stream: trio.abc.Stream, value: object) -> None:
    await stream.send_all(frame(TEXT_FRAME, json.dumps(value).encode()))

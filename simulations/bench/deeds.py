"""What vandals do on a connection to the simulated provider: each deed breaks one rule of HTTP, of WebSocket or of
manners; who does which, and when they vanish, is decided elsewhere."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable, Sequence

import trio

Deed = Callable[[trio.abc.Stream, random.Random], Awaitable[None]]
"""Ends when its doer is to vanish, or is cut off: then it may raise BrokenResourceError."""

KEY = "vandals"
"""Of their account."""

_LARGE = 10 * 1024 * 1024
"""Bytes of what is too large."""
_HEARD = 1024 * 1024
"""Bytes of speech that are read at most."""
_BLOCK = bytes(64 * 1024)
_BYTE_EVERY = 0.1
"""Seconds between the bytes of who is slow."""
_TEXT = "It goes on and on, and nobody listens to a word of it. " * 100
_ASK = json.dumps({"text": _TEXT, "voice_id": "magnus", "complete_backoff_ms": 0}).encode()
_AUTHORIZED = f"Host: provider\r\nAuthorization: Bearer {KEY}\r\n"
_UPGRADE = (
    f"GET /waves/v1/tts/live HTTP/1.1\r\n{_AUTHORIZED}Connection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
).encode()
TEXT_FRAME, _FIRST_PART, _PART = 0x81, 0x01, 0x00


# --- instead of HTTP, or with it ---


async def send_noise(stream: trio.abc.Stream, rng: random.Random) -> None:
    """Random bytes instead of a request."""
    while True:
        await stream.send_all(rng.randbytes(rng.randint(1, len(_BLOCK))))
        await trio.sleep(0.1)


async def ask_slowly(stream: trio.abc.Stream, _rng: random.Random) -> None:
    """A request byte by byte."""
    await _send_slowly(stream, _UPGRADE)


async def send_endless_head(stream: trio.abc.Stream, rng: random.Random) -> None:
    """A request whose head does not end."""
    await stream.send_all(b"GET / HTTP/1.1\r\n")
    while True:
        await stream.send_all(f"X-{rng.random()}: {'x' * 500}\r\n".encode())
        await trio.sleep(0.01)


async def post_large_body(stream: trio.abc.Stream, _rng: random.Random) -> None:
    """A request to speak that is far too large."""
    await stream.send_all(f"POST /waves/v1/tts HTTP/1.1\r\n{_AUTHORIZED}Content-Length: {_LARGE}\r\n\r\n".encode())
    await _send_large(stream)


async def post_deafly(stream: trio.abc.Stream, rng: random.Random) -> None:
    """Speech over HTTP that is never read, as events or in one body."""
    path = rng.choice(("/waves/v1/tts", "/waves/v1/tts/live"))
    await stream.send_all(f"POST {path} HTTP/1.1\r\n{_AUTHORIZED}Content-Length: {len(_ASK)}\r\n\r\n".encode() + _ASK)
    await trio.sleep_forever()


# --- on a WebSocket ---


async def send_noise_frames(stream: trio.abc.Stream, rng: random.Random) -> None:
    """Random bytes instead of frames."""
    await _upgrade(stream)
    await send_noise(stream, rng)


async def send_half_frame(stream: trio.abc.Stream, rng: random.Random) -> None:
    """A frame that ends in its middle."""
    await _upgrade(stream)
    whole = frame(TEXT_FRAME, _ASK)
    await stream.send_all(whole[: rng.randrange(len(whole))])
    await trio.sleep_forever()


async def send_slow_frame(stream: trio.abc.Stream, _rng: random.Random) -> None:
    """A request to speak byte by byte."""
    await _upgrade(stream)
    await _send_slowly(stream, frame(TEXT_FRAME, _ASK))


async def send_large_message(stream: trio.abc.Stream, _rng: random.Random) -> None:
    """A message that is far too large."""
    await _upgrade(stream)
    await stream.send_all(frame_head(TEXT_FRAME, _LARGE))
    await _send_large(stream)


async def send_endless_message(stream: trio.abc.Stream, rng: random.Random) -> None:
    """A message in parts, large or of a few bytes, of which none is the last."""
    await _upgrade(stream)
    part = bytes(rng.choice((0, 1, 100, len(_BLOCK))))
    await stream.send_all(frame(_FIRST_PART, part))
    while True:
        await stream.send_all(frame(_PART, part) * (1 + 1000 // (1 + len(part))))


async def listen_never(stream: trio.abc.Stream, _rng: random.Random) -> None:
    """A long text is asked for, and nothing is read."""
    await _upgrade(stream)
    await stream.send_all(frame(TEXT_FRAME, _ASK))
    await trio.sleep_forever()


async def listen_and_leave(stream: trio.abc.Stream, rng: random.Random) -> None:
    """A long text is asked for; in the middle of it nobody is there any more."""
    await _upgrade(stream)
    await stream.send_all(frame(TEXT_FRAME, _ASK))
    left = rng.randrange(_HEARD)
    while left > 0 and (data := await stream.receive_some(4096)):
        left -= len(data)


DEEDS: Sequence[Deed] = (
    send_noise,
    ask_slowly,
    send_endless_head,
    post_large_body,
    post_deafly,
    send_noise_frames,
    send_half_frame,
    send_slow_frame,
    send_large_message,
    send_endless_message,
    listen_never,
    listen_and_leave,
)


# --- how ---


async def _upgrade(stream: trio.abc.Stream) -> None:
    """Ask for a WebSocket as one should, and wait for it."""
    await stream.send_all(_UPGRADE)
    answer = b""
    while b"\r\n\r\n" not in answer:
        data = await stream.receive_some(1)
        if not data:
            raise trio.BrokenResourceError("the provider ended it")
        answer += data


async def _send_slowly(stream: trio.abc.Stream, data: bytes) -> None:
    for place in range(len(data)):
        await stream.send_all(data[place : place + 1])
        await trio.sleep(_BYTE_EVERY)


async def _send_large(stream: trio.abc.Stream) -> None:
    for _ in range(0, _LARGE, len(_BLOCK)):
        await stream.send_all(_BLOCK)
    await trio.sleep_forever()


def frame(kind: int, payload: bytes) -> bytes:
    """Return a client's whole frame."""
    return frame_head(kind, len(payload)) + payload


def frame_head(kind: int, size: int) -> bytes:
    """Return the head of a client's frame whose mask changes nothing."""
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([0x80 | 127]) + size.to_bytes(8, "big")
    return bytes([kind]) + length + bytes(4)

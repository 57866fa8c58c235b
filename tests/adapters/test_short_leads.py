"""A short lead is only that: whatever is bundled, the carrier's buffer never runs so low that silence fills it up."""

from __future__ import annotations

import json
from base64 import b64decode

import attrs
import pytest
import trio
from trio.testing import MockClock

from orchestrator.adapters.telephony.codecs.exotel import ExotelCodec
from orchestrator.adapters.telephony.remote_buffer import open_remote_leg
from tests.adapters.carrier_world import OPTIONS, RATE, ToyCodec, carrier
from tests.adapters.test_remote_buffer import EXOTEL_START

STRIDES = [3200 - (170 if number % 4 == 0 else 0) for number in range(40)]
"""Bytes of what is written: joins make some of them end in the middle of a frame."""


def sound(message: str | bytes) -> bytes:
    """What a message of either carrier's brings."""
    if isinstance(message, bytes):
        return message
    return b64decode(json.loads(message)["media"]["payload"]) if message.startswith("{") else b""


@pytest.mark.parametrize("lead", [0.5, 0.6, 0.7, 0.8, 1.5])
@pytest.mark.parametrize("kept", ["much", "little"])
async def test_no_silence_is_put_into_speech(autojump_clock: MockClock, lead: float, kept: str) -> None:
    """Of a codec that keeps 100 ms (Exotel) and of one that keeps less than a frame: all that is written is one spurt,
    without a gap at the carrier and without a zero between."""
    codec = ExotelCodec() if kept == "much" else ToyCodec()
    async with carrier() as (socket, peer, _), trio.open_nursery() as nursery:
        await peer.send_message(EXOTEL_START if kept == "much" else "call 7")
        got = bytearray()
        gaps: list[float] = []

        async def listen() -> None:
            over = None
            while True:
                pcm = sound(await peer.get_message())
                now = trio.current_time()
                if over is not None and now > over + 1e-6:
                    gaps.append(now - over)
                over = max(over or now, now) + len(pcm) / 2 / RATE
                got.extend(pcm)

        options = attrs.evolve(OPTIONS, lead=lead)
        async with open_remote_leg(socket, codec, options=options, now=trio.current_time) as leg:
            nursery.start_soon(listen)
            for size in STRIDES:
                await leg.write(b"\x11" * size)
            await trio.sleep(3)
        assert (gaps, got.rstrip(b"\0").count(0)) == ([], 0)
        assert len(got.rstrip(b"\0")) == sum(STRIDES)
        nursery.cancel_scope.cancel()

"""The call of `bot = "audio-echo"`: every frame that comes is written back on the same wake-up, and nothing else but
silence where a carrier would take its absence for the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import trio

from orchestrator.adapters.telephony.carrier_leg import wait_answered
from orchestrator.adapters.telephony.wire import CarrierBytes, CarrierWire, plain_nursery
from orchestrator.audio import FRAME_SECONDS, silence
from orchestrator.ports import CarrierCodec, CarrierEvent, Ended, Media

_LOOK_EVERY = 0.5
"""Seconds between two looks whether anything came: AudioSocket has no pings, Asterisk ends a call after 2 s of nothing,
and of a silent caller nothing may come."""


async def echo_call(wire: CarrierWire, codec: CarrierCodec, *, handshake_within: float = 5.0) -> None:
    """Write back what a carrier sends until the connection is over. Raises what wait_answered raises."""
    _, first = await wait_answered(wire, codec, within=handshake_within)
    if not isinstance(wire, CarrierBytes):
        await _echo(first, wire=wire, codec=codec)
        return
    async with plain_nursery() as nursery:
        nursery.start_soon(_keep_open, wire, codec)
        await _echo(first, wire=wire, codec=codec)


async def _echo(first: Sequence[CarrierEvent], *, wire: CarrierWire, codec: CarrierCodec) -> None:
    goes_on = _write_back(first, wire=wire, codec=codec)
    await wire.flush()
    while goes_on and (messages := await wire.receive()):
        goes_on = all(_write_back(codec.receive(message), wire=wire, codec=codec) for message in messages)
        await wire.flush()


async def _keep_open(wire: CarrierWire, codec: CarrierCodec) -> None:
    """Send a frame of silence where nothing came since the last look."""
    while not wire.over.is_set():
        before = wire.reads
        await trio.sleep(_LOOK_EVERY)
        if wire.reads == before:
            wire.send(codec.media(silence(FRAME_SECONDS, codec.rate)))
            await wire.flush()


def _write_back(events: Iterable[CarrierEvent], *, wire: CarrierWire, codec: CarrierCodec) -> bool:
    """Return whether the call goes on."""
    for event in events:
        if isinstance(event, Media):
            wire.send(codec.media(event.pcm))
        elif isinstance(event, Ended):
            return False
    return True

"""The call of `bot = "audio-echo"`: every frame that comes is written back on the same wake-up, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.adapters.telephony.carrier_leg import wait_answered
from orchestrator.adapters.telephony.wire import CarrierWire
from orchestrator.ports import CarrierCodec, CarrierEvent, Media


async def echo_call(wire: CarrierWire, codec: CarrierCodec, *, handshake_within: float = 5.0) -> None:
    """Write back what a carrier sends until the connection is over. Raises what wait_answered raises."""
    _, first = await wait_answered(wire, codec, within=handshake_within)
    _write_back(first, wire=wire, codec=codec)
    await wire.flush()
    while messages := await wire.receive():
        for message in messages:
            _write_back(codec.receive(message), wire=wire, codec=codec)
        await wire.flush()


def _write_back(events: Iterable[CarrierEvent], *, wire: CarrierWire, codec: CarrierCodec) -> None:
    for event in events:
        if isinstance(event, Media):
            wire.send(codec.media(event.pcm))

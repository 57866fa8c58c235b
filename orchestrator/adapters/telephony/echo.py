"""The call of `bot = "audio-echo"`: every frame that comes is written back on the same wake-up, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.adapters.telephony.carrier_leg import wait_answered
from orchestrator.adapters.telephony.wire import CarrierWire
from orchestrator.ports import CarrierCodec, CarrierEvent, Ended, Media


async def echo_call(wire: CarrierWire, codec: CarrierCodec, *, handshake_within: float = 5.0) -> None:
    """Write back what a carrier sends until the connection is over. Raises what wait_answered raises."""
    _, first = await wait_answered(wire, codec, within=handshake_within)
    goes_on = _write_back(first, wire=wire, codec=codec)
    await wire.flush()
    while goes_on and (messages := await wire.receive()):
        goes_on = all(_write_back(codec.receive(message), wire=wire, codec=codec) for message in messages)
        await wire.flush()


def _write_back(events: Iterable[CarrierEvent], *, wire: CarrierWire, codec: CarrierCodec) -> bool:
    """Return whether the call goes on."""
    for event in events:
        if isinstance(event, Media):
            wire.send(codec.media(event.pcm))
        elif isinstance(event, Ended):
            return False
    return True

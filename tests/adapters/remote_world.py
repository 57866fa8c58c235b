"""A call on a leg whose sound lies at the carrier, for its tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio
from trio_websocket import WebSocketConnection

from orchestrator.adapters.telephony.remote_buffer import RemoteBufferLeg, open_remote_leg
from orchestrator.ports import CarrierControl, LegEvent, MarkPlayed
from tests.adapters.carrier_world import OPTIONS, FarEnd, Tape, ToyCodec, carrier, pcm


class World:
    """A call: our leg, the carrier's end, and the events so far."""

    def __init__(self, leg: RemoteBufferLeg, peer: WebSocketConnection, far: FarEnd) -> None:
        self.leg = leg
        self.peer = peer
        self.far = far
        self.events: list[LegEvent] = []
        self.ended = trio.Event()

    async def note(self) -> None:
        """Note what the leg tells."""
        async for event in self.leg.events():
            self.events.append(event)
        self.ended.set()

    @property
    def heard(self) -> list[tuple[str, float]]:
        """The marks that were told, and when."""
        return [(event.name, round(event.at, 3)) for event in self.events if isinstance(event, MarkPlayed)]

    async def talk(self, strides: int, *, size: float = 0.2) -> None:
        """Write as the mouth does: a stride, then a mark behind it."""
        for number in range(strides):
            await self.leg.write(pcm(size, number % 200 + 1))
            self.leg.mark(f"{number + 1}")


@asynccontextmanager
async def call(
    codec: ToyCodec | None = None,
    *,
    returns: bool = True,
    lag: float = 0.0,
    tape: Tape | None = None,
    control: CarrierControl | None = None,
) -> AsyncIterator[World]:
    """Yield a call that has begun, at time 0."""
    async with carrier() as (socket, peer, _), trio.open_nursery() as nursery:
        await peer.send_message("call 7")
        options = attrs.evolve(OPTIONS, carrier_latency=lag)
        opened = open_remote_leg(
            socket, codec or ToyCodec(), options=options, now=trio.current_time, tap=tape, control=control
        )
        async with opened as leg:
            far = FarEnd(peer, returns=returns, lag=lag)
            world = World(leg, peer, far)
            for task in (world.note, far.listen, far.play):
                nursery.start_soon(task)
            yield world
        nursery.cancel_scope.cancel()

"""Places one simulated call: the wire, the line and the pacer put together; what the caller does is a script's."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from enum import Enum
from functools import partial

import trio
from attrs import define, field

from simulations.carriers.carrier import Message
from simulations.carriers.line import Line
from simulations.carriers.opening import open_wire
from simulations.carriers.pacing import Pacer
from simulations.carriers.reading import SharedReader
from simulations.carriers.target import Refused, Target, WireClosed
from simulations.carriers.webhook import Webhook
from simulations.carriers.wire import Wire

Condition = Callable[[float], bool]
Script = Generator[Condition, float, None]
"""What the caller does: each yield waits until a condition holds at some time, checked every 20 ms, and is sent the
time. When it returns the caller hangs up."""
_ENDS_WELL = (1000, 1001)


class Outcome(Enum):
    """How a call ended."""

    CALLER = "the caller hung up"
    BOT = "the bot hung up"
    REFUSED = "refused"
    FAILED = "failed"


@define(eq=False)
class CallResult:
    """One call's story: times are the caller's clock; `connected` is None where it did not come about."""

    line: Line
    dialled: float
    connected: float | None = None
    ended: float | None = None
    outcome: Outcome = Outcome.CALLER
    reason: str = ""
    status: int = 0
    """HTTP's, of a refused upgrade."""


@define(eq=False)
class Exchange:
    """What all calls of a run share: the task that paces them and the task that reads for them."""

    pacer: Pacer = field(factory=Pacer)
    reader: SharedReader = field(factory=SharedReader)

    async def run(self) -> None:
        """Pace and read until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.pacer.run)
            nursery.start_soon(self.reader.run)


@define(eq=False)
class PlacedCall:
    """One call: `run` it once. Where `target` is a webhook, that is asked first."""

    target: Target | Webhook
    exchange: Exchange
    result: CallResult
    script: Script
    _until: Condition | None = field(default=None, init=False)
    _over: trio.Event = field(factory=trio.Event, init=False)

    async def run(self) -> None:
        """Call, follow the script until either side ends the call, and hang up, also when cancelled."""
        try:
            async with open_wire(await self._stream()) as wire:
                self.result.connected = trio.current_time()
                await self._talk(wire)
        except Refused as refused:
            self._end(Outcome.REFUSED if refused.status else Outcome.FAILED, str(refused))
            self.result.status = refused.status
        finally:
            self.result.ended = trio.current_time()
            self.script.close()

    async def _stream(self) -> Target:
        return self.target if isinstance(self.target, Target) else await self.target.follow(self.result.line.carrier)

    async def _talk(self, wire: Wire) -> None:
        carrier = self.result.line.carrier
        tick = partial(self._guarded, partial(self._tick, wire))
        self._guarded(self._open, wire)
        self.exchange.pacer.add(tick)
        try:
            await self._read(wire)
        finally:
            self.exchange.pacer.remove(tick)
            if self.result.outcome is Outcome.CALLER:
                with suppress(WireClosed):
                    wire.send(carrier.stop())

    def _open(self, wire: Wire) -> None:
        wire.send(self.result.line.carrier.opening())
        self._take(wire, wire.early)

    async def _read(self, wire: Wire) -> None:
        """Take in what comes until the call is over."""
        if wire.direct is not None:
            with self.exchange.reader.reading(wire.direct, partial(self._guarded, self._take_waiting, wire)):
                await self._over.wait()
            return
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._receive, wire)
            await self._over.wait()
            nursery.cancel_scope.cancel()

    async def _receive(self, wire: Wire) -> None:
        try:
            while True:
                self._take(wire, await wire.receive())
        except WireClosed as closed:
            self._closed(closed)

    def _take_waiting(self, wire: Wire) -> None:
        self._take(wire, wire.receive_nowait())

    def _take(self, wire: Wire, messages: Sequence[Message]) -> None:
        carrier, now = self.result.line.carrier, trio.current_time()
        wire.send([answer for message in messages for answer in carrier.receive(message, now)])
        self._look_over()

    def _look_over(self) -> None:
        """End the call where the carrier or the bot has."""
        carrier = self.result.line.carrier
        if carrier.dropped:
            self._end(Outcome.FAILED, f"{carrier.name} dropped the call: {carrier.dropped}")
        elif carrier.hung_up:
            self._end(Outcome.BOT, "")

    def _tick(self, wire: Wire, now: float) -> None:
        """Send the next 20 ms and go on with the script."""
        try:
            if self._until is None:
                self._until = next(self.script)
            elif self._until(now):
                self._until = self.script.send(now)
        except StopIteration:
            self._over.set()
        wire.send(self.result.line.tick(now))
        self._look_over()

    def _guarded(self, deed: Callable[..., None], *arguments: object) -> None:
        """Do what the pacer or the reader asks for: whatever becomes of this call, the others go on."""
        if not self._over.is_set():
            try:
                deed(*arguments)
            except WireClosed as closed:
                self._closed(closed)

    def _closed(self, closed: WireClosed) -> None:
        if closed.code in _ENDS_WELL and not self.result.line.carrier.playback.sounds:
            self._end(Outcome.FAILED, "the server ended the call before there was a sound")
        elif closed.code in _ENDS_WELL:
            self._end(Outcome.BOT, closed.reason)
        else:
            self._end(Outcome.FAILED, f"closed with {closed}")

    def _end(self, outcome: Outcome, reason: str) -> None:
        self.result.outcome, self.result.reason = outcome, reason
        self._over.set()

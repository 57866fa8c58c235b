"""What the legs of all carriers have in common: the task that reads the wire, the caller's side, the end of the call.

How the bot's sound gets out is what they differ in: remote_buffer.py, local_clock.py. What messages
mean is the codecs'.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

import trio
from attrs import frozen

from orchestrator.adapters.telephony.caller_side import CallerSide
from orchestrator.adapters.telephony.change import Change
from orchestrator.adapters.telephony.options import LegOptions
from orchestrator.adapters.telephony.resampling import resampler
from orchestrator.adapters.telephony.wire import CarrierWire, plain_nursery
from orchestrator.errors import CarrierFault, LegClosed
from orchestrator.ports import (
    Answered,
    CallFacts,
    CarrierCodec,
    CarrierControl,
    CarrierEvent,
    Complaint,
    Ended,
    HungUp,
    Key,
    LegEvent,
    Media,
    Now,
    Tap,
    WireMessage,
)

_log = logging.getLogger(__name__)

_EVENTS = 1024
"""Events that may wait for the conversation, which always reads: minutes of marks."""
_CONTROL_WITHIN = 5.0
"""Seconds that a carrier's REST API gets to end or hand over a call."""


@frozen(kw_only=True)
class Means:
    """What a leg works with. `control` ends and hands over calls where the wire can't."""

    wire: CarrierWire
    codec: CarrierCodec
    options: LegOptions
    now: Now
    tap: Tap | None = None
    control: CarrierControl | None = None


async def wait_answered(
    wire: CarrierWire, codec: CarrierCodec, *, within: float
) -> tuple[CallFacts, list[CarrierEvent]]:
    """Read until the carrier told who calls; return that, and what came behind it.

    Raises CarrierFault for what begins no call, LegClosed where the connection ends or nothing comes in time.
    """
    with trio.move_on_after(within):
        while messages := await wire.receive():
            events = [event for message in messages for event in codec.receive(message)]
            for number, event in enumerate(events):
                if isinstance(event, Answered):
                    return event.facts, events[number + 1 :]
                if isinstance(event, Ended):
                    raise LegClosed(f"the {codec.name} call ended before it began: {event.reason}")
    raise LegClosed(f"no {codec.name} call began")


class CarrierLeg:
    """One call at a carrier. `over` is set when it ended, whoever ended it."""

    latency = 0.0
    stride = 0.2

    def __init__(self, means: Means, *, facts: CallFacts, nursery: trio.Nursery) -> None:
        codec, options = means.codec, means.options
        self.facts = facts
        self._carrier_facts = facts  # whatever the call is named here, the carrier knows it by these
        self.rate = options.rate or codec.rate
        self.over = trio.Event()
        self._wire = means.wire
        self._codec = codec
        self._control = means.control
        self._now = means.now
        self._nursery = nursery
        self._resampler = resampler(source=self.rate, target=codec.rate)
        self._changed = Change()
        self._sender, self._receiver = trio.open_memory_channel[LegEvent](_EVENTS)
        self._caller = CallerSide(options, rate=codec.rate, now=means.now, tell=self._tell, nursery=nursery)
        self.tap = means.tap

    @property
    def tap(self) -> Tap | None:
        """Who is told of the sound, both ways; may be set later than at the start."""
        return self._caller.tap

    @tap.setter
    def tap(self, tap: Tap | None) -> None:
        """Have another told, from now on."""
        self._caller.tap = tap

    async def events(self) -> AsyncIterator[LegEvent]:
        """What the caller's side does, in order; ends after HungUp or our own hang-up."""
        async for event in self._receiver:
            yield event

    async def hang_up(self) -> None:
        """End the call from our side; harmless when it is over already."""
        if self.over.is_set():
            await trio.lowlevel.checkpoint()
            return
        messages = self._codec.hang_up()
        self._leave(messages)
        if self._control is not None and not messages:
            await self._bounded(self._control.hang_up(self._carrier_facts))
        await self._wire.close()

    async def transfer(self, to: str) -> None:
        """Hand the caller over to another number or address and leave the call: just leave where neither can."""
        messages = None if self.over.is_set() else self._codec.transfer(to)
        if messages is None and (self._control is None or self.over.is_set()):
            _log.warning("call %s: %s can't hand callers over here", self.facts.id, self._codec.name)
            await self.hang_up()
            return
        self._leave(messages or ())
        if messages is None and self._control is not None:
            await self._bounded(self._control.transfer(self._carrier_facts, to))
        await self._wire.close()

    # --- for the tasks of the leg, and those who derive from it ---

    async def run(self, first: Iterable[CarrierEvent]) -> None:
        """Take what the carrier says until the connection is over; `first` came already."""
        try:
            for event in first:
                self._take(event)
            while messages := await self._wire.receive():
                for message in messages:
                    for event in self._codec.receive(message):
                        self._take(event)
        except CarrierFault as fault:
            _log.warning("call %s: %s", self.facts.id, fault)
        self.end(HungUp(self._now()))

    def end(self, last: LegEvent | None = None) -> None:
        """The call is over, whoever ended it; `last` is what its events end with."""
        if not self.over.is_set():
            if last is not None:
                self._tell(last)
            self.over.set()
            self.silence()
            self._sender.close()
            self._changed.tell()

    def silence(self) -> None:
        """Forget what has not sounded."""
        raise NotImplementedError

    def carrier_says(self, event: CarrierEvent) -> None:
        """Take what is neither of the caller nor the end."""

    def _take(self, event: CarrierEvent) -> None:
        if self.over.is_set():
            return
        if isinstance(event, Media):
            self._caller.media(event)
        elif isinstance(event, Key):
            self._caller.key(event.digit)
        elif isinstance(event, Ended):
            self.end(HungUp(self._now()))
        elif isinstance(event, Complaint):
            _log.warning("call %s: %s complains: %s", self.facts.id, self._codec.name, event.text)
        else:
            self.carrier_says(event)

    def _tell(self, event: LegEvent) -> None:
        try:
            if not self.over.is_set():
                self._sender.send_nowait(event)
        except trio.WouldBlock:  # nobody can press so many keys: the call is over for this peer
            _log.warning("call %s: more happens than anybody can follow", self.facts.id)
            self._receiver.receive_nowait()  # room for the last word
            self.end(HungUp(self._now()))

    def _say(self, messages: Iterable[WireMessage]) -> None:
        """Have something sent, now or behind what is being sent."""
        self._wire.send(list(messages))
        self._wire.flush_soon()

    def _leave(self, messages: Iterable[WireMessage]) -> None:
        self.end()
        self._say(messages)

    async def _bounded(self, control: Awaitable[None]) -> None:
        with trio.move_on_after(_CONTROL_WITHIN) as scope:
            try:
                await control
            except CarrierFault as fault:
                _log.warning("call %s: %s", self.facts.id, fault)
        if scope.cancelled_caught:
            _log.warning("call %s: %s did not answer in time", self.facts.id, self._codec.name)


AnyLeg = TypeVar("AnyLeg", bound=CarrierLeg)


@asynccontextmanager
async def open_leg(kind: type[AnyLeg], means: Means) -> AsyncIterator[AnyLeg]:
    """Wait for a call on a wire and yield its leg; leaving ends the call on our side, and leaves the wire open.

    Raises what wait_answered raises.
    """
    facts, first = await wait_answered(means.wire, means.codec, within=means.options.handshake_within)
    async with plain_nursery() as nursery:
        leg = kind(means, facts=facts, nursery=nursery)
        nursery.start_soon(leg.run, first)
        try:
            yield leg
        finally:
            leg.end()

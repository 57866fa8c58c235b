"""A leg whose sound our own clock lets out, for carriers without a buffer (Asterisk's AudioSocket): one frame of 20 ms
each 20 ms, whole in one send. Which frame is due is paced.py's; reading, the caller's side and the end are
carrier_leg.py's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from orchestrator.adapters.telephony.carrier_leg import CarrierLeg, Means, open_leg
from orchestrator.adapters.telephony.options import LegOptions
from orchestrator.adapters.telephony.paced import PacedSound
from orchestrator.adapters.telephony.wire import open_carrier_bytes
from orchestrator.audio import FRAME_SECONDS, silence
from orchestrator.errors import LegClosed
from orchestrator.ports import CallFacts, CarrierCodec, CarrierEvent, Media, Now, Tap

_LEAD = 0.2
"""Seconds of sound that the leg takes ahead: they stay in this process, so that a clear throws all of them away."""
_QUIET = 0.9
"""Seconds without a frame either way after which one of silence goes out: Asterisk hangs up after 2 s of nothing."""
_HAIR = 1e-6
"""Seconds by which rounded times may miss each other: less is no wait."""


class LocalClockLeg(CarrierLeg):
    """Implements ports.Leg where nobody keeps a buffer. Made by `open_clock_leg`."""

    def __init__(self, means: Means, *, facts: CallFacts, nursery: trio.Nursery) -> None:
        super().__init__(means, facts=facts, nursery=nursery)
        self._paced = PacedSound(rate=self.rate)
        self._last_frame = self._now()
        """When one went or came."""
        nursery.start_soon(self._pace)

    async def write(self, pcm: bytes) -> None:
        """Take sound; wait while more than 0.2 s are still to go out. Raises LegClosed."""
        while self._paced.waiting > _LEAD and not self.over.is_set():
            await self._changed.wait()
        await trio.lowlevel.checkpoint_if_cancelled()  # a cut may come with the room: what is cut must not sound
        if self.over.is_set() or self._wire.over.is_set():
            raise LegClosed(f"the line of call {self.facts.id} is closed")
        self._paced.take(pcm, self._now())
        self._changed.tell()

    def mark(self, name: str) -> None:
        """Report when all that was written before has sounded."""
        if not self.over.is_set():
            for mark in self._paced.mark(name, self._now()):
                self._tell(mark)

    def clear(self) -> None:
        """Stop writing; the frame that is on its way ends within 20 ms."""
        self.silence()
        self._changed.tell()

    # --- for carrier_leg.py ---

    def silence(self) -> None:
        """Forget what has not sounded."""
        self._paced.clear()
        if self._resampler is not None:
            self._resampler.clear()

    async def _pace(self) -> None:
        """Let frames out on the clock until the call is over."""
        while not self.over.is_set():
            if self._paced.sounding:
                await trio.sleep(max(0.0, self._paced.due - self._now()))
                await self._let_out()
            else:
                with trio.move_on_after(max(0.0, self._last_frame + _QUIET - self._now())):
                    await self._changed.wait()
                await self._keep_open()

    async def _let_out(self) -> None:
        now = self._now()
        while self._paced.sounding and (due := self._paced.due) <= now + _HAIR and not self.over.is_set():
            marks, frame = self._paced.next_frame(now)
            for mark in marks:
                self._tell(mark)
            if frame:
                if self.tap is not None:
                    self.tap.to_caller(max(due, self._paced.due - FRAME_SECONDS), frame)
                self._wire.send(self._codec.media(frame if self._resampler is None else self._resampler.feed(frame)))
        self._last_frame = now
        await self._wire.flush()
        if self._paced.waiting <= _LEAD:
            self._changed.tell()

    async def _keep_open(self) -> None:
        if not self._paced.sounding and self._now() + _HAIR >= self._last_frame + _QUIET:
            self._last_frame = self._now()
            self._wire.send(self._codec.media(silence(FRAME_SECONDS, self._codec.rate)))
            await self._wire.flush()

    def _take(self, event: CarrierEvent) -> None:
        if isinstance(event, Media):
            self._last_frame = self._now()
        super()._take(event)


@asynccontextmanager
async def open_clock_leg(
    stream: trio.abc.Stream,
    codec: CarrierCodec,
    *,
    options: LegOptions,
    now: Now,
    tap: Tap | None = None,
) -> AsyncIterator[LocalClockLeg]:
    """Wait for a call on a TCP stream and yield its leg; leaving ends the call and closes the stream.

    Raises CarrierFault for what begins no call, LegClosed where the connection ends or nothing comes in time.
    """
    async with open_carrier_bytes(stream) as wire:
        means = Means(wire=wire, codec=codec, options=options, now=now, tap=tap)
        async with open_leg(LocalClockLeg, means) as leg:
            yield leg

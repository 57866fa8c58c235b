"""A leg whose sound lies in the carrier's buffer: sends ahead by a bounded lead, clears by command, knows from marks
how far it has got. Which marks are out is markings.py's; reading, the caller's side and the end are carrier_leg.py's.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from math import inf

import trio

from orchestrator.adapters.telephony.carrier_leg import CarrierLeg, Means, open_leg
from orchestrator.adapters.telephony.far_sound import FarSound
from orchestrator.adapters.telephony.markings import Markings
from orchestrator.adapters.telephony.options import LegOptions
from orchestrator.adapters.telephony.wire import CarrierWire
from orchestrator.audio import FRAME_SECONDS, SAMPLE_BYTES, seconds_of
from orchestrator.errors import LegClosed
from orchestrator.ports import (
    CallFacts,
    CarrierCodec,
    CarrierControl,
    CarrierEvent,
    Congested,
    MarkBack,
    Now,
    Tap,
)

_CONGESTED = 10.0
"""Seconds after which a carrier that wants no more sound is not believed any more: a lead is over long before."""
_ROOM = 0.4
"""Seconds of sound that go out together once the lead was full: one wake-up and one send for some strides."""
_LEFT = 0.5
"""Seconds of sound that stay at the carrier when some go out together."""
_SOONER = 0.1
"""Seconds by which a mark must tell that less is ahead than was thought, for whoever waits to hear of it."""
_FILL_BEFORE = 0.04
"""Seconds before all that was sent is over, in which what fills no frame must follow: nothing else will."""
_FILL_ROOM = 0.05
"""Seconds that it needs on its way: as much is there at least when the codec keeps all that it may."""
_SPURT = 2
"""How often as much as a longer message keeps must be missing, for a spurt to be over."""
_HAIR = 1e-6
"""Seconds by which rounded times may miss each other: less is no wait."""


class RemoteBufferLeg(CarrierLeg):
    """Implements ports.Leg for carriers that keep the buffer. Made by `open_remote_leg`."""

    def __init__(self, means: Means, *, facts: CallFacts, nursery: trio.Nursery) -> None:
        super().__init__(means, facts=facts, nursery=nursery)
        self._away = means.options.carrier_latency
        self._lead = means.options.lead
        # At least half a second, and what `_fill_when_over` waits for, stays ahead: a stride is written behind it.
        before = max(_FILL_BEFORE, means.codec.keeps + _FILL_ROOM)
        self._room = min(_ROOM, max(0.0, self._lead - self.stride - max(_LEFT, 2 * before)))
        self._markings = Markings(rate=self.rate, most=means.codec.most_marks)
        self._far = FarSound(rate=self.rate)
        self._written = 0
        self._last_written = self._now()
        self._due = self._now()
        """When all that was sent is over in the carrier's buffer, as far as we know."""
        self._congested_until = -inf
        self._filling = False

    async def write(self, pcm: bytes) -> None:
        """Send sound; wait while the carrier has as much ahead as it is to have, or wants none. Raises LegClosed."""
        seconds = seconds_of(pcm, self.rate)
        while not self._closed:
            if (wait := self._must_wait(seconds)) > _HAIR:
                with trio.move_on_after(wait):
                    await self._changed.wait()
            elif self._wire.sending:
                await self._wire.wait_sent()
            else:
                break
        await trio.lowlevel.checkpoint_if_cancelled()  # a cut may come with the room: what is cut must not sound
        if self._closed:
            raise LegClosed(f"the line of call {self.facts.id} is closed")
        self._send_ahead(pcm, seconds)

    def mark(self, name: str) -> None:
        """Ask for word when all that was written before has sounded."""
        if not self.over.is_set():
            self._markings.ask(name, self._written)
            self._send_mark()

    def clear(self) -> None:
        """Throw away what has not sounded: what waits here is dropped, and the command is the next that is sent."""
        if not self.over.is_set():
            self.silence()
            self._wire.drop_unsent()
            self._say(self._codec.clear())
            self._changed.tell()

    # --- for carrier_leg.py ---

    def silence(self) -> None:
        """Forget what has not sounded."""
        now = self._now()
        for at, pcm in self._far.cut(now):
            if self.tap is not None:
                self.tap.to_caller(at, pcm)
        self._markings.clear()
        self._due = min(self._due, now)
        if self._resampler is not None:
            self._resampler.clear()

    def carrier_says(self, event: CarrierEvent) -> None:
        """Take a mark that came back, or that the carrier's buffer is full. That it is empty tells nothing: it may be
        of before what was sent since."""
        if isinstance(event, MarkBack):
            self._mark_back(event)
        elif isinstance(event, Congested):
            self._congested_until = self._now() + _CONGESTED if event.full else -inf
            self._changed.tell()

    def _mark_back(self, event: MarkBack) -> None:
        now = self._now()
        position = self._markings.position_of(event.name)
        # What has left the carrier's buffer is on its way to the ear; nothing counts as heard sooner than it can be.
        played = self._markings.back(event.name, at=now + self._away, cleared=event.cleared)
        if position is None or event.cleared:
            return
        thought, self._due = self._due, max(now, now - self._away + self._seconds(self._written - position))
        for at, pcm in self._far.sounded(position, at=now - self._away):
            if self.tap is not None:
                self.tap.to_caller(at, pcm)
        for mark in played:
            self._tell(mark)
        self._send_mark()
        if self._due < thought - _SOONER:
            self._changed.tell()

    @property
    def _closed(self) -> bool:
        return self.over.is_set() or self._wire.over.is_set()

    def _must_wait(self, seconds: float) -> float:
        """For how long so much more sound has to wait; not at all if none is ahead."""
        now = self._now()
        ahead = self._due - now
        excess = ahead + seconds - self._lead
        room = min(ahead, excess + self._room) if excess > _HAIR else 0.0
        return max(room, self._congested_until - now)

    def _send_ahead(self, pcm: bytes, seconds: float) -> None:
        now = self._now()
        begins = max(self._due, now)
        if self.tap is not None:
            self._far.add(self._written, pcm, expected=begins)
        self._due = begins + seconds
        self._last_written = now
        self._written += len(pcm)
        self._say(self._codec.media(pcm if self._resampler is None else self._resampler.feed(pcm)))
        if not self._filling:
            self._filling = True
            self._nursery.start_soon(self._fill_when_over)

    def _send_mark(self) -> None:
        wire = self._markings.due(self._written, now=self._now(), sounds_until=self._due)
        if wire is not None:
            self._say(self._codec.mark(wire))

    async def _fill_when_over(self) -> None:
        """Send what was kept because it fills no frame, once no more sound followed in time."""
        before = max(_FILL_BEFORE, self._codec.keeps + _FILL_ROOM)
        # A voice that is no faster than speech leaves as little ahead all the time: silence between would add up.
        spurt = max(FRAME_SECONDS, _SPURT * (self._codec.keeps - FRAME_SECONDS))
        left = spurt
        while left > _HAIR:
            await trio.sleep(left)
            left = max(self._due - before, self._last_written + spurt) - self._now()
        self._filling = False
        if not self.over.is_set():
            rest = b"" if self._resampler is None else self._resampler.feed(b"", last=True)
            self._say([*self._codec.media(rest), *self._codec.fill()])

    def _seconds(self, size: int) -> float:
        return size / (SAMPLE_BYTES * self.rate)


def open_remote_leg(
    socket: CarrierWire,
    codec: CarrierCodec,
    *,
    options: LegOptions,
    now: Now,
    tap: Tap | None = None,
    control: CarrierControl | None = None,
) -> AbstractAsyncContextManager[RemoteBufferLeg]:
    """Wait for a call on a socket and yield its leg; leaving ends the call on our side, closing the socket is its own.

    Raises CarrierFault for what begins no call, LegClosed where the connection ends or nothing comes in time.
    """
    means = Means(wire=socket, codec=codec, options=options, now=now, tap=tap, control=control)
    return open_leg(RemoteBufferLeg, means)

"""An in-process telephone line: our leg at one end, paced by our own clock, and a simulated phone at the other.

Only the leg's own task (`open_loopback` runs it) delivers sound; what the phone's owner says, and when, is not decided
here. A link that puts it far away is remote.py's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from attrs import define

from orchestrator.audio import FRAME_SECONDS, SAMPLE_BYTES, seconds_of
from orchestrator.errors import LegClosed
from orchestrator.ports import CallFacts, Digits, HungUp, LegEvent, MarkPlayed, Now, SpeechStarted, Tap, UserTurn

_LEAD = 0.4
"""Seconds of sound that the leg takes ahead: they stay in this process, so that a clear throws all of them away."""
_EVENTS = 1024
"""Events that may wait for the conversation, which always reads: minutes of marks."""
_CALLER_CHUNK = 0.1
_LATE = 0.02
_HAIR = 1e-6
"""Seconds by which rounded times may miss each other: less is no wait."""


@define
class LegStatistics:
    """Frames that went out, and how many of them more than 20 ms after their time."""

    frames: int = 0
    late_frames: int = 0


class LoopbackLeg:
    """Our end of the line: implements ports.Leg. A frame of 20 ms leaves when it is due, none ahead of the clock."""

    latency = 0.0
    stride = 0.2

    def __init__(self, facts: CallFacts, *, rate: int, now: Now, tap: Tap | None = None) -> None:
        self.facts = facts
        self.rate = rate
        self.statistics = LegStatistics()
        self.over = trio.Event()
        self.transferred_to: str | None = None
        self.quiet_since = now()
        self.sounding = False
        self._now = now
        self._tap = tap
        self._buffer = bytearray()
        self._marks: deque[tuple[int, str]] = deque()
        self._accepted = 0
        self._delivered = 0
        self._due = now()
        self._changed = trio.Event()
        self._sender, self._receiver = trio.open_memory_channel[LegEvent](_EVENTS)

    async def write(self, pcm: bytes) -> None:
        """Take sound; wait while more than 0.4 s are still to be played. Raises LegClosed."""
        while len(self._buffer) > SAMPLE_BYTES * self.rate * _LEAD and not self.over.is_set():
            await self.wait_changed()
        # Room and a cut can come in one tick: then the wait ends as if nothing were, and what is cut must not sound.
        await trio.lowlevel.checkpoint_if_cancelled()
        if self.over.is_set():
            raise LegClosed(f"the line of call {self.facts.id} is closed")
        self.take(pcm)

    def mark(self, name: str) -> None:
        """Report when all that was written before has sounded."""
        self._marks.append((self._accepted, name))
        if not self.sounding:
            self._return_marks()

    def clear(self) -> None:
        """Throw away what has not sounded; the frame that is on its way ends within 20 ms."""
        self._buffer.clear()
        self._marks.clear()
        self._accepted = self._delivered

    async def events(self) -> AsyncIterator[LegEvent]:
        """What the phone's owner does, and the marks."""
        async for event in self._receiver:
            yield event

    async def hang_up(self) -> None:
        """End the call from our side."""
        self.end()
        await trio.lowlevel.checkpoint()

    async def transfer(self, to: str) -> None:
        """Note where the caller goes, and leave the call."""
        self.transferred_to = to
        await self.hang_up()

    # --- for the phone, the pacing task and a link ---

    def take(self, pcm: bytes) -> None:
        """Take sound, however much; nothing once the call is over."""
        if self.over.is_set():
            return
        if not self.sounding:  # a new spurt of sound, on a schedule of its own
            self.sounding = True
            self._due = self._now()
        self._buffer += pcm
        self._accepted += len(pcm)
        self._notify()

    def tell(self, event: LegEvent) -> None:
        """Pass on what happened on the line; nothing follows once it is over."""
        if not self.over.is_set():
            self._sender.send_nowait(event)

    def end(self) -> None:
        """The call is over, whoever ended it."""
        if not self.over.is_set():
            self.over.set()
            self.clear()
            self._sender.close()
            self._notify()

    def caller_sounds(self, at: float, pcm: bytes) -> None:
        """The caller's voice, for the recording."""
        if self._tap is not None and not self.over.is_set():
            self._tap.from_caller(at, pcm)

    async def wait_changed(self) -> None:
        """Wait until sound was taken or delivered, or the call is over."""
        await self._changed.wait()

    async def run(self) -> None:
        """Deliver frames on the clock until cancelled."""
        while True:
            while not self.sounding:
                await self.wait_changed()
            await trio.sleep(max(0.0, self._due - self._now()))
            self._return_marks()
            if self._buffer:
                self._deliver_frame()
            else:
                self.sounding = False
                self.quiet_since = self._due
            self._notify()

    def _deliver_frame(self) -> None:
        size = SAMPLE_BYTES * round(self.rate * FRAME_SECONDS)
        frame = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._delivered += len(frame)
        if self._tap is not None:
            self._tap.to_caller(self._due, frame)
        self.statistics.frames += 1
        self.statistics.late_frames += self._now() - self._due > _LATE
        # A frame that is not full ends the spurt, or sound came too late: the next has a schedule of its own.
        self._due += seconds_of(frame, self.rate)

    def _return_marks(self) -> None:
        """Return the marks whose sound is over, each at the time when it was: in the middle of a frame, too."""
        while self._marks and self._marks[0][0] <= self._delivered:
            position, name = self._marks.popleft()
            ago = (self._delivered - position) / (SAMPLE_BYTES * self.rate)
            self.tell(MarkPlayed(name, self._due - ago if self.sounding else self._now()))

    def _notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


class Phone:
    """The caller's end of the line: what a simulated caller does with a telephone."""

    def __init__(self, leg: LoopbackLeg, *, now: Now) -> None:
        self.rate = leg.rate
        self.call_over = leg.over
        self._leg = leg
        self._now = now

    async def speak(self, pcm: bytes, text: str) -> None:
        """Speak in real time, then hand over the words; cancelled, the caller stops there and has said `text`."""
        started = self._now()
        self._leg.tell(SpeechStarted(started))
        size = SAMPLE_BYTES * round(self.rate * _CALLER_CHUNK)
        ended = started
        try:
            for offset in range(0, len(pcm), size):
                chunk = pcm[offset : offset + size]
                self._leg.caller_sounds(ended, chunk)
                ended += seconds_of(chunk, self.rate)
                await trio.sleep(max(0.0, ended - self._now()))
        finally:
            self._leg.tell(UserTurn(text, started, min(ended, self._now())))

    async def press(self, digits: str) -> None:
        """Press keys, a quarter of a second each."""
        await trio.sleep(0.25 * len(digits))
        self._leg.tell(Digits(digits))

    async def wait_bot_speaks(self) -> None:
        """Wait until the bot is sounding, or the call is over."""
        while not self._leg.sounding and not self.call_over.is_set():
            await self._leg.wait_changed()

    async def wait_bot_quiet(self, seconds: float) -> None:
        """Wait until nothing of the bot has sounded for `seconds`, or the call is over."""
        while not self.call_over.is_set():
            if self._leg.sounding:
                await self._leg.wait_changed()
            elif (left := self._leg.quiet_since + seconds - self._now()) > _HAIR:
                with trio.move_on_after(left):
                    await self._leg.wait_changed()
            else:
                return

    def hang_up(self) -> None:
        """End the call from the caller's side."""
        self._leg.tell(HungUp(self._now()))
        self._leg.end()


@asynccontextmanager
async def open_loopback(
    facts: CallFacts, *, rate: int, now: Now, tap: Tap | None = None
) -> AsyncIterator[tuple[LoopbackLeg, Phone]]:
    """Open a line; its pacing task runs until the context is left, which ends the call."""
    leg = LoopbackLeg(facts, rate=rate, now=now, tap=tap)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(leg.run)
        try:
            yield leg, Phone(leg, now=now)
        finally:
            leg.end()
            nursery.cancel_scope.cancel()

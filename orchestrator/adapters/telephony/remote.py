"""Puts a line's sound at the other side of a link, as carriers have it: only marks tell how far it has got.

The line over there is anybody's that can be told things, such as loopback.py's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Protocol

import trio

from orchestrator.audio import seconds_of
from orchestrator.errors import LegClosed
from orchestrator.ports import CallFacts, LegEvent, MarkPlayed, Now

_LEAD = 1.5
"""Seconds of sound that are handed over ahead: over there only a clear can reach them."""
_EVENTS = 1024
"""Events that may wait for the conversation, which always reads: minutes of marks."""
_UNDER_WAY = 4096
"""Messages on a link at a time: sound in pieces of one sample would need more."""
_HAIR = 1e-6
"""Seconds by which rounded times may miss each other: less is no wait."""


class FarLine(Protocol):
    """The line at the other side of the link."""

    facts: CallFacts
    rate: int

    def take(self, pcm: bytes) -> None:
        """Take sound, however much; nothing once the call is over."""

    def mark(self, name: str) -> None:
        """Tell MarkPlayed when all that was taken before has sounded."""

    def clear(self) -> None:
        """Throw away what has not sounded."""

    def end(self) -> None:
        """End the call."""

    def events(self) -> AsyncIterator[LegEvent]:
        """What happens there, in order, until the call is over."""


class _Link:
    """One direction of a link: whatever is sent arrives `latency` seconds later, in order."""

    def __init__(self, latency: float, *, now: Now) -> None:
        self._latency = latency
        self._now = now
        self._sender, self._receiver = trio.open_memory_channel[tuple[float, Callable[[], None]]](_UNDER_WAY)

    def send(self, arrive: Callable[[], None]) -> None:
        """Have `arrive` called at the other side."""
        self._sender.send_nowait((self._now() + self._latency, arrive))

    async def run(self) -> None:
        """Carry until cancelled."""
        async for at, arrive in self._receiver:
            await trio.sleep(max(0.0, at - self._now()))
            arrive()


class RemoteLeg:
    """Our end of a line whose sound lies at the other side of a link: implements ports.Leg.

    `far` plays it there. Sound, marks and clears are `latency` seconds under way, and so is what comes back.
    """

    stride = 0.2

    def __init__(self, far: FarLine, *, latency: float, now: Now) -> None:
        self.facts = far.facts
        self.rate = far.rate
        self.latency = latency
        self.over = trio.Event()
        self.transferred_to: str | None = None
        self._far = far
        self._now = now
        self._there, self._back = _Link(latency, now=now), _Link(latency, now=now)
        self._due = now()
        """When all that was written has sounded over there."""
        self._cleared = trio.Event()
        self._sender, self._receiver = trio.open_memory_channel[LegEvent](_EVENTS)

    async def write(self, pcm: bytes) -> None:
        """Send sound; wait while that would make more than 1.5 s that have not sounded. Raises LegClosed."""
        seconds = seconds_of(pcm, self.rate)
        while not self.over.is_set() and (excess := self._too_far_ahead(seconds)) > _HAIR:
            with trio.move_on_after(excess):
                await self._cleared.wait()
        await trio.lowlevel.checkpoint_if_cancelled()  # a cut may come with the room: what is cut must not sound
        if self.over.is_set():
            raise LegClosed(f"the line of call {self.facts.id} is closed")
        self._due = max(self._due, self._now() + self.latency) + seconds
        self._there.send(partial(self._far.take, pcm))

    def mark(self, name: str) -> None:
        """Ask for word when all that was sent before has sounded."""
        self._there.send(partial(self._far.mark, name))

    def clear(self) -> None:
        """Have thrown away what has not sounded when this message arrives: it is the next that is sent."""
        self._due = min(self._due, self._now() + self.latency)
        self._there.send(self._far.clear)
        self._notify()

    async def events(self) -> AsyncIterator[LegEvent]:
        """What the phone's owner does, and the marks, as word of it arrives."""
        async for event in self._receiver:
            yield event

    async def hang_up(self) -> None:
        """End the call from our side."""
        self._there.send(self._far.end)
        self.end()
        await trio.lowlevel.checkpoint()

    async def transfer(self, to: str) -> None:
        """Note where the caller goes, and leave the call."""
        self.transferred_to = to
        await self.hang_up()

    # --- for the tasks of the link ---

    def end(self) -> None:
        """The call is over, as is known at this side."""
        self.over.set()
        self._sender.close()
        self._notify()

    async def run(self) -> None:
        """Carry messages both ways until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._there.run)
            nursery.start_soon(self._back.run)
            async for event in self._far.events():
                self._back.send(partial(self._tell, event))
            self._back.send(self.end)

    def _tell(self, event: LegEvent) -> None:
        if not self.over.is_set():
            late = MarkPlayed(event.name, event.at + self.latency) if isinstance(event, MarkPlayed) else event
            self._sender.send_nowait(late)

    def _too_far_ahead(self, seconds: float) -> float:
        """For how long so much more sound has to wait; not at all if none is ahead."""
        ahead = self._due - self._now() - self.latency
        return min(ahead, ahead + seconds - _LEAD)

    def _notify(self) -> None:
        self._cleared.set()
        self._cleared = trio.Event()


@asynccontextmanager
async def open_link(far: FarLine, *, latency: float, now: Now) -> AsyncIterator[RemoteLeg]:
    """Have our end of the line `latency` seconds away from `far`; leaving the context ends the call."""
    leg = RemoteLeg(far, latency=latency, now=now)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(leg.run)
        try:
            yield leg
        finally:
            leg.end()
            far.end()
            nursery.cancel_scope.cancel()

"""One keeper owns one link: it alone reads, writes and closes that WebSocket, and returns the slot of what it wrote.

How many links there are and who borrows one is the pool's. A borrower only holds a channel, so that no cancellation of
a reply can ever reach a send.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from functools import partial
from typing import Protocol

import trio
from attrs import frozen

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Complete, Connection, Dial, Failed, Grant, SpeechRequest, VoiceCodec, VoiceFrame
from orchestrator.settings import ProviderSettings
from orchestrator.slot.pace import Pace
from orchestrator.speech.job import Job

_WRITE_WITHIN = 2.0
_SOON = 1.0
"""Seconds: a link that ends so soon after a `complete` was closed because of it."""
_LITTLE_LEFT = 0.1
"""Seconds: a cut request that is so nearly done is drained, any other loses its link."""


class LinkState(Enum):
    """What a link is doing; only an idle one is lent."""

    DIALLING = "dialling"
    IDLE = "idle"
    LENT = "lent"
    ASKED = "asked"
    DRAINING = "draining"
    CLOSING = "closing"
    CLOSED = "closed"


class KeeperHost(Protocol):
    """What a keeper tells its pool."""

    def link_opened(self, keeper: Keeper, after: float) -> None:
        """The link is open, `after` seconds of dialling; link_changed follows."""

    def link_changed(self, keeper: Keeper) -> None:
        """The link is in another state."""

    def link_closed(self, keeper: Keeper) -> None:
        """A link that was open is gone, its close complete; link_changed follows."""

    def link_refused(self, fault: ProviderFault) -> None:
        """The provider refused the request; told before the slot is free again."""

    def link_failed(self, fault: ProviderFault) -> float:
        """The link could not be opened: returns the seconds to wait before its place is free for another try."""

    def link_used_up(self) -> bool:
        """Whether a link is to be closed after its `complete`, as far as is known."""

    def link_closed_after_complete(self) -> None:
        """The provider closed the link right after a `complete`."""


@frozen(kw_only=True)
class Provider:
    """How to reach the provider and what is known of it, the same for all keepers."""

    dial: Dial
    codec: VoiceCodec
    settings: ProviderSettings
    pace: Pace


class Keeper:
    """Owns one link from dialling to closed: run `run` in a nursery of the pool."""

    def __init__(self, host: KeeperHost, provider: Provider, *, number: int) -> None:
        self.number = number
        self.state = LinkState.DIALLING
        self.reason = ""
        self.completed_at = float("-inf")
        self._host = host
        self._provider = provider
        self._job: Job | None = None
        self._opened = False
        self._life = trio.CancelScope()
        self._outbox, self._letters = trio.open_memory_channel[str](1)  # one request at a time

    def __repr__(self) -> str:
        return f"<Keeper {self.number}, {self.state.value}>"

    @property
    def used(self) -> bool:
        """Whether a request was completed on this link."""
        return self.completed_at > float("-inf")

    # --- the borrower's side: synchronous ---

    def lend(self) -> None:
        """Take the link out of the idle ones for one piece."""
        self._enter(LinkState.LENT)

    def ask(self, request: SpeechRequest, grant: Grant) -> tuple[Job, trio.MemoryReceiveChannel[VoiceFrame]]:
        """Send the request; from here on the keeper returns the slot. The frames end after Complete or Failed."""
        grant.occupy()
        job, frames = Job.begin(request, grant, pace=self._provider.pace)
        # A letter that still waits belongs to a request that was answered before it was read: no link to rely on.
        if self.state is LinkState.LENT and not self._outbox.statistics().current_buffer_used:
            self._job = job
            self._outbox.send_nowait(self._provider.codec.encode(request))
            self._enter(LinkState.ASKED)
        else:  # or it went away while it was lent: nothing was written
            self._drop("not to be relied on")
            job.fail(ProviderFault(FaultKind.RETRY, "the link was closed before the request"))
            grant.free("unused")
        return job, frames

    def give_back(self, job: Job | None) -> None:
        """End the loan with its `job`, if one was asked: of that a little rest is drained, else the link is dropped."""
        if job is None and self.state is LinkState.LENT:
            self._enter(LinkState.IDLE)
        elif job is not None and job is self._job:  # else it is complete, and the link may be somebody else's by now
            if job.done_by - trio.current_time() <= self._provider.settings.settle + _LITTLE_LEFT:
                self._enter(LinkState.DRAINING)
            else:
                self._drop("cut")

    # --- the keeper's own task ---

    async def run(self) -> None:
        """Dial, keep, close; returns when the close is complete, any slot returned, and its place may be filled."""
        codec, began = self._provider.codec, trio.current_time()
        try:
            async with self._provider.dial(codec.address(), codec.headers()) as connection:
                self._opened = True
                self._host.link_opened(self, trio.current_time() - began)
                self._enter(LinkState.IDLE)
                self._end_of_life(await self._keep(connection))
        except ProviderFault as fault:
            self.reason = str(fault)
            if not self._opened:
                await trio.sleep(self._host.link_failed(fault))
        finally:
            await self._close()

    async def _keep(self, connection: Connection) -> ProviderFault | None:
        """Read and write until the link ends; return what the provider did to end it, None if we did."""
        fault: ProviderFault | None = None
        with self._life:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(partial(_write, connection, self._letters, drop=self._drop))
                fault = await _read(connection, self._provider.codec, take=self._take)
                nursery.cancel_scope.cancel()
        return fault

    def _take(self, frame: VoiceFrame | None) -> None:
        if frame is None or self._job is None or not self._job.concerns(frame):
            return
        if isinstance(frame, Failed):
            self._host.link_refused(frame.fault)
            refused = frame.fault.kind in (FaultKind.CONCURRENCY, FaultKind.RATE)
            self._job.fail(frame.fault)
            self._free("refused" if refused else "failed")
        elif isinstance(frame, Complete):
            self._job.complete(self._provider.pace)
            self.completed_at = trio.current_time()
            self._free("complete")
        else:
            self._job.pass_on(frame)
            self._enter(self.state)

    def _free(self, cause: str) -> None:
        """The job's terminal frame came: the link is for the next one, or used up; the slot is free."""
        job, self._job = self._job, None
        if self._host.link_used_up():
            self._drop("used once")
            self._enter(LinkState.CLOSING)
        else:
            self._enter(LinkState.IDLE)
        if job is not None:
            job.grant.free(cause)

    def _drop(self, reason: str) -> None:
        self.reason = reason
        self._life.cancel()

    def _end_of_life(self, fault: ProviderFault | None) -> None:
        """Say why the link ends, and learn from it whether the provider closes links after their `complete`."""
        if fault is not None:
            self.reason = str(fault)
            soon = trio.current_time() - self.completed_at < _SOON
            if soon and (self._job is None or self._job.first_audio_at is None):
                self._host.link_closed_after_complete()
        elif not self.reason:
            self.reason = "idle" if self.state is LinkState.IDLE else "no end of the audio in time"
        self._enter(LinkState.CLOSING)

    async def _close(self) -> None:
        """Tell the borrower that the link is gone; the slot follows when the provider has noticed, too."""
        job, self._job = self._job, None
        self._outbox.close()
        if job is not None:
            job.fail(ProviderFault(FaultKind.RETRY, self.reason))
        if self._opened:
            self._host.link_closed(self)
        self._enter(LinkState.CLOSED)
        if job is not None:
            await _settle(job, self._provider.settings.settle)

    def _enter(self, state: LinkState) -> None:
        """Every change of state ends here: the deadline that it means, then word to the pool."""
        now, settings = trio.current_time(), self._provider.settings
        changed, self.state = state is not self.state, state
        if state is LinkState.IDLE and changed:
            self._life.deadline = now + settings.link_idle
        elif self._job is not None:
            self._life.deadline = max(now, self._job.done_by) + settings.overdue
        elif state is LinkState.LENT:
            self._life.deadline = float("inf")
        if changed:
            self._host.link_changed(self)


async def _settle(job: Job, seconds: float) -> None:
    try:
        await trio.sleep(seconds)
    finally:
        job.grant.free("settled")


async def _read(
    connection: Connection, codec: VoiceCodec, *, take: Callable[[VoiceFrame | None], None]
) -> ProviderFault:
    while True:
        try:
            take(codec.decode(await connection.receive()))
        except ProviderFault as fault:
            return fault


async def _write(
    connection: Connection, letters: trio.MemoryReceiveChannel[str], *, drop: Callable[[str], None]
) -> None:
    async for letter in letters:
        with trio.move_on_after(_WRITE_WITHIN) as patience, suppress(ProviderFault):  # the reader sees it, too
            await connection.send(letter)
        if patience.cancelled_caught:  # half a frame is on the wire: this link must not be used again
            drop("the provider stopped reading")

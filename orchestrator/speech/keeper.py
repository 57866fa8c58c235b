"""One keeper owns one link: it alone uses and closes that WebSocket, and returns the slot of what it wrote.

How many links there are and who borrows one is the pool's. A borrower only holds a channel, so that no cancellation of
a reply can ever reach a send.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

import trio
from attrs import frozen

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Complete, Connection, Dial, Failed, Grant, SpeechRequest, VoiceCodec, VoiceFrame
from orchestrator.settings import ProviderSettings
from orchestrator.slot.pace import Pace
from orchestrator.speech.job import Job
from orchestrator.speech.traffic import carry

_SOON = 1.0
"""Seconds: a link that ends so soon after a `complete`, or after it was opened, was closed because of it."""
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

    @property
    def is_open(self) -> bool:
        """Whether there is a socket."""
        return self not in (LinkState.DIALLING, LinkState.CLOSED)


class KeeperHost(Protocol):
    """What a keeper tells its pool."""

    def link_opened(self, keeper: Keeper, after: float) -> None:
        """The link is open, `after` seconds of dialling; link_changed follows."""

    def link_changed(self, keeper: Keeper) -> None:
        """The link is in another state."""

    def link_closed(self, keeper: Keeper) -> None:
        """A link that was open is gone, its close complete; link_changed follows."""

    def link_refused(self, fault: ProviderFault, *, call: str) -> None:
        """The provider refused the request of a call; told before the slot is free again."""

    def link_failed(self, error: Exception) -> float:
        """The link could not be opened or not be kept: returns the seconds to wait before its place is tried again.

        Any `error` but a ProviderFault is a bug.
        """

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
        self.completed = 0
        self.completed_at = float("-inf")
        self._host = host
        self._provider = provider
        self._job: Job | None = None
        self._opened_at: float | None = None
        self._life = trio.CancelScope()
        self._outbox, self._requests = trio.open_memory_channel[SpeechRequest](1)  # one request at a time

    @property
    def lendable(self) -> bool:
        """Whether the link is idle, and not about to be closed for it."""
        return self.state is LinkState.IDLE and not self._life.cancel_called

    # --- the borrower's side: synchronous ---

    def lend(self) -> None:
        """Take the link out of the idle ones for one piece."""
        self._enter(LinkState.LENT)

    def ask(self, request: SpeechRequest, grant: Grant) -> tuple[Job, trio.MemoryReceiveChannel[VoiceFrame]]:
        """Send the request; from here on the keeper returns the slot. The frames end after Complete or Failed."""
        grant.occupy()
        job, frames = Job.begin(request, grant, pace=self._provider.pace)
        # A request that still waits was answered before it was read: no link to rely on.
        if self.state is LinkState.LENT and not self._outbox.statistics().current_buffer_used:
            self._job = job
            self._outbox.send_nowait(request)
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
            if job.nearly_done(self._provider.settings.settle + _LITTLE_LEFT):
                self._enter(LinkState.DRAINING)
            else:
                self._drop("cut")

    # --- the keeper's own task ---

    async def run(self) -> None:
        """Dial, keep, close; returns when the close is complete, any slot returned, and its place may be filled."""
        codec, began = self._provider.codec, trio.current_time()
        failure: Exception | None = None
        try:
            async with self._provider.dial(codec.address(), codec.headers()) as connection:
                self._opened_at = trio.current_time()
                self._host.link_opened(self, self._opened_at - began)
                self._enter(LinkState.IDLE)
                failure = self._end_of_life(await self._keep(connection))
        except ProviderFault as fault:
            self.reason = str(fault)
            failure = fault if self._opened_at is None else None
        except Exception as error:  # a bug, our own or a codec's: it must not end every call
            self.reason, failure = f"a bug: {type(error).__name__}", error
        finally:
            await self._close(0.0 if failure is None else self._host.link_failed(failure))

    async def _keep(self, connection: Connection) -> ProviderFault | None:
        """Read and write until the link ends; return what the provider did to end it, None if we did."""
        codec = self._provider.codec
        with self._life:
            return await carry(connection, codec, requests=self._requests, take=self._take, drop=self._drop)
        return None

    def _take(self, frame: VoiceFrame | None) -> None:
        if frame is None or (job := self._job) is None or not job.concerns(frame):
            return
        if isinstance(frame, Failed):
            self._host.link_refused(frame.fault, call=job.grant.ask.call)
            refused = frame.fault.kind in (FaultKind.CONCURRENCY, FaultKind.RATE)
            job.fail(frame.fault)
            self._free(job, "refused" if refused else "failed")
        elif isinstance(frame, Complete):
            job.complete(self._provider.pace)
            self.completed += 1
            self.completed_at = trio.current_time()
            self._free(job, "complete")
        else:
            job.pass_on(frame)
            self._enter(self.state)

    def _free(self, job: Job, cause: str) -> None:
        """The job's terminal frame came: the link is for the next one, or used up; the slot is free."""
        self._job = None
        if self._host.link_used_up():
            self._drop("used once")
            self._enter(LinkState.CLOSING)
        else:
            self._enter(LinkState.IDLE)
        job.grant.free(cause)

    def _drop(self, reason: str) -> None:
        self.reason = reason
        self._life.cancel()

    def _end_of_life(self, fault: ProviderFault | None) -> ProviderFault | None:
        """Say why the link ends, and what that tells of others; return its fault if it was of no use at all."""
        now = trio.current_time()
        unwelcome = not self.completed and self._job is None and now - (self._opened_at or 0.0) < _SOON
        if fault is not None:
            self.reason = str(fault)
            if now - self.completed_at < _SOON and (self._job is None or self._job.first_audio_at is None):
                self._host.link_closed_after_complete()
        elif not self.reason:
            self.reason = "idle" if self.state is LinkState.IDLE else "no end of the audio in time"
        self._enter(LinkState.CLOSING)
        return fault if unwelcome else None

    async def _close(self, pause: float) -> None:
        """Tell the borrower; the slot follows when the provider has noticed, the link's place after `pause` seconds."""
        job, self._job = self._job, None
        self._outbox.close()
        if job is not None:
            job.fail(ProviderFault(FaultKind.RETRY, self.reason))
        if self._opened_at is not None:
            self._host.link_closed(self)
        async with trio.open_nursery() as nursery:
            if job is not None:
                nursery.start_soon(_settle, job, self._provider.settings.settle)
            if pause:
                await trio.sleep(pause)
            self._enter(LinkState.CLOSED)

    def _enter(self, state: LinkState) -> None:
        """Every change of state ends here: the deadline that it means, then word to the pool."""
        changed, self.state = state is not self.state, state
        if state is LinkState.IDLE and changed:
            self._life.deadline = trio.current_time() + self._provider.settings.link_idle
        elif self._job is not None:
            if (due := self._job.given_up_at(self._provider.settings.overdue)) != self._life.deadline:
                self._life.deadline = due  # only where it moves, which costs more than a frame
        elif state is LinkState.LENT:
            self._life.deadline = float("inf")
        if changed:
            self._host.link_changed(self)


async def _settle(job: Job, seconds: float) -> None:
    try:
        await trio.sleep(seconds)
    finally:
        job.grant.free("settled")

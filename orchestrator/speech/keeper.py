"""One keeper owns one link: it alone uses and closes that WebSocket, and returns the slot of what it wrote.

How many links there are and who borrows one is the pool's, what comes on the link answers.py's. A borrower only holds a
channel, so that no cancellation of a reply can ever reach a send.
"""

from __future__ import annotations

import trio
from attrs import field, frozen

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Connection, Dial, Grant, SpeechRequest, VoiceCodec, VoiceFrame
from orchestrator.settings import ProviderSettings
from orchestrator.slot.pace import Pace
from orchestrator.speech.answers import Answers
from orchestrator.speech.job import Job
from orchestrator.speech.known import Known
from orchestrator.speech.links import KeeperHost, LinkState
from orchestrator.speech.traffic import carry

_SOON = 1.0
"""Seconds: a link that ends so soon after a `complete`, or after it was opened, was closed because of it."""
_LITTLE_LEFT = 0.1
"""Seconds: a cut request that is so nearly done is drained, any other loses its link."""
_COMPLETE_WITHIN = 5.0
"""Seconds in which a `complete` comes that does not keep the slot: four are the provider's usual back-off."""
_CLOSE_SILENT_WITHIN = 0.1
"""Seconds for the good-bye on a link whose peer has fallen silent: the slot waits for its close."""


@frozen(kw_only=True)
class Provider:
    """How to reach the provider and what is known of it, the same for all keepers."""

    dial: Dial
    codec: VoiceCodec
    settings: ProviderSettings
    pace: Pace
    known: Known = field(init=False)

    @known.default
    def _nothing_but_settings(self) -> Known:
        return Known.of(self.settings, self.pace)


class Keeper:
    """Owns one link from dialling to closed: run `run` in a nursery. It has to be open `within` seconds."""

    def __init__(self, host: KeeperHost, provider: Provider, *, number: int, within: float = float("inf")) -> None:
        self.number = number
        self.state = LinkState.DIALLING
        self.reason = ""
        self.answers = Answers(self, host=host, known=provider.known)
        self.replaced_at = float("inf")
        self._host = host
        self._provider = provider
        self._within = within
        self._opened_at: float | None = None
        self._left_at = float("inf")
        self._all = trio.CancelScope()  # dialling, life and closing
        self._life = trio.CancelScope()
        self._outbox, self._requests = trio.open_memory_channel[SpeechRequest](1)  # one request at a time

    @property
    def lendable(self) -> bool:
        """Whether the link is idle, and not about to be closed for it."""
        return self.state is LinkState.IDLE and not self._life.cancel_called

    @property
    def is_leaving(self) -> bool:
        """Whether the link is about to be closed."""
        return self._life.cancel_called

    def lend(self) -> None:
        """Take the link out of the idle ones for one piece."""
        self.enter(LinkState.LENT)

    def ask(self, request: SpeechRequest, grant: Grant) -> tuple[Job, trio.MemoryReceiveChannel[VoiceFrame]]:
        """Send the request; from here on the keeper returns the slot. The frames end after Complete or Failed."""
        grant.occupy()
        job, frames = Job.begin(request, grant, known=self._provider.known)
        # A request that still waits was answered before it was read: no link to rely on.
        if self.state is LinkState.LENT and not self._outbox.statistics().current_buffer_used:
            self.answers.job = job
            self._outbox.send_nowait(request)
            self.enter(LinkState.ASKED)
        else:  # or it went away while it was lent: nothing was written
            self.drop("not to be relied on")
            job.fail(ProviderFault(FaultKind.RETRY, "the link was closed before the request"))
            grant.free("unused")
        return job, frames

    def give_back(self, job: Job | None) -> None:
        """End the loan with its `job`, if one was asked: of that a little rest is drained, else the link is dropped."""
        if job is None and self.state is LinkState.LENT:
            self.enter(LinkState.IDLE)
        elif job is not None and job is self.answers.job and not job.over:  # else the link may be somebody else's
            if job.nearly_done(self._host.settle_seconds + _LITTLE_LEFT):
                self.enter(LinkState.DRAINING)
            else:
                self.drop("cut")

    # --- the link's life ---

    def drop(self, reason: str) -> None:
        """Close the link; a request on it is given up."""
        self.reason = reason
        self._life.cancel()

    def enter(self, state: LinkState) -> None:
        """Every change of state ends here: the deadline that it means, then word to the pool."""
        changed, self.state = state is not self.state, state
        if changed:
            self.replaced_at = float("inf")
        if state is LinkState.IDLE and changed:
            self._life.deadline = self.replaced_at = self._host.replacement_time()
        elif state is LinkState.TRAILING:
            self._life.deadline = trio.current_time() + _COMPLETE_WITHIN
        elif (job := self.answers.job) is not None:
            if (due := job.given_up_at(self._provider.settings.overdue)) != self._life.deadline:
                self._life.deadline = due  # only where it moves, which costs more than a frame
        elif state is LinkState.LENT:
            self._life.deadline = float("inf")
        if changed:
            self._host.link_changed(self)

    async def run(self) -> None:
        """Dial, keep, close; returns when the close is complete and any slot returned."""
        began = trio.current_time()
        failure: Exception | None = None
        try:
            failure = await self._live(began)
        except ProviderFault as fault:
            self.reason = str(fault)
            failure = fault if self._opened_at is None else None
        except Exception as error:  # a bug, our own or a codec's: it must not end every call
            self.reason, failure = f"a bug: {type(error).__name__}", error
        finally:
            if failure is not None:
                self._host.link_failed(failure, began=began)
            await self._close()

    async def _live(self, began: float) -> ProviderFault | None:
        """Dial and keep; return the fault of a link that was of no use at all."""
        codec = self._provider.codec
        self._all.deadline = began + self._within
        failure: ProviderFault | None = None
        with self._all:
            async with self._provider.dial(codec.address(), codec.headers()) as connection:
                if not self._all.cancel_called:
                    self._all.deadline = float("inf")
                    self._opened_at = trio.current_time()
                    self._host.link_opened(self, self._opened_at - began)
                    self.enter(LinkState.IDLE)
                    failure = self._end_of_life(await self._keep(connection))
        if self._opened_at is None:
            raise ProviderFault(FaultKind.RETRY, f"{codec.address()} did not let us in within {self._within:g} s")
        return failure

    async def _keep(self, connection: Connection) -> ProviderFault | None:
        """Read and write until the link ends; return what the provider did to end it, None if we did."""
        codec, take = self._provider.codec, self.answers.take
        with self._life:
            return await carry(connection, codec, requests=self._requests, take=take, stuck=self._life.cancel)
        return None

    def _end_of_life(self, fault: ProviderFault | None) -> ProviderFault | None:
        """Say why the link ends, and what that tells of others; return its fault if it was of no use at all."""
        now, answers = trio.current_time(), self.answers
        self._left_at = now
        unwelcome = not answers.completed and answers.job is None and now - (self._opened_at or 0.0) < _SOON
        if fault is not None:
            self.reason = str(fault)
            after_complete = answers.just_complete(_SOON)
            tell = self._host.link_closed_after_complete if after_complete else self._host.link_cut
            tell()
            answers.end(fault, expected=after_complete)
        elif not self.reason:
            self.reason = "idle" if self.state is LinkState.IDLE else answers.fall_silent()
            if self.state is not LinkState.IDLE:
                self._all.deadline = now + _CLOSE_SILENT_WITHIN
        self.enter(LinkState.CLOSING)
        return fault if unwelcome else None

    async def _close(self) -> None:
        """The link is gone, and its place free; its request's slot follows when the provider has noticed."""
        job, self.answers.job = self.answers.job, None
        self._outbox.close()
        if job is not None and not job.over:
            job.fail(ProviderFault(FaultKind.RETRY, self.reason))
        if self._opened_at is not None:
            self._host.link_closed(self)
        self.enter(LinkState.CLOSED)
        if job is not None:
            await _settle(job, min(self._left_at, trio.current_time()) + self._host.settle_seconds)


async def _settle(job: Job, until: float) -> None:
    try:
        await trio.sleep_until(until)
    finally:
        job.grant.free("settled")

"""Takes what comes on one link: whose it is, what it means for the request, and when that request's slot is free.

The link's life, and everything that is written on it, is its keeper's.
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

import trio

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Complete, Failed, VoiceFrame
from orchestrator.slot import limits
from orchestrator.speech.job import Job
from orchestrator.speech.known import Known
from orchestrator.speech.links import AfterQuiet, KeeperHost, LinkState


class Link(Protocol):
    """What a link's keeper does as its answers ask for it."""

    state: LinkState

    def enter(self, state: LinkState) -> None:
        """Go on in this state, or anew in the same."""

    def drop(self, reason: str) -> None:
        """Close the link."""


class Answers:
    """What comes on one link: of its `job`, while it has one. `completed` counts the requests that it served whole.

    `owed` is the request whose `complete` is still to come though its slot is free by quiet, "" if there is none.
    """

    def __init__(self, link: Link, *, host: KeeperHost, known: Known) -> None:
        self.job: Job | None = None
        self.completed = 0
        self.owed = ""
        self.completed_at = float("-inf")
        self._link = link
        self._host = host
        self._known = known

    def take(self, frame: VoiceFrame | None) -> None:
        """Take a frame. Raises ProviderFault for more than anybody asked for."""
        if isinstance(frame, Complete) and frame.id == self.owed != "":
            self._settle_owed()
        if frame is None or (job := self.job) is None or not job.concerns(frame):
            return
        if isinstance(frame, Failed):
            self._host.request_refused(frame.fault, call=job.grant.ask.call)
            refused = frame.fault.kind in (FaultKind.CONCURRENCY, FaultKind.RATE)
            job.fail(frame.fault)
            if refused and self.owed:
                self._link.drop("its request may count on")
            self._free(job, "refused" if refused else "failed")
        elif isinstance(frame, Complete):
            self._complete(job)
        else:
            self._pass_on(job, frame)

    def just_complete(self, within: float) -> bool:
        """Whether the last that came was a `complete`, `within` seconds ago."""
        heard = self.job is not None and self.job.first_audio_at is not None
        return not heard and trio.current_time() - self.completed_at < within

    def fall_silent(self) -> str:
        """Nothing came in time: the request has failed, unless all its sound is there; return what happened."""
        job = self.job
        if job is None or job.over:
            return "no answer in time"
        fault = limits.silence(job.silent_for())
        if job.is_whole:
            self._host.complete_trailed(job.silent_for())
            job.complete(job.heard_at)
            return f"no `complete` in {job.silent_for():.1f} s"
        self._known.silence.failed(begun=job.first_audio_at is not None)
        self._host.request_failed(fault)
        job.fail(fault)
        return fault.message

    def end(self, fault: ProviderFault, *, expected: bool) -> None:
        """The provider ended the link: the request ends with it, whole if all its sound is there.

        `expected` says that the link would have ended with any provider that is well.
        """
        job = self.job
        if job is None or job.over:
            return
        if job.is_whole:
            job.complete(job.heard_at)
            return
        if job.first_audio_at is None and not expected:
            self._host.request_failed(fault)
        job.fail(fault)

    def _pass_on(self, job: Job, frame: VoiceFrame) -> None:
        begun = job.first_audio_at is not None
        job.pass_on(frame)
        if not begun and job.first_audio_at is not None:
            self._host.request_answered()
        if self._known.freeing.by == "quiet" and not job.watched and job.is_whole:
            job.watched = True
            self._host.start_watch(partial(self._free_when_quiet, job))
        self._link.enter(self._link.state)

    def _complete(self, job: Job) -> None:
        """The provider has answered all of a request."""
        self._host.request_answered()
        if job.first_audio_at is not None:
            self._host.complete_trailed(trio.current_time() - job.heard_at)
        job.complete(trio.current_time())
        self._note_complete()
        self._free(job, "complete")

    def _settle_owed(self) -> None:
        self.owed = ""
        if self._link.state is LinkState.TRAILING:
            self._note_complete()
            self._link.enter(LinkState.IDLE)

    def _note_complete(self) -> None:
        self.completed += 1
        self.completed_at = trio.current_time()

    def _free(self, job: Job, cause: str) -> None:
        """The job's terminal frame came: the link is for the next one, or used up; the slot is free."""
        self.job = None
        if self._host.link_used_up():
            self._link.drop("used once")
            self._link.enter(LinkState.CLOSING)
        else:
            self._link.enter(LinkState.IDLE)
        job.grant.free(cause)

    # --- slots that are free by quiet ---

    async def _free_when_quiet(self, job: Job) -> None:
        """Wait until a piece that is whole has been quiet for long enough."""
        while self.job is job and not job.over and job.is_whole:
            due = job.heard_at + self._known.freeing.quiet
            if due <= trio.current_time():
                self._free_by_quiet(job)
                return
            await trio.sleep_until(due)
        if self.job is job:
            job.watched = False  # more sound came: it was not all
            self._link.enter(self._link.state)

    def _free_by_quiet(self, job: Job) -> None:
        freeing, now = self._known.freeing, trio.current_time()
        job.complete(now)
        if not freeing.trusts_quiet:
            self._link.drop("quiet")  # the slot follows when the link is gone
            return
        freeing.freed(now)
        self.job, self.owed = None, job.request.id
        match self._host.link_quiet():
            case AfterQuiet.AGAIN:
                self._link.enter(LinkState.IDLE)
            case AfterQuiet.WAIT:
                self._link.enter(LinkState.TRAILING)
            case AfterQuiet.DROP:
                self._link.drop("used once")
                self._link.enter(LinkState.CLOSING)
        job.grant.free("complete")

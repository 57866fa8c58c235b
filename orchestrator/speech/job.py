"""The one request that a link is busy with: passes its frames to the borrower, and knows when it should be done.

Reading and writing, and what follows from a late end, are the keeper's; how late is too late is silence.py's.
"""

from __future__ import annotations

from contextlib import suppress

import trio
from attrs import define

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Complete, Failed, Grant, Sound, SpeechRequest, VoiceFrame, WordTime
from orchestrator.speech.endings import Sounded
from orchestrator.speech.known import Known

_ROOM = 4096
"""Frames a borrower may leave unread: thrice a piece of 250 characters in chunks of 20 ms with its word times."""


@define(eq=False)
class Job:
    """A request on its way.

    `done_by` is when it should be complete, as far as the provider's pace is known; `heard_at` when sound or a word's
    time came; `over` says that the borrower was told its end, `watched` that somebody waits for its quiet.
    """

    request: SpeechRequest
    grant: Grant
    frames: trio.MemorySendChannel[VoiceFrame]
    written_at: float
    done_by: float
    sounded: Sounded
    known: Known
    heard_at: float = float("-inf")
    first_audio_at: float | None = None
    over: bool = False
    watched: bool = False

    @classmethod
    def begin(
        cls, request: SpeechRequest, grant: Grant, *, known: Known
    ) -> tuple[Job, trio.MemoryReceiveChannel[VoiceFrame]]:
        """Start the clock for `request`; return the job and the borrower's end of its frames."""
        now = trio.current_time()
        sender, frames = trio.open_memory_channel[VoiceFrame](_ROOM)
        done_by = now + known.pace.slot_seconds(len(request.text))
        return cls(request, grant, sender, now, done_by, Sounded(request.text, request.rate), known), frames

    def concerns(self, frame: VoiceFrame) -> bool:
        """Whether a frame is of this request: late frames of an earlier piece carry that piece's id."""
        return not self.over and frame.id in ("", self.request.id)

    def nearly_done(self, within: float) -> bool:
        """Whether it should end `within` seconds, or is late while its frames still come, no more than that apart."""
        return self.done_by - within <= trio.current_time() <= max(self.done_by, self.heard_at + within)

    def given_up_at(self, overdue: float) -> float:
        """When it has been silent for too long; past its predicted end that is after `overdue` seconds at most."""
        if self.watched:
            return float("inf")
        if self.first_audio_at is None:
            return self.written_at + self.known.silence.first_within()
        return min(self.heard_at + self.known.silence.next_within(), max(self.done_by, self.heard_at) + overdue)

    def silent_for(self) -> float:
        """Seconds since anything came of it."""
        return trio.current_time() - max(self.heard_at, self.written_at)

    @property
    def is_whole(self) -> bool:
        """Whether all its sound has come, as far as can be told without the provider's word for it."""
        return self.first_audio_at is not None and self.known.endings.is_whole(self.sounded)

    def pass_on(self, frame: VoiceFrame) -> None:
        """Hand a frame to the borrower, if it is still there. Raises ProviderFault when it got far too many."""
        if isinstance(frame, Sound):
            self._note_sound(frame.pcm)
        elif isinstance(frame, WordTime):
            self.heard_at = trio.current_time()
            self.sounded.word = frame
        try:
            self.frames.send_nowait(frame)
        except trio.BrokenResourceError:
            pass  # the borrower is gone: the rest is drained
        except trio.WouldBlock as full:
            raise ProviderFault(FaultKind.RETRY, "far more frames than the text asked for") from full

    def complete(self, until: float) -> None:
        """All of it came, and it held the slot `until` then: tell the borrower, and learn from the times."""
        known, sounded = self.known, self.sounded
        if self.first_audio_at is not None:
            known.silence.ended()
            known.endings.learn(sounded)
            known.pace.learn(
                ttfb=self.first_audio_at - self.written_at,
                held=until - self.written_at,
                trail=until - self.heard_at,
                audio=sounded.audio,
                characters=len(self.request.text),
            )
        self._end(Complete(self.request.id))

    def fail(self, fault: ProviderFault) -> None:
        """The request will not be completed: tell the borrower."""
        self._end(Failed(self.request.id, fault))

    def _note_sound(self, pcm: bytes) -> None:
        if not pcm:
            return
        now, silence = trio.current_time(), self.known.silence
        if self.first_audio_at is None:
            self.first_audio_at = now
            silence.first_came(now - self.written_at)
        else:
            silence.next_came(now - self.heard_at)
        self.heard_at = now
        self.sounded.add(pcm)

    def _end(self, frame: Complete | Failed) -> None:
        self.over = True
        with suppress(ProviderFault):  # full: the borrower sees the channel end without a terminal frame
            self.pass_on(frame)
        self.frames.close()

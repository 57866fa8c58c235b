"""The one request that a link is busy with: passes its frames to the borrower and knows when it should be done.

Reading and writing, and what follows from a late end, are the keeper's.
"""

from __future__ import annotations

from contextlib import suppress

import trio
from attrs import define

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Complete, Failed, Grant, Sound, SpeechRequest, VoiceFrame
from orchestrator.slot.pace import Pace

_ROOM = 4096
"""Frames a borrower may leave unread: thrice a piece of 250 characters in chunks of 20 ms with its word times."""


@define
class Job:
    """A request on its way.

    `done_by` is when it should be complete, as far as the provider's pace is known; `heard_at` when a frame came.
    """

    request: SpeechRequest
    grant: Grant
    frames: trio.MemorySendChannel[VoiceFrame]
    written_at: float
    done_by: float
    heard_at: float = float("-inf")
    first_audio_at: float | None = None
    audio: float = 0.0

    @classmethod
    def begin(
        cls, request: SpeechRequest, grant: Grant, *, pace: Pace
    ) -> tuple[Job, trio.MemoryReceiveChannel[VoiceFrame]]:
        """Start the clock for `request`; return the job and the borrower's end of its frames."""
        now = trio.current_time()
        sender, frames = trio.open_memory_channel[VoiceFrame](_ROOM)
        return cls(request, grant, sender, now, now + pace.slot_seconds(len(request.text))), frames

    def concerns(self, frame: VoiceFrame) -> bool:
        """Whether a frame is of this request: late frames of an earlier piece carry that piece's id."""
        return frame.id in ("", self.request.id)

    def nearly_done(self, within: float) -> bool:
        """Whether it should end `within` seconds, or is late while its frames still come, no more than that apart."""
        return self.done_by - within <= trio.current_time() <= max(self.done_by, self.heard_at + within)

    def given_up_at(self, overdue: float) -> float:
        """When it is `overdue` seconds past its predicted end without a frame."""
        return max(self.done_by, self.heard_at) + overdue

    def pass_on(self, frame: VoiceFrame) -> None:
        """Hand a frame to the borrower, if it is still there. Raises ProviderFault when it got far too many."""
        self.heard_at = trio.current_time()
        if isinstance(frame, Sound):
            self.audio += len(frame.pcm) / (2 * self.request.rate)
            if self.first_audio_at is None:
                self.first_audio_at = self.heard_at
        try:
            self.frames.send_nowait(frame)
        except trio.BrokenResourceError:
            pass  # the borrower is gone: the rest is drained
        except trio.WouldBlock as full:
            raise ProviderFault(FaultKind.RETRY, "far more frames than the text asked for") from full

    def complete(self, pace: Pace) -> None:
        """The terminal frame came: tell the borrower, and learn from the times."""
        if self.first_audio_at is not None:
            pace.learn(
                ttfb=self.first_audio_at - self.written_at,
                held=trio.current_time() - self.written_at,
                audio=self.audio,
                characters=len(self.request.text),
            )
        self._end(Complete(self.request.id))

    def fail(self, fault: ProviderFault) -> None:
        """The request will not be completed: tell the borrower."""
        self._end(Failed(self.request.id, fault))

    def _end(self, frame: Complete | Failed) -> None:
        with suppress(ProviderFault):  # full: the borrower sees the channel end without a terminal frame
            self.pass_on(frame)
        self.frames.close()

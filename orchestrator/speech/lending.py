"""What a borrower holds of a link: its place among those who wait for one, and the use of it for one piece."""

from __future__ import annotations

import trio
from attrs import Factory, define

from orchestrator.ports import Grant, SpeechRequest, VoiceFrame
from orchestrator.speech.job import Job
from orchestrator.speech.keeper import Keeper


@define(eq=False)
class Borrower:
    """A task that waits for a link: `answered` is set when it has one, or none is to be had."""

    keeper: Keeper | None = None
    answered: trio.Event = Factory(trio.Event)


class Lease:
    """A borrower's use of one link for one piece."""

    def __init__(self, keeper: Keeper) -> None:
        self.link = keeper.number
        self._keeper = keeper
        self._job: Job | None = None

    def ask(self, request: SpeechRequest, grant: Grant) -> trio.MemoryReceiveChannel[VoiceFrame]:
        """Send the request; its frames end with Complete or Failed. The keeper returns the slot from here on."""
        self._job, frames = self._keeper.ask(request, grant)
        return frames

    def end(self) -> None:
        """Give the link back; harmless when the request is complete."""
        self._keeper.give_back(self._job)

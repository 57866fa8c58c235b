"""Events of video answers: what became of a job, and what the service refused."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from orchestrator.events.base import CallEvent, Event


@frozen(kw_only=True)
class VideoAccepted(Event):
    """A job is in the queue, and survives us. `waiting` counts those not yet submitted, this one too."""

    level: ClassVar[str] = "info"
    job: str
    owner: str
    waiting: int


@frozen(kw_only=True)
class VideoGivenUp(CallEvent):
    """A bot's wish for a video came to no job: its sound could not be made or kept, or the queue took none."""

    level: ClassVar[str] = "warning"
    bot: str
    error: str


@frozen(kw_only=True)
class VideoSubmitted(Event):
    """The service took a job (alone, or in a batch) after `waited` seconds in the queue."""

    level: ClassVar[str] = "info"
    job: str
    generation: str
    waited: float


@frozen(kw_only=True)
class VideoEnded(Event):
    """A job ended, once. `seconds` from its acceptance; `told_by` is webhook, poll or queue."""

    level: ClassVar[str] = "info"
    job: str
    state: str
    code: str
    seconds: float
    told_by: str


@frozen(kw_only=True)
class VideoRefused(Event):
    """The service refused a request, or failed; what is done about it is the kind's (errors.FaultKind)."""

    level: ClassVar[str] = "warning"
    job: str
    kind: str
    code: str
    error: str


@frozen(kw_only=True)
class VideosBeyondPlan(Event):
    """Others use the account: so many generations that are not ours, by its list."""

    level: ClassVar[str] = "info"
    others: int
    ours: int
    limit: int


@frozen(kw_only=True)
class QueueStopped(Event):
    """The queue can't be written (a full disk, say): nothing new is begun until it can."""

    level: ClassVar[str] = "error"
    error: str

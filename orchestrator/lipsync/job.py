"""What a job is: one video that was asked for, from the moment that it is accepted to its end; pure values.

What happens next to a job is plan.py's, where jobs are kept store.py's.
"""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from orchestrator.ports import VideoRequest

ALONE = "-"
"""What stands in `Job.together` of a job that no batch takes."""


class JobState(Enum):
    """Where a job is; the last four are its end."""

    WAITING = "waiting"
    """Accepted, and not yet asked for."""
    SENDING = "sending"
    """A create request has begun whose answer is not known: it may have been carried out."""
    SUBMITTED = "submitted"
    """The service is making it: `generation` (or `batch`) is known."""
    COMPLETED = "completed"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to the job unless it is retried."""
        return self in (JobState.COMPLETED, JobState.FAILED, JobState.REJECTED, JobState.CANCELLED)


@frozen(kw_only=True)
class Job:
    """One video that was asked for. Times are Unix seconds; a new state is a new value (`attrs.evolve`).

    `key` is the Idempotency-Key, drawn when the job is accepted or retried, and so stored before the first attempt.
    """

    id: str
    key: str
    request: VideoRequest
    accepted_at: float
    serial: int = 0
    """Numbered by the store in the order of acceptance."""
    owner: str = ""
    """The bot or whoever asked: jobs of different owners take turns."""
    call: str = ""
    name: str = ""
    """What whoever asked calls it: the request_id of its line of a batch file."""
    priority: int = 0
    """Higher goes first."""
    together: str = ""
    """Jobs with the same word here go as one batch where the plan and their number let them; empty: by policy, ALONE:
    in none."""
    deadline: float | None = None
    """When the video must be there: a job that can't be ready by then is not begun."""
    state: JobState = JobState.WAITING
    attempted_at: float | None = None
    """When the last create request began."""
    submitted_at: float | None = None
    ended_at: float | None = None
    generation: str = ""
    """The service's id, once it is known."""
    batch: str = ""
    """The batch that it went with: its Idempotency-Key while that is SENDING, then the service's id."""
    output_url: str = ""
    output_duration: float | None = None
    error: str = ""
    """Why it ended without a video, or, while it waits, why it could not be sent; in words for people."""
    code: str = ""
    """The service's word for it, or ours: deadline_passed, file_unreadable."""
    tries: int = 0
    """Create requests that were begun."""
    notified: bool = False
    """Whether `lipsync.notify_url` has taken the news of its end."""

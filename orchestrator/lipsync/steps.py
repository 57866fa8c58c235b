"""The steps that the queue of videos can take: what is done, what it is about, how many requests it makes; values.

Which are taken is decided by plan.py; queue.py carries them out.
"""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen


@frozen
class Upload:
    """Put the files of a job where the service reads them; `files` is how many they are."""

    job: str
    files: int = 1

    @property
    def requests(self) -> int:
        """Two for each file: where it may be put, and its bytes, wherever these are counted."""
        return 2 * self.files


@frozen
class Submit:
    """Begin a create request."""

    requests: ClassVar[int] = 1
    job: str


@frozen
class SubmitBatch:
    """Send waiting jobs as one batch."""

    requests: ClassVar[int] = 1
    jobs: tuple[str, ...]


@frozen
class Look:
    """Ask for the list of what is PENDING or PROCESSING: which of ours have ended, and what others have begun."""

    requests: ClassVar[int] = 1


@frozen
class Fetch:
    """Ask for a generation that is not live any more, or of which we were told so, and end its job."""

    requests: ClassVar[int] = 1
    job: str


@frozen
class FetchBatch:
    """Ask for a batch, and for its results if it has ended."""

    requests: ClassVar[int] = 2
    batch: str


@frozen
class Resolve:
    """Find out whether a create request of a job was carried out whose answer is not known: look into the list for it,
    and if it is not there, let the job wait again with the same Idempotency-Key."""

    requests: ClassVar[int] = 1
    job: str


@frozen
class ResolveBatch:
    """The same for a batch; `key` is the Idempotency-Key that its jobs hold as `batch`."""

    requests: ClassVar[int] = 1
    key: str


@frozen
class GiveUp:
    """End waiting jobs without a video, all for the same `reason`, which is for people; `code` is the word for it."""

    requests: ClassVar[int] = 0
    jobs: tuple[str, ...]
    reason: str
    code: str


Step = Upload | Submit | SubmitBatch | Look | Fetch | FetchBatch | Resolve | ResolveBatch | GiveUp


def about(step: Step) -> str:
    """Return what a step is about: an id of a job (the first of those given up) or batch, an Idempotency-Key, "look",
    or "batch" for a new one."""
    match step:
        case SubmitBatch():
            return "batch"
        case Look():
            return "look"
        case GiveUp(jobs=jobs):
            return jobs[0]
        case FetchBatch(batch=name) | ResolveBatch(key=name):
            return name
        case _:
            return step.job

"""What crosses between the queue of videos and the service that makes them: requests, generations, batches.

Values and one protocol; the wire format is the adapter's, what is to be done next is lipsync/plan.py's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

from attrs import Factory, frozen

GenerationStatus = Literal["PENDING", "PROCESSING", "COMPLETED", "FAILED", "REJECTED"]
"""What the service calls the state of a generation; the last three are its end."""
LIVE: tuple[GenerationStatus, ...] = ("PENDING", "PROCESSING")
"""States that count against the plan."""
FEWEST_IN_BATCH, MOST_IN_BATCH = 20, 500
"""Lines of a batch (published)."""
BatchStatus = Literal["PENDING", "JOBS_CREATED", "PROCESSING", "COMPLETED", "FAILED", "VALIDATED"]


@frozen(kw_only=True)
class VideoRequest:
    """One video to be made, in the service's own words: the body of its create request.

    `input` holds one visual item and the sound, as on the wire (`{"type": "video", "url": ...}`); a `url` that begins
    with `file:` is a file of ours that is to be uploaded first. `webhook_url` is where the service tells the end.
    """

    model: str
    input: tuple[Mapping[str, Any], ...]
    options: Mapping[str, Any] = Factory(dict)
    segments: tuple[Mapping[str, Any], ...] = ()
    webhook_url: str = ""
    output_file_name: str = ""

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The `file:` URLs that are still to be uploaded."""
        return tuple(url for item in self.input if (url := str(item.get("url", ""))).startswith("file:"))


@frozen(kw_only=True)
class Generation:
    """A video in the making, or made, as the service tells of it. Times are Unix seconds, the duration seconds."""

    id: str
    status: GenerationStatus
    model: str = ""
    input: tuple[Mapping[str, Any], ...] = ()
    created_at: float | None = None
    webhook_url: str = ""
    output_url: str = ""
    output_duration: float | None = None
    error: str = ""
    error_code: str = ""

    @property
    def live(self) -> bool:
        """Whether it counts against the plan."""
        return self.status in LIVE


@frozen(kw_only=True)
class BatchLine:
    """One line of a batch: our id of the job, and what is to be made."""

    request_id: str
    request: VideoRequest


@frozen(kw_only=True)
class Batch:
    """A batch as the service tells of it."""

    id: str
    status: BatchStatus
    created_at: float | None = None
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    output_url: str = ""
    webhook_url: str = ""

    @property
    def live(self) -> bool:
        """Whether it is still being worked on."""
        return self.status in ("PENDING", "JOBS_CREATED", "PROCESSING")


@frozen(kw_only=True)
class BatchResult:
    """What became of one line of a batch."""

    request_id: str
    status: GenerationStatus
    generation_id: str = ""
    output_url: str = ""
    error: str = ""
    error_code: str = ""


class AvatarService(Protocol):
    """Makes videos. Everything raises AvatarFault and nothing else, but OSError for files of ours."""

    async def create(self, request: VideoRequest, *, idempotency_key: str) -> Generation:
        """Have a video made. The same key again makes none twice, where the service honours it."""

    async def get(self, generation_id: str, *, wait: int = 0) -> Generation:
        """Return a generation, at its end or after `wait` seconds (1 to 10; 0: at once)."""

    async def listing(
        self, *, statuses: Collection[GenerationStatus] = (), limit: int = 100, cursor: str = ""
    ) -> Sequence[Generation]:
        """Return generations of the account, whoever began them, the newest first; `cursor` is the last id seen."""

    async def upload(self, path: Path) -> str:
        """Put a file of ours where the service reads it, and return its URL."""

    async def create_batch(
        self, lines: Sequence[BatchLine], *, webhook_url: str = "", idempotency_key: str = "", dry_run: bool = False
    ) -> Batch:
        """Have 20 to 500 videos made as one batch; `dry_run`: have its lines checked only."""

    async def batch(self, batch_id: str) -> Batch:
        """Return a batch."""

    async def batches(self, *, created_after: float | None = None) -> Sequence[Batch]:
        """Return the account's batches, the newest first."""

    async def results(self, batch: Batch) -> Sequence[BatchResult]:
        """Return what became of the lines of a batch that has ended."""

"""One generation and one batch of them: what each is at a time, and how clients are told of it; what they come to was
decided when they began."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import define, field, frozen

from orchestrator.ports.avatars import BatchStatus, GenerationStatus
from simulations.sync.wanted import Wanted


@frozen(kw_only=True)
class End:
    """What becomes of a generation."""

    status: GenerationStatus = "COMPLETED"
    error: str = ""
    code: str = ""

    @property
    def completed(self) -> bool:
        """Whether there is a video."""
        return self.status == "COMPLETED"


@define(eq=False, kw_only=True)
class Generation:
    """One generation. `created` is a time of the wall clock, all others are of the service's own."""

    id: str
    created: float
    wanted: Wanted
    begun: float
    starts: float
    """PENDING until then."""
    ends: float
    """PROCESSING until then."""
    end: End
    duration: float
    """Of the video, in seconds."""
    source: str = "api"
    """Or batch, or studio (another user)."""
    video: str = ""
    """The id of the file here that it is made of, if it is one."""

    def status(self, now: float) -> GenerationStatus:
        """Return what it is now."""
        if now < self.starts:
            return "PENDING"
        return "PROCESSING" if now < self.ends else self.end.status

    def live(self, now: float) -> bool:
        """Whether it counts against the plan."""
        return now < self.ends

    def progress(self, now: float) -> int:
        """Return how much is done, in per cent."""
        return round(100 * min(1.0, max(0.0, (now - self.starts) / (self.ends - self.starts))))

    def page(self, now: float, *, output_url: str) -> dict[str, Any]:
        """Return what clients are told, both spellings of each field that has two."""
        wanted, over = self.wanted, now >= self.ends
        done = over and self.end.completed
        url = output_url if done else None
        error = self.end.error or None if over else None
        code = self.end.code or None if over else None
        segments = {"segments": list(wanted.segments), "segmentOutputUrl": None} if wanted.segments else {}
        name = {"outputFileName": wanted.output_file_name} if wanted.output_file_name else {}
        return {
            "id": self.id,
            "createdAt": iso(self.created),
            "status": self.status(now),
            "model": wanted.model,
            "input": list(wanted.input),
            "options": dict(wanted.options),
            "webhookUrl": wanted.webhook_url or None,
            "outputUrl": url,
            "outputMediaUrl": url,
            "outputDuration": self.duration if done else None,
            **segments,
            **name,
            "error": error,
            "error_code": code,
            "errorCode": code,
        }


@frozen(kw_only=True)
class Line:
    """One line of a batch."""

    request_id: str
    generation: Generation

    def page(self, now: float, *, output_url: str) -> dict[str, Any]:
        """Return the line of the results; its shape is that of the vendor's own tools, both spellings."""
        made, end = self.generation, self.generation.end
        result: Mapping[str, Any] = (
            {"outputMediaUrl": output_url, "outputUrl": output_url, "outputDuration": made.duration}
            if end.completed
            else {"error": end.error, "errorCode": end.code, "error_code": end.code}
        )
        ids = {"requestId": self.request_id, "request_id": self.request_id}
        return {**ids, "status": made.status(now), "generationId": made.id, **result}


@define(eq=False, kw_only=True)
class Batch:
    """A batch. `created` is a time of the wall clock, all others are of the service's own."""

    id: str
    created: float
    jobs_at: float
    """PENDING until its generations are begun."""
    lines: tuple[Line, ...]
    webhook_url: str = ""
    starts: float = field(init=False)
    ends: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.starts = min(line.generation.starts for line in self.lines)
        self.ends = max(line.generation.ends for line in self.lines)

    def status(self, now: float) -> BatchStatus:
        """Return what it is now: one that has ended is COMPLETED, whatever became of its lines."""
        if now >= self.ends:
            return "COMPLETED"
        if now < self.jobs_at:
            return "PENDING"
        return "JOBS_CREATED" if now < self.starts else "PROCESSING"

    def page(self, now: float, *, output_url: str) -> dict[str, Any]:
        """Return what clients are told."""
        over = [line.generation.end for line in self.lines if not line.generation.live(now)]
        succeeded = sum(end.completed for end in over)
        metrics = {
            "total_generations": len(self.lines),
            "success_count": succeeded,
            "failed_count": len(over) - succeeded,
            "pending_count": len(self.lines) - len(over),
        }
        webhook = {"webhookUrl": self.webhook_url} if self.webhook_url else {}
        return {
            "id": self.id,
            "created_at": iso(self.created),
            "status": self.status(now),
            "metrics": metrics,
            **webhook,
            "outputUrl": output_url,
        }


def iso(at: float) -> str:
    """Return a time of the wall clock as JavaScript writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

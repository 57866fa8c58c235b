"""Jobs to decide about."""

from __future__ import annotations

from typing import Any

from orchestrator.lipsync.job import Job, JobState
from orchestrator.ports import VideoRequest


def waiting(name: str, *, serial: int = 1, files: int = 0, **values: Any) -> Job:
    """Return a job that waits since time 0 unless said otherwise."""
    video = {"type": "video", "url": "https://videos.example/v.mp4"}
    request = VideoRequest(model="lipsync-2", input=({"type": "audio", "url": "file:a.wav"},) * files or (video,))
    known: dict[str, Any] = {
        "id": name,
        "key": f"key of {name}",
        "request": request,
        "accepted_at": 0.0,
        "serial": serial,
    }
    return Job(**known | values)


def submitted(name: str, *, at: float = 0.0, **values: Any) -> Job:
    """Return a job that the service makes since `at`."""
    return waiting(name, state=JobState.SUBMITTED, submitted_at=at, generation=f"of {name}", **values)

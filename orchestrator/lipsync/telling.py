"""Says of a job in words and as JSON where it is: for lists, progress and programs; pure.

What is written where, and how often, is the commands'.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import Factory, frozen

from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.turns import in_turn

_ORDER = tuple(JobState)
_COLUMNS = f"{'JOB':16} {'STATE':9} {'AGE':>8} {'MODEL':18} {'OWNER':12}"
_LONGEST_NAME = 24
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))
"""Seconds of what is told in a unit from twice that on."""


def iso(at: float | None) -> str | None:
    """Return Unix seconds as ISO 8601 in UTC."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def job_fields(job: Job) -> dict[str, Any]:
    """Return a job as programs get it: what is not known is null, `seconds` is the length of the video."""
    return {
        "id": job.id,
        "state": job.state.value,
        "model": job.request.model,
        "owner": job.owner,
        "call": job.call,
        "request_id": job.name or None,
        "priority": job.priority,
        "accepted_at": iso(job.accepted_at),
        "deadline": iso(job.deadline),
        "submitted_at": iso(job.submitted_at),
        "ended_at": iso(job.ended_at),
        "generation": job.generation or None,
        "batch": job.batch or None,
        "output_url": job.output_url or None,
        "seconds": job.output_duration,
        "error": job.error or None,
        "code": job.code or None,
        "tries": job.tries,
    }


def result_fields(request_id: str, job: Job) -> dict[str, Any]:
    """Return what became of a line of a batch file."""
    return {
        "request_id": request_id,
        "status": job.state.value,
        "output_url": job.output_url or None,
        "error": job.error or None,
        "code": job.code or None,
        "job": job.id,
    }


def called(job: Job) -> str:
    """Return what a job is called in a line of its own: its id, and its name if it has one."""
    return f"{job.id} ({_plain(job.name)})" if job.name else job.id


def span(seconds: float) -> str:
    """Return a length of time for people, such as 45 s, 12 min or 3 h."""
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def why(job: Job) -> str:
    """Return why a job ended without a video, or waits: in one line, with the code."""
    words = " ".join(job.error.split()) or ("no reason is known" if job.state.ended else "")
    return f"{words} ({job.code})" if job.code and job.code not in words else words


def table(jobs: Iterable[Job], *, now: float) -> list[str]:
    """Return a line a job, under a line that names the columns; where no job has a name there is no column of them."""
    found = list(jobs)
    width = min(_LONGEST_NAME, max((len(job.name) for job in found), default=0))
    names = f" {'REQUEST_ID':{max(width, 10)}}" if width else ""
    rows = (_row(job, now=now, width=len(names) - 1).rstrip() for job in found)
    return [f"{_COLUMNS}{names} WHAT", *rows]


def _row(job: Job, *, now: float, width: int) -> str:
    age, owner = span(now - job.accepted_at), _plain(job.owner) or "-"
    head = f"{job.id:16} {job.state.value:9} {age:>8} {job.request.model:18} {owner[:12]:12} "
    if width > 0:
        head += f"{(_plain(job.name) or '-')[:width]:{width}} "
    match job.state:
        case JobState.SUBMITTED:
            return head + (f"generation {job.generation}" if job.generation else f"batch {job.batch}")
        case JobState.COMPLETED:
            length = "" if job.output_duration is None else f"{job.output_duration:.1f} s of video, "
            return head + length + f"generation {job.generation}"
        case JobState.SENDING:
            return head + "sent, not answered yet"
    return head + _plain(why(job))


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


# --- progress ---


@frozen(kw_only=True)
class Scene:
    """What else is known when it is told how far jobs are. Times are Unix seconds."""

    now: float
    live: Sequence[Job] = ()
    served: Mapping[str, float] = Factory(dict)
    usual: Mapping[str, float] = Factory(dict)
    """Seconds that a model's videos took lately."""
    limit: int = 1
    """Generations at a time."""
    trouble: str = ""
    """Why the service was not reached, or what it refused, last."""
    uploading: str = ""
    """Which file is uploaded now, and how far that is."""


@frozen
class Told:
    """How far something is: `words`, of which `mark` does not change as long as nothing happens."""

    mark: str
    words: str


def told_of(job: Job, scene: Scene) -> Told:
    """Say how far one job is."""
    match job.state:
        case JobState.WAITING if scene.uploading and job.request.files:
            return Told("uploading", f"uploading {scene.uploading}")
        case JobState.WAITING:
            return _waiting(job, scene)
        case JobState.SENDING:
            return Told("sent", "sent, not answered yet")
        case JobState.SUBMITTED:
            made = f"generation {job.generation}" if job.generation else f"in batch {job.batch}"
            usual = scene.usual.get(job.request.model)
            usually = f", usually {usual:.0f} s" if usual else ""
            elapsed = scene.now - (job.submitted_at or scene.now)
            trouble = f"; {scene.trouble}" if scene.trouble else ""
            words = f"being made for {elapsed:.0f} s{usually} ({made}){trouble}"
            return Told(f"making {scene.trouble}", words)
    return Told(job.state.value, ended(job))


def _waiting(job: Job, scene: Scene) -> Told:
    states = Counter(each.owner for each in scene.live if each.state in (JobState.SENDING, JobState.SUBMITTED))
    waiting = [each for each in scene.live if each.state is JobState.WAITING]
    order = [each.id for each in in_turn(waiting, live=states, served=scene.served)]
    place = order.index(job.id) + 1 if job.id in order else 0
    where = "next in the queue" if place <= 1 else f"{_ordinal(place)} in the queue"
    made = states.total()
    full = f"all {scene.limit} places of the plan are taken" if scene.limit > 1 else "the plan's one place is taken"
    reason = why(job) or scene.trouble or (full if made >= scene.limit else "")
    words = f"waiting, {where}" + (f": {reason}" if reason else "")
    return Told(words, words)


def told_of_all(jobs: Sequence[Job], scene: Scene) -> Told:
    """Say how far many jobs are."""
    counts = Counter(job.state for job in jobs)
    words = ", ".join(f"{counts[state]} {_STANDS[state]}" for state in _ORDER if counts[state])
    trouble = f"uploading {scene.uploading}" if scene.uploading else scene.trouble
    return Told(f"{words}; {scene.trouble}", words + (f"; {trouble}" if trouble else ""))


_STANDS: Mapping[JobState, str] = {
    JobState.WAITING: "waiting",
    JobState.SENDING: "sent",
    JobState.SUBMITTED: "being made",
    JobState.COMPLETED: "completed",
    JobState.FAILED: "failed",
    JobState.REJECTED: "rejected",
    JobState.CANCELLED: "cancelled",
}


def newest_trouble(live: Iterable[Job]) -> str:
    """Return why the waiting job that was tried last could not be sent; empty if none was tried in vain."""
    waiting = [job for job in live if job.state is JobState.WAITING and job.error]
    return why(max(waiting, key=lambda job: (job.attempted_at or job.accepted_at, job.serial))) if waiting else ""


def ended(job: Job) -> str:
    """Say how a job ended."""
    took = f" after {span(job.ended_at - job.accepted_at)}" if job.ended_at is not None else ""
    if job.state is JobState.COMPLETED:
        length = "" if job.output_duration is None else f", {job.output_duration:.1f} s of video"
        return f"completed{took}{length}"
    return f"{job.state.value}{took}: {_plain(why(job))}"


def _ordinal(place: int) -> str:
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"

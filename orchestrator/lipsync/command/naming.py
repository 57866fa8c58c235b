"""Says how the files of videos are named: by the request_id of a job where it has one; no file is ever overwritten."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.lipsync.job import Job

_LONGEST = 100
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]|^\.+")


def named(jobs: Sequence[Job]) -> Callable[[Job], str]:
    """Return how the videos of these jobs are named: by the job's name where that can be a file's name and is no other
    job's, else with the job's id behind it; by the id alone where it has none."""
    plain = {job.id: _NOT_IN_A_NAME.sub("_", job.name)[:_LONGEST] for job in jobs}
    taken = Counter(name.lower() for name in plain.values())

    def name_of(job: Job) -> str:
        name = plain[job.id]
        if not name:
            return job.id
        return name if taken[name.lower()] == 1 and name == job.name else f"{name}-{job.id}"

    return name_of


def free(path: Path, job: Job) -> Path:
    """Return `path`, or where something has that name already the same with the job's id: what has that name, too, can
    only be the same video."""
    if path.stem.endswith(job.id) or not os.path.lexists(path):
        return path
    return path.with_stem(f"{path.stem}-{job.id}")

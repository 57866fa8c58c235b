"""Downloads the videos of jobs that have ended: to which file each goes, and what is told of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import trio
from attrs import define, field

from orchestrator.adapters.avatars.sync import SyncService
from orchestrator.errors import AvatarFault, SettingsError
from orchestrator.lipsync.command.naming import free, named
from orchestrator.lipsync.command.progress import Progress
from orchestrator.lipsync.job import Job, JobState

_AT_A_TIME = 3
_TRIES = 3
_AGAIN_AFTER = 1.0
"""Seconds until a download that failed is tried again."""
Target = Callable[[Job], Path]
"""Says to which file a job's video goes."""


def into(folder: Path, *, name: Callable[[Job], str] = lambda job: job.id) -> Target:
    """Return the target of videos that go into one directory, made where there is none. Raises SettingsError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"--out {folder}: {error.strerror}; expected a directory") from None
    if not os.access(folder, os.W_OK):
        raise SettingsError(f"--out {folder}: can't be written (no permission)")
    return lambda job: free(folder / f"{name(job)}.mp4", job)


def to(out: str) -> Target:
    """Return the target of one video: a directory if it is one, or is named so, else a new file.

    Raises SettingsError, also where there is a file of that name.
    """
    path = Path(out)
    if path.is_dir() or out.endswith(os.sep):
        return into(path)
    if not path.parent.is_dir():
        raise SettingsError(f"--out {out}: there is no directory {path.parent}")
    if os.path.lexists(path):  # also a device or a pipe, whose place the video would take
        raise SettingsError(f"--out {out}: is there already; expected a new file, or a directory")
    return lambda job: free(path, job)


def to_either(out: Path, jobs: Sequence[Job]) -> Target:
    """Return the target of some jobs' videos: a directory, or of a single one a file if `out` is named like one.

    Raises SettingsError.
    """
    if len(jobs) == 1 and out.suffix and not out.is_dir():
        return to(str(out))
    return into(out, name=named(jobs))


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1_000_000 else f"{count / 1e3:.1f} kB"


@define(eq=False, kw_only=True)
class Downloads:
    """What was downloaded of one command's jobs (`files`, by job), and how many failed."""

    target: Target
    service: SyncService
    progress: Progress
    files: dict[str, Path] = field(factory=dict, init=False)
    failed: int = field(default=0, init=False)
    _limiter: trio.CapacityLimiter = field(factory=lambda: trio.CapacityLimiter(_AT_A_TIME), init=False)

    async def fetch(self, job: Job) -> None:
        """Download the video of a job, if it has one, and say so; a failure is told and counted."""
        if job.state is not JobState.COMPLETED:
            return
        path = self.target(job)
        async with self._limiter:
            try:
                size = await self._tried(job, path)
            except (AvatarFault, OSError) as error:
                self.failed += 1
                words = error.message if isinstance(error, AvatarFault) else f"{path}: {error.strerror or error}"
                self.progress.tell(f"{job.id}: its video was made, and could not be downloaded: {words}")
                return
        self.files[job.id] = path
        self.progress.tell(f"{job.id}: {_size(size)} in {path}")

    async def _tried(self, job: Job, path: Path) -> int:
        """Download, a few times if need be. The address is signed and runs out: it is asked for anew."""
        url = job.output_url
        for _ in range(_TRIES - 1):
            try:
                return await self.service.download(url, path)
            except AvatarFault:
                await trio.sleep(_AGAIN_AFTER)
            if job.generation:
                url = (await self.service.get(job.generation)).output_url or url
        return await self.service.download(url, path)

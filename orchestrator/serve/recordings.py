"""Keeps the sound and the transcript of calls by setting, and deletes what is older than it is kept."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Protocol

import trio
from attrs import define

from orchestrator import events
from orchestrator.dialogue.transcript import Transcript
from orchestrator.dialogue.transcript_files import CallHeader, write_transcript
from orchestrator.errors import SettingsError
from orchestrator.ports import Emit, Lane, Leg, Now, Tap
from orchestrator.recording import BLOCK_SECONDS, Recording
from orchestrator.settings import RecordingSettings

_OURS = re.compile(r"call-\d{8}T\d{9}Z-[A-Za-z0-9._+-]{1,80}\.(wav|json|md)(\.part)?")
"""The names that are given here; a file of any other name is somebody else's."""
_LOOK_EVERY = 3600.0
_DAY = 86_400.0
_NAME_LENGTH = 64


class TappedLeg(Leg, Protocol):
    """A leg that tells its sound to `tap`, which may be set before the first of it comes."""

    tap: Tap | None


@define(kw_only=True)
class Kept:
    """What is kept of one call, from its answer to its end."""

    name: str
    call: str
    bot: str
    recording: Recording
    transcript: Transcript
    started: str


@define(kw_only=True)
class Recordings:
    """The directory of recordings. `lane` runs what takes its time there."""

    settings: RecordingSettings
    emit: Emit
    now: Now
    lane: Lane

    def prepare(self) -> None:
        """Make the directory, for its owner only. Raises SettingsError where that fails."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            where = f"serve.recording.directory = {str(self._folder)!r}"
            raise SettingsError(f"{where}: cannot be made ({error.strerror}); expected a directory") from None

    def begin(self, leg: TappedLeg, *, bot: str, transcript: Transcript) -> Kept:
        """Record a call from now on."""
        answered = datetime.now(UTC)
        stamp = answered.strftime("%Y%m%dT%H%M%S") + f"{answered.microsecond // 1000:03}Z"
        call = re.sub(r"[^A-Za-z0-9._+-]", "_", leg.facts.id)[:_NAME_LENGTH]
        name = self._free(f"call-{stamp}-{call}")
        recording = Recording(self._folder / f"{name}.wav", rate=leg.rate, started_at=self.now())
        leg.tap = recording
        return Kept(
            name=name,
            call=leg.facts.id,
            bot=bot,
            recording=recording,
            transcript=transcript,
            started=answered.isoformat(timespec="milliseconds"),
        )

    async def write(self, kept: Kept) -> None:
        """Write what is settled, again and again, until cancelled."""
        while True:
            await trio.sleep(BLOCK_SECONDS)
            kept.recording.advance(self.now())

    def end(self, kept: Kept) -> None:
        """Write the rest, and the transcript. What fails is an event."""
        now, recording = self.now(), kept.recording
        recording.close(now)
        header = CallHeader(
            call=kept.call,
            bot=kept.bot,
            started=kept.started,
            seconds=now - recording.started_at,
            recording=recording.path.name,
        )
        error = recording.failed
        try:
            write_transcript(self._folder, kept.name, header=header, transcript=kept.transcript)
        except OSError as failed:
            error = error or failed
        if error is not None:
            self.emit(events.RecordingFailed(at=now, call=kept.call, error=f"{kept.name}: {error.strerror}"))

    async def delete_old(self) -> None:
        """Delete what is too old, now and every hour, until cancelled."""
        while True:
            deleted = await self.lane.run(delete_older, self._folder, self.settings.days * _DAY)
            if deleted:
                self.emit(events.RecordingsDeleted(at=self.now(), files=deleted))
            await trio.sleep(_LOOK_EVERY)

    def _free(self, name: str) -> str:
        """Return the name, or the first after it that no call has: ids may differ in what is left out of them."""
        names = chain([name], (f"{name}-{number}" for number in count(2)))
        return next(each for each in names if not (self._folder / f"{each}.wav").exists())

    @property
    def _folder(self) -> Path:
        return Path(self.settings.directory)


def delete_older(folder: Path, seconds: float) -> int:
    """Delete our files in `folder` that were last written so many seconds ago; return how many that were."""
    before, deleted = datetime.now(UTC).timestamp() - seconds, 0
    try:
        found = sorted(folder.iterdir())
    except OSError:  # it is gone, or not to be had just now
        return 0
    for path in found:
        try:
            if _OURS.fullmatch(path.name) and path.is_file() and path.lstat().st_mtime < before:
                path.unlink()
                deleted += 1
        except OSError:  # somebody was faster, or keeps it: the next hour looks again
            continue
    return deleted

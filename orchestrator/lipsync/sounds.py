"""Keeps the sounds of videos as files from when they are made until they are uploaded; deletes what nobody needs.

What is in them is speech/sounds.py's, the jobs that name them the queue's.
"""

from __future__ import annotations

import os
import random  # names of files; whoever wants a run repeated passes a seeded one
import wave
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from pathlib import Path

import trio
from attrs import define, field

from orchestrator.audio import SAMPLE_BYTES
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.store import Store
from orchestrator.ports import Lane, Now

_LOOK_EVERY = 3600.0
"""Seconds between two looks for files that nobody needs any more."""
_YOUNG = 3600.0
"""Seconds for which a file without a job is left alone: its job is about to be accepted."""
_OURS = "sound-*.wav"


def sounds_beside(store: Path) -> Path:
    """Return where the sounds for the jobs of a store are kept."""
    return store.with_name(store.name + ".sounds")


@define(eq=False, kw_only=True)
class SoundFiles:
    """The files beside one store of jobs (`store`)."""

    store: Path
    lane: Lane
    wall: Now
    rng: random.Random = field(factory=random.Random)

    async def keep(self, pcm: bytes, rate: int) -> Path:
        """Write mono 16 bit sound as a WAV file that outlives a power cut, and return it. Raises OSError."""
        path = sounds_beside(self.store) / f"sound-{self.rng.getrandbits(64):016x}.wav"
        await self.lane.run(partial(_write, path, pcm, rate=rate))
        return path.absolute()

    async def remove(self, path: Path) -> None:
        """Delete a file, if it is there."""
        await self.lane.run(_unlink, path)

    async def run(self) -> None:
        """Delete what was left when a program was killed, now and every hour; never ends."""
        while True:
            with suppress(LipsyncStoreError, OSError):  # the next hour looks again; whoever works on it tells of it
                await self.lane.run(self._delete_left)
            await trio.sleep(_LOOK_EVERY)

    def _delete_left(self) -> None:
        old = [path for path in sounds_beside(self.store).glob(_OURS) if self._is_old(path)]
        if old:
            needed = _needed(self.store)
            for path in old:
                if path.absolute().as_uri() not in needed:
                    _unlink(path)

    def _is_old(self, path: Path) -> bool:
        return path.lstat().st_mtime < self.wall() - _YOUNG


def _needed(path: Path) -> Collection[str]:
    """Return the files' URLs that live jobs name."""
    store = Store.open(path)
    try:
        return {url for job in store.live() for url in job.request.files}
    finally:
        store.close()


def _write(path: Path, pcm: bytes, *, rate: int) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with wave.open(file, "wb") as sound:
                sound.setnchannels(1)
                sound.setsampwidth(SAMPLE_BYTES)
                sound.setframerate(rate)
                sound.writeframes(pcm)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        _unlink(path)
        raise


def _unlink(path: Path) -> None:
    with suppress(OSError):  # the next look finds it
        path.unlink(missing_ok=True)

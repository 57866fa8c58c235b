"""Sounds of videos are whole WAV files beside the store, for us alone, and go when no job needs them any more."""

from __future__ import annotations

import os
import random
import stat
import wave
from pathlib import Path

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from orchestrator.lanes import InlineLane
from orchestrator.lipsync.sounds import SoundFiles, sounds_beside
from tests.lipsync.worlds import BEGAN, World, asking, wall

PCM = b"\x01\x02" * 2400


def files(store: Path) -> SoundFiles:
    """Return the files beside a store."""
    return SoundFiles(store=store, lane=InlineLane(), wall=wall, rng=random.Random("sounds"))


async def test_a_sound_is_a_wav_file_that_only_we_can_read(autojump_clock: MockClock, tmp_path: Path) -> None:
    """Mono, 16 bit, at its rate; each has a name of its own."""
    sounds = files(tmp_path / "new" / "lipsync.db")
    path, other = await sounds.keep(PCM, 24_000), await sounds.keep(PCM, 24_000)
    assert path != other
    assert path.parent == sounds_beside(sounds.store) == tmp_path / "new" / "lipsync.db.sounds"
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 24_000)
        assert sound.readframes(9999) == PCM
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await sounds.remove(path)
    await sounds.remove(path)
    assert [each.name for each in path.parent.iterdir()] == [other.name]


async def test_a_disk_that_is_full_leaves_nothing_behind(
    autojump_clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is an error of the system."""

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    sounds = files(tmp_path / "lipsync.db")
    with pytest.raises(OSError, match="No space left"):
        await sounds.keep(PCM, 8000)
    assert list(sounds_beside(sounds.store).iterdir()) == []


async def test_what_was_left_by_a_killed_program_is_deleted(autojump_clock: MockClock, tmp_path: Path) -> None:
    """After an hour, and neither what a live job names, nor anything that is not ours."""
    world = World(tmp_path / "lipsync.db")
    sounds = files(world.path)
    needed, left, young = [await sounds.keep(PCM, 8000) for _ in range(3)]
    strange = left.with_name("notes.wav")
    strange.write_bytes(b"")
    for path in (needed, left, strange):
        os.utime(path, (BEGAN - 3700, BEGAN - 3700))
    os.utime(young, (BEGAN - 3500, BEGAN - 3500))
    request = asking()
    request = evolve(request, input=(request.input[0], {"type": "audio", "url": needed.as_uri()}))
    async with world.queue(work=False) as queue:
        job = await queue.accept(request)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sounds.run)
        await trio.sleep(1)
        assert [path.exists() for path in (needed, left, young, strange)] == [True, False, True, True]
        async with world.queue(work=False) as queue:
            await queue.cancel(job.id)
        await trio.sleep(3600)
        assert [path.exists() for path in (needed, left, young, strange)] == [False, False, False, True]
        nursery.cancel_scope.cancel()


async def test_a_store_that_cannot_be_read_deletes_nothing(autojump_clock: MockClock, tmp_path: Path) -> None:
    """It may know jobs that need them; it is looked at again an hour later."""
    store = tmp_path / "lipsync.db"
    store.write_bytes(b"this is no database" * 100)
    sounds = files(store)
    path = await sounds.keep(PCM, 8000)
    os.utime(path, (BEGAN - 9999, BEGAN - 9999))
    with trio.move_on_after(4000):
        await sounds.run()
    assert path.exists()

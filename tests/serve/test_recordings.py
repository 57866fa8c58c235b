"""How long recordings are kept, and that nothing else is deleted."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from orchestrator.adapters.telephony.text import TextLeg
from orchestrator.dialogue.transcript import Transcript
from orchestrator.errors import SettingsError
from orchestrator.events import Event, RecordingsDeleted
from orchestrator.lanes import InlineLane
from orchestrator.ports import CallFacts, Tap
from orchestrator.serve.recordings import Recordings, delete_older
from orchestrator.settings import RecordingSettings

OLD = "call-20260101T120000123Z-CA1"


class TappedText(TextLeg):
    """A line that could be recorded."""

    tap: Tap | None = None


def write(path: Path, *, days: float) -> Path:
    """Write a file that is so many days old."""
    path.write_bytes(b"x")
    at = datetime.now(UTC).timestamp() - days * 86_400
    os.utime(path, (at, at))
    return path


def test_only_files_of_ours_that_are_old_go(tmp_path: Path) -> None:
    """Not what was written lately, not what others called otherwise, no directory, nothing behind a link."""
    gone = [write(tmp_path / f"{OLD}.{kind}", days=31) for kind in ("wav", "json", "md", "json.part")]
    kept = [
        write(tmp_path / "call-20260101T120000124Z-CA2.wav", days=29),
        write(tmp_path / "call-1.wav", days=99),
        write(tmp_path / f"{OLD}.txt", days=99),
        write(tmp_path / f"my-{OLD}.wav", days=99),
    ]
    (tmp_path / "call-20260101T120000125Z-dir.wav").mkdir()
    other = tmp_path / "call-20260101T120000126Z-dir.wav"
    other.mkdir()
    assert delete_older(tmp_path, 30 * 86_400) == len(gone)
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in [*kept, other])
    assert delete_older(tmp_path / "none", 1) == 0


async def test_it_is_looked_at_once_an_hour(autojump_clock: MockClock, tmp_path: Path) -> None:
    """And at the start; what was deleted is told."""
    told: list[Event] = []
    settings = RecordingSettings(on=True, directory=str(tmp_path), days=1)
    kept = Recordings(settings=settings, emit=told.append, now=trio.current_time, lane=InlineLane())
    write(tmp_path / f"{OLD}.wav", days=2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kept.delete_old)
        await trio.sleep(1)
        assert not (tmp_path / f"{OLD}.wav").exists()
        write(tmp_path / f"{OLD}.json", days=2)
        await trio.sleep(3599)
        await trio.sleep(1)
        assert not (tmp_path / f"{OLD}.json").exists()
        nursery.cancel_scope.cancel()
    assert [event.files for event in told if isinstance(event, RecordingsDeleted)] == [1, 1]


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "a").write_text("")
    settings = RecordingSettings(on=True, directory=str(tmp_path / "a" / "b"))
    with pytest.raises(SettingsError, match=r"serve\.recording\.directory"):
        Recordings(settings=settings, emit=print, now=lambda: 0.0, lane=InlineLane()).prepare()


def test_no_call_writes_over_anothers_recording(tmp_path: Path) -> None:
    """Not even one that was answered in the same millisecond, with an id that differs in what no file's name has."""
    told: list[Event] = []
    settings = RecordingSettings(on=True, directory=str(tmp_path))
    kept = Recordings(settings=settings, emit=told.append, now=lambda: 1.0, lane=InlineLane())
    ids = [character + "x" * 70 + ending for character in "/?" for ending in "ab"]
    legs = [TappedText(CallFacts(call), now=lambda: 1.0) for call in ids * 25]
    begun = [kept.begin(leg, bot="b", transcript=Transcript()) for leg in legs]
    for each in begun:
        kept.end(each)
    assert len({each.name for each in begun}) == len(begun) == len(list(tmp_path.glob("*.wav")))
    assert told == []
    assert len(list(tmp_path.iterdir())) == 3 * len(begun) == delete_older(tmp_path, -1)

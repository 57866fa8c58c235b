"""Recordings: both sides on the call's clock, readable whatever happens to the process or the disk."""

from __future__ import annotations

import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.audio import Samples, silence
from orchestrator.ports import Tap
from orchestrator.recording import Recording
from tests.killed import kill_when_ready

RATE = 8000
FRAME = 0.02


def hum(seconds: float, level: int = 8000) -> bytes:
    """Return a constant sound."""
    return np.full(round(seconds * RATE), level, "<i2").tobytes()


def read(path: Path) -> tuple[Samples, Samples]:
    """Return (caller, bot) as a reader that somebody else wrote sees them."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        assert path.stat().st_size >= 44 + 4 * file.getnframes()
        both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    return both[:, 0], both[:, 1]


def sounding_from_to(channel: Samples) -> tuple[float, float]:
    """Return when the first sound of the channel begins and when its last ends."""
    loud = np.flatnonzero(channel)
    return loud[0] / RATE, (loud[-1] + 1) / RATE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where this test's call is recorded."""
    return tmp_path / "call.wav"


def test_each_side_lies_at_its_time(path: Path) -> None:
    """Caller left, bot right, zero is when the call began, silence up to its end."""
    recording: Tap = (whole := Recording(path, rate=RATE, started_at=100.0))
    recording.to_caller(100.5, hum(0.4))
    recording.from_caller(101.25, hum(0.5, 4000))
    recording.to_caller(102.0, hum(0.1))
    whole.close(103.0)
    caller, bot = read(path)
    assert len(caller) == len(bot) == 3 * RATE
    assert sounding_from_to(caller) == (1.25, 1.75)
    assert sounding_from_to(bot) == (0.5, 2.1)
    assert np.array_equal(np.flatnonzero(bot), [*range(4000, 7200), *range(16000, 16800)])
    assert whole.failed is None


def test_jitter_tears_no_word(path: Path) -> None:
    """Frames that arrive up to 60 ms late, and then too close together, are laid end to end."""
    recording = Recording(path, rate=RATE, started_at=0.0)
    for number, late in enumerate([0, 0.01, 0.055, 0.04, 0.02, 0.0, 0.03, 0.0]):
        recording.from_caller(number * FRAME + late, hum(FRAME))
    recording.close(0.5)
    caller, _ = read(path)
    assert np.array_equal(np.flatnonzero(caller), np.arange(8 * 160))


def test_a_gap_is_silence(path: Path) -> None:
    """More than jitter is a gap, on the caller's side from 60 ms, on the bot's from 30."""
    recording = Recording(path, rate=RATE, started_at=0.0)
    for side in (recording.from_caller, recording.to_caller):
        side(0.0, hum(0.1))
        side(0.14, hum(0.1))
        side(0.4, hum(0.1))
    recording.close(1.0)
    caller, bot = read(path)
    assert np.array_equal(np.flatnonzero(caller), [*range(1600), *range(3200, 4000)])
    assert np.array_equal(np.flatnonzero(bot), [*range(800), *range(1120, 1920), *range(3200, 4000)])


def test_drift_is_corrected_in_silence_only(path: Path) -> None:
    """A clock that runs 2 % fast: words stay whole, and the pause between them makes up for it."""
    recording = Recording(path, rate=RATE, started_at=0.0)
    word, pause = [hum(FRAME)] * 50, [silence(FRAME, RATE)] * 25
    for number, frame in enumerate(word + pause + word):
        recording.from_caller(number * FRAME / 1.02, frame)
    recording.close(3.0)
    loud = np.flatnonzero(read(path)[0])
    edges = np.flatnonzero(np.diff(loud) > 1)
    assert len(edges) == 1
    assert loud[edges[0]] + 1 == 8000
    assert loud[edges[0] + 1] / RATE == pytest.approx(75 * FRAME / 1.02, abs=0.006)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 3), st.integers(0, 400)), max_size=25))
def test_both_channels_stay_on_the_clock(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[bool, float, int]]
) -> None:
    """Whatever comes when: the file is as long as the call, and sound lies where it was, to within jitter."""
    path = tmp_path_factory.mktemp("call") / "call.wav"
    recording, now, ends = Recording(path, rate=RATE, started_at=0.0), 0.0, [0.0, 0.0]
    placed: list[tuple[bool, float]] = []
    for bot, pause, samples in steps:
        now = max(now, ends[bot]) + pause
        (recording.to_caller if bot else recording.from_caller)(now, hum(samples / RATE) + b"\1")
        ends[bot] = now + samples / RATE
        placed += [(bot, now)] * (samples > 0)
    recording.close(now + 1)
    caller, bot_side = read(path)
    assert len(caller) == pytest.approx((now + 1) * RATE, abs=1)
    for bot, at in placed:
        start = max(0, round((at - 0.061) * RATE))
        assert np.any((bot_side if bot else caller)[start : round(at * RATE) + 1])


def test_what_comes_too_late_or_too_fast_stays_bounded(path: Path) -> None:
    """A peer that floods an hour of sound into one second fills neither memory nor disk."""
    recording = Recording(path, rate=RATE, started_at=0.0)
    frame = hum(1)
    tracemalloc.start()
    for _ in range(3600):
        recording.from_caller(1.0, frame)
    recording.advance(3600.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 500_000
    recording.from_caller(10.0, frame)
    recording.close(3600.0)
    assert len(read(path)[0]) == 3600 * RATE


@pytest.mark.parametrize("both", [False, True])
def test_all_but_the_last_second_can_be_read_at_any_time(path: Path, both: bool) -> None:
    """While one side sounds, or both, and in the silence after it, with the call's tick; at first the WAV is empty."""
    recording = Recording(path, rate=RATE, started_at=0.0)
    assert len(read(path)[0]) == 0
    for number in range(500):
        now = number * FRAME
        if now % 4 < 2.5:
            recording.from_caller(now, hum(FRAME))
            if both:
                recording.to_caller(now, hum(FRAME))
        if number % 12 == 0:
            recording.advance(now)
        assert len(read(path)[0]) / RATE >= now - 0.8
    recording.close(10.0)
    recording.close(11.0)
    assert len(read(path)[0]) == 10 * RATE


def test_a_burst_after_a_stall_keeps_its_second(path: Path) -> None:
    """A network that held sound back for a second hands it over at once: none of it is dropped."""
    recording = Recording(path, rate=RATE, started_at=0.0)
    for number in range(50):
        recording.from_caller(1.0, hum(FRAME, 8000 + number))
    recording.close(3.0)
    caller, _ = read(path)
    assert sounding_from_to(caller) == (1.0, 2.0)
    assert set(caller[caller > 0]) == set(range(8000, 8050))


def test_a_killed_process_leaves_a_readable_file(path: Path) -> None:
    """kill -9 in the middle of a call: what was written a second ago is there, on both sides."""
    kill_when_ready(
        f"""
        from pathlib import Path
        from orchestrator.recording import Recording
        recording, frame = Recording(Path({str(path)!r}), rate={RATE}, started_at=0.0), b"\\x01\\x10" * 160
        for number in range(510):
            recording.from_caller(number * 0.02, frame)
            recording.to_caller(number * 0.02, frame)
        """
    )
    caller, bot = read(path)
    assert len(caller) >= 9 * RATE
    assert np.all(caller == 0x1001)
    assert np.all(bot == 0x1001)


@pytest.mark.parametrize("where", ["missing/call.wav", "."])
def test_a_file_that_cannot_be_opened_ends_the_recording_only(tmp_path: Path, where: str) -> None:
    """The error is kept, and the call's sound goes on into nothing."""
    recording = Recording(tmp_path / where, rate=RATE, started_at=0.0)
    assert isinstance(recording.failed, OSError)
    for second in range(20):
        recording.from_caller(second, hum(1))
        recording.advance(second)
    recording.close(20.0)
    assert not (tmp_path / "missing").exists()
    assert len(recording._caller._pending) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_ends_the_recording_only() -> None:
    """ENOSPC is kept in `failed`, once; nothing raises, then or later."""
    recording = Recording(Path("/dev/full"), rate=RATE, started_at=0.0)
    first = recording.failed
    for second in range(10):
        recording.from_caller(second, hum(1))
        first = first or recording.failed
    recording.close(10.0)
    assert isinstance(first, OSError)
    assert recording.failed is first

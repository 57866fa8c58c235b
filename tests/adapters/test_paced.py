"""Frames are due at t0 + 20n ms of their spurt, and marks are told at the sample where they lie."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.telephony.paced import PacedSound
from orchestrator.ports import MarkPlayed

RATE = 8000
FRAME = 320


def ended(paced: PacedSound, now: float) -> float:
    """When the mark at the end of a spurt was told of, which ends now."""
    (mark,), frame = paced.next_frame(now)
    assert (mark.name, frame) == ("end", b"")
    return mark.at


def test_a_spurt_keeps_its_schedule_however_late_single_frames_are() -> None:
    """What is late by at most two frames is caught up with."""
    paced = PacedSound(rate=RATE)
    paced.take(bytes(5 * FRAME), 100.0)
    late = [0.0, 0.015, 0.0, 0.03, 0.0]
    dues = []
    for lateness in late:
        dues.append(paced.due)
        assert paced.next_frame(paced.due + lateness)[1] == bytes(FRAME)
    assert dues == pytest.approx([100.0, 100.02, 100.04, 100.06, 100.08])


def test_after_a_stall_no_burst_follows() -> None:
    """The rest of the spurt has a schedule of its own, and the heard position follows it."""
    paced = PacedSound(rate=RATE)
    paced.take(bytes(3 * FRAME), 1.0)
    paced.next_frame(1.0)
    paced.mark("end", 1.0)
    paced.next_frame(1.5)
    assert paced.due == pytest.approx(1.52)
    paced.next_frame(1.52)
    assert ended(paced, 1.54) == pytest.approx(1.54)


def test_the_last_frame_is_filled_up_and_its_mark_is_not() -> None:
    """A mark in the middle of a frame is told at its sample."""
    paced = PacedSound(rate=RATE)
    paced.take(bytes(FRAME) + b"\1" * 80, 2.0)
    paced.mark("end", 2.0)
    paced.next_frame(2.0)
    assert paced.next_frame(2.02) == ([], b"\1" * 80 + bytes(240))
    assert ended(paced, 2.04) == pytest.approx(2.025)
    assert not paced.sounding
    assert paced.mark("later", 9.0) == [MarkPlayed("later", 9.0)]


def test_a_clear_leaves_nothing() -> None:
    """Neither sound nor marks; the next spurt begins when it is written."""
    paced = PacedSound(rate=RATE)
    paced.take(bytes(9 * FRAME), 3.0)
    paced.next_frame(3.0)
    paced.mark("cut", 3.0)
    paced.clear()
    assert paced.waiting == 0
    assert paced.next_frame(3.02) == ([], b"")
    paced.take(bytes(FRAME), 7.0)
    assert paced.due == 7.0


@given(st.lists(st.integers(1, 1000).map(lambda samples: 2 * samples), min_size=1, max_size=8))
def test_every_byte_goes_out_once_and_in_order(sizes: list[int]) -> None:
    """However it was written; only the end is filled up."""
    paced, written = PacedSound(rate=RATE), b""
    for number, size in enumerate(sizes):
        pcm = bytes([number + 1]) * size
        paced.take(pcm, 0.0)
        written += pcm
    paced.mark("end", 0.0)
    sent, marks = b"", []
    while paced.sounding:
        told, frame = paced.next_frame(paced.due)
        marks += told
        sent += frame
        assert len(frame) in (0, FRAME)
    assert sent.rstrip(b"\0") == written
    assert [mark.at for mark in marks] == pytest.approx([len(written) / 2 / RATE])

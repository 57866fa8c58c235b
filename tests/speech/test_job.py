"""The request a link is busy with: whose frames are its own, when it should be done, what is learned from it."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Ask, Complete, Failed, Sound, VoiceFrame
from orchestrator.slot.pace import Pace
from orchestrator.speech.job import Job
from tests.speech.wire import request


class _Grant:
    """A slot that nobody asks anything of here; implements ports.Grant."""

    number = 1
    room: float = float("inf")
    ask = Ask(call="a", reply=1, first=True, need_in=0.0)

    def occupy(self) -> None:
        """Pass the duty on."""

    def free(self, cause: str) -> None:
        """Return it."""


def begin(text: str, pace: Pace) -> tuple[Job, trio.MemoryReceiveChannel[VoiceFrame]]:
    """Begin a request called "a"."""
    return Job.begin(request(text), _Grant(), pace=pace)


async def test_it_should_be_done_when_the_pace_says(autojump_clock: MockClock) -> None:
    """From the request's writing: time to first audio, then by the length of the text."""
    await trio.sleep(5)
    job, frames = begin("x" * 30, Pace(ttfb=0.2, rtf=0.5, seconds_per_character=0.1))
    assert job.done_by == pytest.approx(5 + 0.2 + 1.5)
    frames.close()


async def test_a_completed_piece_teaches_the_pace(autojump_clock: MockClock) -> None:
    """Time to first audio, seconds of slot by audio, and the speaking rate; a piece without audio teaches nothing."""
    pace = Pace()
    job, frames = begin("abcd", pace)
    job.complete(pace)
    assert pace == Pace()
    job, frames = begin("abcd", pace)
    await trio.sleep(0.3)
    job.pass_on(Sound("a", bytes(2 * 4000)))
    await trio.sleep(0.1)
    job.pass_on(Sound("a", bytes(2 * 4000)))
    job.complete(pace)
    assert [round(figure, 6) for figure in (pace.ttfb, pace.rtf, pace.seconds_per_character)] == [0.3, 0.1, 0.25]
    assert [type(frame) async for frame in frames] == [Sound, Sound, Complete]


async def test_frames_are_its_own_by_their_id(autojump_clock: MockClock) -> None:
    """Its id or none at all; error frames name nobody."""
    job, frames = begin("abcd", Pace())
    assert [job.concerns(Complete(name)) for name in ("a", "", "b")] == [True, True, False]
    frames.close()


async def test_a_borrower_that_is_gone_is_no_error(autojump_clock: MockClock) -> None:
    """Frames are drained, the end may come."""
    job, frames = begin("abcd", Pace())
    frames.close()
    job.pass_on(Sound("a", b"\0\0"))
    job.fail(ProviderFault(FaultKind.RETRY, "gone"))


async def test_a_full_channel_is_a_fault_and_the_channel_still_ends(autojump_clock: MockClock) -> None:
    """Far more frames than any text has: the keeper gives up; the borrower finds no terminal frame."""
    job, frames = begin("abcd", Pace())
    for _ in range(4096):
        job.pass_on(Sound("a", b"\0\0"))
    with pytest.raises(ProviderFault, match="far more frames"):
        job.pass_on(Sound("a", b"\0\0"))
    job.fail(ProviderFault(FaultKind.RETRY, "full"))
    assert not [frame async for frame in frames if isinstance(frame, Complete | Failed)]


async def test_a_late_request_is_nearly_done_only_while_its_frames_come(autojump_clock: MockClock) -> None:
    """Before its predicted end by that end, after it by its last frame, from which alone the patience counts."""
    job, _frames = begin("x" * 15, Pace(ttfb=0.5, rtf=0.5, seconds_per_character=1 / 15))
    assert (job.nearly_done(0.2), job.given_up_at(2.0)) == (False, 3.0)
    await trio.sleep(0.9)
    assert job.nearly_done(0.2)
    await trio.sleep(0.2)
    assert (job.nearly_done(0.2), job.given_up_at(2.0)) == (False, 3.0)
    job.pass_on(Sound("a", b""))
    await trio.sleep(0.1)
    assert job.nearly_done(0.2)
    assert job.given_up_at(2.0) == pytest.approx(3.1)
    await trio.sleep(0.2)
    assert not job.nearly_done(0.2)

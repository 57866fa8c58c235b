"""The request a link is busy with: whose frames are its own, when it was silent too long, what is learned from it."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Ask, Complete, Failed, Sound, VoiceFrame, WordTime
from orchestrator.settings import ProviderSettings
from orchestrator.slot.pace import Pace
from orchestrator.speech.job import Job
from orchestrator.speech.known import Known
from tests.speech.wire import request

SECOND = bytes(2 * 8000)


class _Grant:
    """A slot that nobody asks anything of here; implements ports.Grant."""

    number = 1
    room: float = float("inf")
    ask = Ask(call="a", reply=1, first=True, need_in=0.0)

    def occupy(self) -> None:
        """Pass the duty on."""

    def free(self, cause: str) -> None:
        """Return it."""


def known(pace: Pace | None = None) -> Known:
    """Return what is known before the first request, the pace apart."""
    return Known.of(ProviderSettings(), pace or Pace())


def begin(text: str, known: Known) -> tuple[Job, trio.MemoryReceiveChannel[VoiceFrame]]:
    """Begin a request called "a"."""
    return Job.begin(request(text), _Grant(), known=known)


async def test_it_should_be_done_when_the_pace_says(autojump_clock: MockClock) -> None:
    """From the request's writing: time to first audio, then by the length of the text."""
    await trio.sleep(5)
    job, frames = begin("x" * 30, known(Pace(ttfb=0.2, rtf=0.5, seconds_per_character=0.1)))
    assert job.done_by == pytest.approx(5 + 0.2 + 1.5)
    frames.close()


async def test_a_completed_piece_teaches_all_that_is_to_be_known(autojump_clock: MockClock) -> None:
    """Time to first audio, gaps, seconds of slot by audio, speaking rate; a piece without audio teaches nothing."""
    learned = known()
    pace, silence = learned.pace, learned.silence
    job, frames = begin("abcd", learned)
    job.complete(trio.current_time())
    assert pace == Pace()
    job, frames = begin("abcd", learned)
    await trio.sleep(0.3)
    job.pass_on(Sound("a", SECOND[:8000]))
    assert silence.first_within() == pytest.approx(5 * 0.3)
    await trio.sleep(0.1)
    silence.failed(begun=True)
    job.pass_on(Sound("a", SECOND[:8000]))
    assert silence.next_within() == pytest.approx(2.0)  # the pace is not known yet
    await trio.sleep(0.2)
    job.complete(until=0.4)
    assert [round(figure, 6) for figure in (pace.ttfb, pace.rtf, pace.seconds_per_character)] == [0.3, 0.1, 0.25]
    assert silence.next_within() == pytest.approx(0.5)
    assert [type(frame) async for frame in frames] == [Sound, Sound, Complete]


async def test_frames_are_its_own_by_their_id(autojump_clock: MockClock) -> None:
    """Its id or none at all, as error frames name nobody; none any more when it is over."""
    job, frames = begin("abcd", known())
    assert [job.concerns(Complete(name)) for name in ("a", "", "b")] == [True, True, False]
    job.fail(ProviderFault(FaultKind.RETRY, "gone"))
    assert not job.concerns(Complete("a"))
    frames.close()


async def test_a_borrower_that_is_gone_is_no_error(autojump_clock: MockClock) -> None:
    """Frames are drained, the end may come."""
    job, frames = begin("abcd", known())
    frames.close()
    job.pass_on(Sound("a", b"\0\0"))
    job.fail(ProviderFault(FaultKind.RETRY, "gone"))
    assert job.over


async def test_a_full_channel_is_a_fault_and_the_channel_still_ends(autojump_clock: MockClock) -> None:
    """Far more frames than any text has: the keeper gives up; the borrower finds no terminal frame."""
    job, frames = begin("abcd", known())
    for _ in range(4096):
        job.pass_on(Sound("a", b"\0\0"))
    with pytest.raises(ProviderFault, match="far more frames"):
        job.pass_on(Sound("a", b"\0\0"))
    job.fail(ProviderFault(FaultKind.RETRY, "full"))
    assert not [frame async for frame in frames if isinstance(frame, Complete | Failed)]


async def test_a_late_request_is_nearly_done_only_while_its_frames_come(autojump_clock: MockClock) -> None:
    """Before its predicted end by that end, after it by its last sound."""
    job, _frames = begin("x" * 15, known(Pace(ttfb=0.5, rtf=0.5, seconds_per_character=1 / 15)))
    assert not job.nearly_done(0.2)
    await trio.sleep(0.9)
    assert job.nearly_done(0.2)
    await trio.sleep(0.2)
    assert not job.nearly_done(0.2)
    job.pass_on(Sound("a", SECOND))
    await trio.sleep(0.1)
    assert job.nearly_done(0.2)
    await trio.sleep(0.2)
    assert not job.nearly_done(0.2)


async def test_silence_counts_from_the_request_then_from_the_last_sound(autojump_clock: MockClock) -> None:
    """A chunk without sound is none; past the predicted end `overdue` is the most."""
    learned = known(Pace(ttfb=0.5, rtf=0.1, seconds_per_character=0.1))
    job, _frames = begin("x" * 10, learned)
    assert job.given_up_at(2.0) == 4.0
    await trio.sleep(0.2)
    job.pass_on(Sound("a", b""))
    assert (job.given_up_at(2.0), job.silent_for(), job.first_audio_at) == (4.0, 0.2, None)
    job.pass_on(Sound("a", SECOND))
    assert job.given_up_at(2.0) == pytest.approx(0.6 + 2.0)
    assert job.given_up_at(9.0) == pytest.approx(0.2 + 4.0)
    await trio.sleep(0.1)
    job.pass_on(WordTime("a", 0, "x", 0.0, 1.0))
    assert job.silent_for() == 0.0
    assert job.given_up_at(2.0) == pytest.approx(2.6)
    await trio.sleep(0.05)
    job.pass_on(Sound("a", SECOND))
    assert job.given_up_at(2.0) == pytest.approx(0.35 + 0.5)
    job.watched = True
    assert job.given_up_at(2.0) == float("inf")


async def test_it_is_whole_by_its_own_sound_and_words(autojump_clock: MockClock) -> None:
    """Of which the last is known; without sound it is not."""
    job, _frames = begin("one two", known())
    job.pass_on(WordTime("a", 0, "one", 0.0, 0.3))
    job.pass_on(WordTime("a", 1, "two", 0.3, 0.6))
    assert not job.is_whole
    job.pass_on(Sound("a", SECOND[:8000]))
    assert not job.is_whole
    job.pass_on(Sound("a", SECOND[:8000]))
    assert job.is_whole

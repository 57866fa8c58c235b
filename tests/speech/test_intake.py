"""Claims about taking in one piece: whole, or what of it can be kept; in both cases told once, with its cause."""

from __future__ import annotations

import pytest
import trio

from orchestrator import events
from orchestrator.adapters.telephony.loopback import LoopbackLeg
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import CallFacts, Complete, Failed, Sound, VoiceFrame, WordTime
from orchestrator.settings import Settings
from orchestrator.speech.intake import Intake
from orchestrator.speech.line import Line
from tests.speech.playing import PER_CHARACTER, RATE, Played, pieces_of
from tests.speech.test_reply import reply_with

TEXT = "one two three four."
LOUD = b"\x00\x10\x00\xf0"
"""Two samples."""


def said(characters: int) -> Sound:
    """So much of the piece."""
    return Sound("1", LOUD * (characters * PER_CHARACTER // 2))


def timed(*words: str) -> list[VoiceFrame]:
    """The times of these first words."""
    places = [(TEXT.index(word) / 20, (TEXT.index(word) + len(word)) / 20) for word in words]
    return [WordTime("1", index, word, *places[index]) for index, word in enumerate(words)]


FAULT = ProviderFault(FaultKind.CONCURRENCY, "busy")
QUIET = Sound("1", bytes(2 * RATE))


@pytest.mark.parametrize(
    ("frames", "kind", "cause", "asked", "seconds"),
    [
        ([said(10), said(9), Complete("1")], None, "complete", len(TEXT), 0.95),
        ([*timed("one", "two", "three"), said(10), Failed("1", FAULT)], FaultKind.CONCURRENCY, "concurrency", 8, 0.35),
        ([*timed("one", "two", "three"), said(10)], FaultKind.RETRY, "retry", 8, 0.35),
        ([Failed("1", FAULT)], FaultKind.CONCURRENCY, "concurrency", 0, 0.0),
        ([QUIET, Complete("1")], FaultKind.RETRY, "retry", 0, 0.0),
        ([Complete("1")], FaultKind.RETRY, "retry", 0, 0.0),
        ([], FaultKind.RETRY, "retry", 0, 0.0),
    ],
)
async def test_a_piece_is_taken_whole_or_asked_for_again_from_its_next_word(
    frames: list[VoiceFrame], kind: FaultKind | None, cause: str, asked: int, seconds: float
) -> None:
    """Silence is no answer, nor is an end without a terminal frame; what sounds whole is kept."""
    told: list[events.Event] = []
    leg = LoopbackLeg(CallFacts("c1"), rate=RATE, now=lambda: 1.0)
    played = Played()
    reply = reply_with(played)
    intake = Intake(
        Line(leg, settings=Settings(), emit=told.append, now=lambda: 1.0),
        reply=reply,
        piece=pieces_of(TEXT)[0],
        number=1,
    )
    sender, receiver = trio.open_memory_channel[VoiceFrame](10)
    for frame in frames:
        sender.send_nowait(frame)
    sender.close()
    fault = await intake.run(receiver)
    assert (fault.kind if fault else None) is kind
    assert reply.asked == asked
    assert reply.playout.ahead(0.0) == pytest.approx(seconds, abs=0.001)
    (ended,) = [event for event in told if isinstance(event, events.PieceEnded)]
    assert ended.cause == cause
    assert ended.audio == pytest.approx(sum(len(frame.pcm) for frame in frames if isinstance(frame, Sound)) / 2 / RATE)
    assert sum(isinstance(event, events.PieceAudio) for event in told) == any(isinstance(one, Sound) for one in frames)


async def test_a_piece_that_is_cut_says_so() -> None:
    """Cancelled while it waits for more."""
    told: list[events.Event] = []
    leg = LoopbackLeg(CallFacts("c1"), rate=RATE, now=lambda: 1.0)
    line = Line(leg, settings=Settings(), emit=told.append, now=lambda: 1.0)
    _, receiver = trio.open_memory_channel[VoiceFrame](1)
    with trio.CancelScope() as scope:
        scope.cancel()
        await Intake(line, reply=reply_with(), piece=pieces_of(TEXT)[0], number=1).run(receiver)
    assert [event.cause for event in told if isinstance(event, events.PieceEnded)] == ["cut"]

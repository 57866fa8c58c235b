"""Claims about playing a reply: gaps are told with their length and cause, and a lost mark does not hold the call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from orchestrator import events
from orchestrator.adapters.telephony.loopback import open_loopback
from orchestrator.events import GapCause
from orchestrator.ports import CallFacts, MarkPlayed
from orchestrator.settings import Settings
from orchestrator.speech.chunking import Piece
from orchestrator.speech.line import Line
from orchestrator.speech.player import Player
from orchestrator.speech.reply import Reply
from tests.speech.playing import PER_CHARACTER, RATE, Played, pieces_of, sound
from tests.speech.test_reply import reply_with

TEXT = "one two three four."


class Studio:
    """A reply that is played on a loopback leg; marks that begin with `lost` never come back."""

    def __init__(self, line: Line, told: list[events.Event]) -> None:
        self.played = Played()
        self.reply: Reply = reply_with(self.played)
        self.player = Player(line)
        self.told = told
        self.lost = ""
        self.line = line

    async def listen(self) -> None:
        """Pass the marks on."""
        async for event in self.line.leg.events():
            if isinstance(event, MarkPlayed) and not (self.lost and event.name.startswith(self.lost)):
                self.player.marked(event.name, event.at)

    def names(self) -> list[str]:
        """What was told."""
        return [type(event).__name__ for event in self.told]


@asynccontextmanager
async def studio() -> AsyncIterator[Studio]:
    """Open one at time 0."""
    told: list[events.Event] = []
    with trio.fail_after(60):
        async with open_loopback(CallFacts("c1"), rate=RATE, now=trio.current_time) as (leg, _):
            line = Line(leg, settings=Settings(), emit=told.append, now=trio.current_time)
            async with trio.open_nursery() as nursery:
                one = Studio(line, told)
                nursery.start_soon(one.listen)
                yield one
                nursery.cancel_scope.cancel()


async def test_a_reply_without_a_gap_ends_when_its_last_sample_sounded(autojump_clock: MockClock) -> None:
    """One first audio, no gap; no first word without a turn before."""
    async with studio() as one:
        one.played.arrive(pieces_of(TEXT)[0])
        one.played.playout.end()
        one.reply.pieces_done = True
        await one.player.play(one.reply)
        assert trio.current_time() == pytest.approx(len(TEXT) / 20)
        assert one.names() == ["CallStateChanged", "FirstAudioPlayed"]
        assert one.reply.heard(trio.current_time()) == len(TEXT)


@pytest.mark.parametrize("at_join", [True, False])
async def test_a_gap_is_told_with_its_length_and_cause(at_join: bool, autojump_clock: MockClock) -> None:
    """Inside a piece, and at a join; it shifts when the words behind it sounded."""
    async with studio() as one:
        one.line.caller_waits = True
        one.reply.enter_stage(GapCause.SLOT, 0.0)
        first, second = Piece(0, 9, "one two.", True, ((0, 3), (4, 8))), Piece(9, 15, "three.", True, ((9, 15),))
        if not at_join:
            first = pieces_of(TEXT)[0]

        async def provide() -> None:
            one.played.arrive(first, part=8 / len(first.text))  # 0.4 s
            if at_join:
                one.played.playout.end()
            one.reply.notify()
            await trio.sleep(1.0)
            if at_join:
                one.played.arrive(second)
            else:
                one.played.playout.add(sound((len(TEXT) - 8) * PER_CHARACTER), lead_trimmed=0.0)
            one.played.playout.end()
            one.reply.pieces_done = True
            one.reply.notify()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(provide)
            await one.player.play(one.reply)
        (gapped,) = [event for event in one.told if isinstance(event, events.Gapped)]
        assert gapped.seconds == pytest.approx(0.6)
        assert gapped.at == pytest.approx(1.0)
        assert gapped.cause is GapCause.SLOT
        joined = [(event.gap, event.cause) for event in one.told if isinstance(event, events.PiecesJoined)]
        assert joined == ([(gapped.seconds, GapCause.SLOT)] if at_join else [])
        assert "FirstWordHeard" in one.names()
        starts = [word.begins for word in one.played.playout.words(9.0)]
        assert starts == pytest.approx([0.0, 0.2, 1.0] if at_join else [0.0, 0.2, 1.0, 1.3])


async def test_a_last_mark_that_is_lost_is_given_up(autojump_clock: MockClock) -> None:
    """Two seconds after its time; what was written counts as heard."""
    async with studio() as one:
        one.played.arrive(pieces_of(TEXT)[0])
        one.played.playout.end()
        one.reply.pieces_done = True
        one.lost = f"1:{len(TEXT) * PER_CHARACTER}"
        await one.player.play(one.reply)
        assert trio.current_time() == pytest.approx(len(TEXT) / 20 + 2, abs=0.25)
        assert one.reply.heard(trio.current_time()) == len(TEXT)


async def test_marks_of_other_replies_mean_nothing(autojump_clock: MockClock) -> None:
    """Late ones of the reply before, and any before there was a reply."""
    async with studio() as one:
        one.player.marked("0:0", 0.0)
        one.played.arrive(pieces_of(TEXT)[0])
        with trio.move_on_after(0.1):
            await one.player.play(one.reply)
        before = one.played.playout.clock.last_mark
        one.player.marked("7:800", 0.1)
        assert one.played.playout.clock.last_mark == before

"""Claims about what is asked for, and when: piece by piece, early enough, never beyond the look-ahead."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock

from orchestrator import Talk, Turn, events
from orchestrator.events import CallState, GapCause
from orchestrator.settings import SpeechSettings
from tests.dialogue.calls import open_desk, saying, settings
from tests.dialogue.talkers import Noted
from tests.dialogue.voices import MarkedVoice

TEXT = "We have a table at seven. It is near the window, and it has a view of the lake. " * 8


async def test_pieces_cover_the_reply_and_the_first_is_short(autojump_clock: MockClock) -> None:
    """Each from where the last one ended; the sound does not gap."""
    voice = MarkedVoice()
    async with open_desk(dial=voice.dial) as desk:
        call = await desk.call("a", Noted, saying("hello"), options={"answer": TEXT})
        pieces = desk.of(events.PieceAsked)
        assert " ".join(voice.asked) == TEXT.strip()
        assert [piece.start for piece in pieces] == [TEXT.index(voice.asked[0])] + [
            before.start + before.characters + 1 for before in pieces[:-1]
        ]
        assert (pieces[0].first, pieces[0].characters) == (True, len("We have a table at seven."))
        assert not any(piece.breaks_sentence for piece in pieces)
        assert desk.of(events.Gapped) == []
        assert len(desk.of(events.PiecesJoined)) == len(pieces) - 1
        assert voice.words_in(call.tape.sound) == TEXT.split()


@pytest.mark.parametrize("look_ahead", [2.0, 6.0])
async def test_no_more_is_asked_for_than_the_look_ahead(look_ahead: float, autojump_clock: MockClock) -> None:
    """What the provider has made and the caller not yet heard is never much longer."""
    voice = MarkedVoice()
    speech = SpeechSettings(look_ahead=look_ahead)
    async with open_desk(settings(speech=speech), voice.dial) as desk:
        await desk.call("a", Noted, saying("hello"), options={"answer": TEXT})
        began, made = desk.at(events.FirstAudioPlayed), 0.0
        for piece in desk.of(events.PieceEnded):
            made += piece.audio
            assert made - max(0.0, piece.at - began) <= look_ahead + 0.3
        for before, after in pairwise(desk.of(events.PieceAsked)):
            assert before.at < after.at


async def test_text_that_streams_slowly_is_asked_for_in_clauses_before_silence(autojump_clock: MockClock) -> None:
    """No sentence is complete, but the caller would hear silence: the clause goes out. A gap is the text's fault."""

    class Streaming(Noted):
        async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
            for text in ("First we look at the calendar, ", "then at the weather forecast, "):
                yield text
                await trio.sleep(0.5)
            await trio.sleep(6)
            yield "and then we go."

    async with open_desk(dial=MarkedVoice().dial) as desk:
        call = await desk.call("a", Streaming, saying("hello", quiet=8))
        pieces = desk.of(events.PieceAsked)
        assert [piece.breaks_sentence for piece in pieces] == [True, True, False]
        (gapped,) = desk.of(events.Gapped)
        assert gapped.cause is events.GapCause.TEXT
        assert gapped.seconds > 3
        assert call.replies[0].cut == call.replies[0].unspoken == ""


async def test_calls_take_turns_piece_by_piece(autojump_clock: MockClock) -> None:
    """Four long replies at once: no caller hears a gap, and nobody waits for the end of another's reply."""
    voice = MarkedVoice()
    async with open_desk(dial=voice.dial) as desk:
        async with trio.open_nursery() as nursery:
            for name in "abcd":
                nursery.start_soon(partial(desk.call, name, Noted, saying("hello"), options={"answer": TEXT}))
        waits = [granted.wait for granted in desk.of(events.SlotGranted) if granted.wait is not None]
        assert len(waits) == 4
        assert max(waits) < 2
        assert sum(gapped.seconds for gapped in desk.of(events.Gapped)) < 0.2
        assert voice.most_in_flight == 1
        assert all(call.replies[0].heard == TEXT for call in desk.calls.values())


async def test_a_reply_that_begins_with_nothing_to_say_has_its_wait(autojump_clock: MockClock) -> None:
    """A rule of dashes makes no request: the first piece that does is the reply's first."""
    async with open_desk(dial=MarkedVoice().dial) as desk:
        call = await desk.call("a", Noted, saying("hello"), options={"answer": "- - - - - - - - \n" + TEXT})
        assert call.replies[0].heard.endswith(TEXT[-20:])
        asked = desk.of(events.PieceAsked)
        assert [piece.first for piece in asked] == [True] + [False] * (len(asked) - 1)
        grants = desk.of(events.SlotGranted)
        assert [grant.wait is not None for grant in grants] == [True] + [False] * (len(grants) - 1)


async def test_a_gap_does_not_leave_the_call_waiting(autojump_clock: MockClock) -> None:
    """The state follows the sound: waiting while it is dry, speaking when it goes on."""

    class Pausing(Noted):
        async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
            yield "Let me look that up for you. "
            await trio.sleep(5)
            yield "Here it is, and it is a long one, so please bear with me for a while."

    async with open_desk(dial=MarkedVoice().dial) as desk:
        await desk.call("a", Pausing, saying("hello", quiet=7))
        gap = desk.of(events.Gapped)[0]
        after = [event.state for event in desk.of(events.CallStateChanged) if event.at >= gap.at]
        assert (gap.cause, after[0]) == (GapCause.TEXT, CallState.SPEAKING)


@pytest.mark.parametrize("length", [40, 80, 95, 120, 200, 260])
async def test_a_long_first_clause_is_spoken(length: int, autojump_clock: MockClock) -> None:
    """Also longer than the look-ahead, and when the pace is known: nothing is too early while the caller waits."""
    clause = ("and so it goes on " * 20)[:length].rsplit(" ", 1)[0] + ". "
    async with open_desk(dial=MarkedVoice().dial) as desk:
        call = await desk.call("a", Noted, saying("hello", "again", "and again"), options={"answer": clause})
        assert [reply.heard for reply in call.replies] == [clause] * 3
        waits = [grant.wait for grant in desk.of(events.SlotGranted) if grant.first]
        assert waits == pytest.approx([0.0] * 3)
        look_ahead = settings().speech.look_ahead
        assert all(piece.audio <= look_ahead + 0.3 for piece in desk.of(events.PieceEnded))

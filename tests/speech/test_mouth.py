"""Claims about what is asked for, and when: piece by piece, early enough, never beyond the look-ahead."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterator
from functools import partial
from itertools import pairwise

import pytest
import trio
from attrs import Factory, define
from trio.testing import MockClock

from orchestrator import Talk, Turn, events
from orchestrator.adapters.telephony.loopback import Phone
from orchestrator.events import CallState, GapCause
from orchestrator.ports import Ask
from orchestrator.settings import SpeechSettings
from orchestrator.slot.place import LocalPlace
from orchestrator.slot.scheduler import Scheduler
from orchestrator.speech.chunking import Piece
from orchestrator.speech.portions import Situation, Sparing
from tests.dialogue.calls import open_desk, say, saying, settings
from tests.dialogue.talkers import Noted
from tests.dialogue.voices import MarkedVoice

TEXT = "We have a table at seven. It is near the window, and it has a view of the lake. " * 8


async def test_pieces_cover_the_reply(autojump_clock: MockClock) -> None:
    """Each from where the last one ended; the sound does not gap. Alone, the first takes what the look-ahead does."""
    voice = MarkedVoice()
    async with open_desk(dial=voice.dial) as desk:
        call = await desk.call("a", Noted, saying("hello"), options={"answer": TEXT})
        pieces = desk.of(events.PieceAsked)
        assert " ".join(voice.asked) == TEXT.strip()
        assert [piece.start for piece in pieces] == [TEXT.index(voice.asked[0])] + [
            before.start + before.characters + 1 for before in pieces[:-1]
        ]
        look_ahead = settings().speech.look_ahead * settings().speech.characters_per_second
        assert pieces[0].first
        assert len(TEXT) / 8 - 1 == pieces[0].characters < look_ahead < pieces[0].characters + len("We have a table")
        known = desk.at(events.FirstAudioPlayed) + 1.0  # from then on: that nobody else needs the slot
        assert not any(piece.breaks_sentence for piece in pieces if piece.at > known)
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
    """Four long replies at once: nobody waits for the end of another's reply, and no caller hears a gap once all have
    begun."""
    voice = MarkedVoice()
    async with open_desk(dial=voice.dial) as desk:
        async with trio.open_nursery() as nursery:
            for name in "abcd":
                nursery.start_soon(partial(desk.call, name, Noted, saying("hello"), options={"answer": TEXT}))
        waits = [granted.wait for granted in desk.of(events.SlotGranted) if granted.wait is not None]
        assert len(waits) == 4
        assert max(waits) < 1
        gaps, began = desk.of(events.Gapped), desk.at(events.FirstAudioPlayed)
        assert all(gapped.seconds < 0.15 and gapped.at < began + 3 for gapped in gaps)  # a link was awaited once
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
        for piece in desk.of(events.PieceEnded):
            heard_meanwhile = piece.seconds - 0.1  # the first audio's time
            assert piece.audio - heard_meanwhile <= look_ahead + 0.3


@define
class Overheard:
    """What the mouths tell the slots, and how often they ask what comes next."""

    words: list[tuple[str, str, bool]] = Factory(list)
    """Call, "expect", "unexpect" or "join", and if that was with a time, or for a first piece."""
    questions: int = 0

    def of(self, call: str) -> str:
        """What one call told, a letter each: s (the caller is silent), n (need in), u, f (first piece), l (later)."""
        letters = {"expect": "sn", "unexpect": "uu", "join": "lf"}
        return "".join(letters[word][flag] for who, word, flag in self.words if who == call)


@pytest.fixture
def overheard(monkeypatch: pytest.MonkeyPatch) -> Overheard:
    """Listen to every scheduler and every `Sparing`."""
    heard = Overheard()
    expect, unexpect, join, next_piece = Scheduler.expect, Scheduler.unexpect, Scheduler.join, Sparing.next_piece

    def expected(self: Scheduler, call: str, *, need_in: float | None = None) -> None:
        heard.words.append((call, "expect", need_in is not None))
        expect(self, call, need_in=need_in)

    def unexpected(self: Scheduler, call: str) -> None:
        heard.words.append((call, "unexpect", False))
        unexpect(self, call)

    def joined(self: Scheduler, wish: Ask) -> LocalPlace:
        heard.words.append((wish.call, "join", wish.first))
        return join(self, wish)

    def asked(self: Sparing, now: Situation) -> Piece | None:
        heard.questions += 1
        return next_piece(self, now)

    monkeypatch.setattr(Scheduler, "expect", expected)
    monkeypatch.setattr(Scheduler, "unexpect", unexpected)
    monkeypatch.setattr(Scheduler, "join", joined)
    monkeypatch.setattr(Sparing, "next_piece", asked)
    return heard


async def test_each_piece_queues_up_once(overheard: Overheard, autojump_clock: MockClock) -> None:
    """Nobody takes a place to give it back, and what comes next is asked a few times a second, not all the time."""
    async with open_desk(dial=MarkedVoice().dial) as desk:
        async with trio.open_nursery() as nursery:
            for name in "abcd":
                nursery.start_soon(partial(desk.call, name, Noted, saying("hello"), options={"answer": TEXT}))
        pieces = desk.of(events.PieceAsked)
        assert len(desk.of(events.TicketJoined)) == len(desk.of(events.SlotGranted)) == len(pieces)
        assert desk.of(events.TicketLeft) == []
        assert 2 * len(pieces) <= overheard.questions < 5 * len(pieces)


async def test_the_slots_know_what_comes(overheard: Overheard, autojump_clock: MockClock) -> None:
    """While the bot thinks, a first piece; with each piece, and while one waits for its time, when the next is needed;
    after the last one, nothing."""
    async with open_desk(dial=MarkedVoice().dial) as desk:
        await desk.call("a", Noted, saying("hello"), options={"answer": TEXT})
        assert re.fullmatch("u?sf" + "(n{1,2}l){5,}" + "u+", overheard.of("a"))


class Hesitant(Noted):
    """Says a clause, thinks, and has nothing to add."""

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
        yield "First we look at the calendar, "
        await trio.sleep(4)


async def test_a_reply_that_turns_out_to_be_over_is_not_expected_to_go_on(
    overheard: Overheard, autojump_clock: MockClock
) -> None:
    """Its last piece could not be known as the last one."""
    async with open_desk(dial=MarkedVoice().dial) as desk:
        await desk.call("a", Hesitant, saying("hello", quiet=6))
        assert re.fullmatch("u?sfn{2}u+", overheard.of("a"))


@pytest.mark.parametrize("after", [0.05, 0.3, 2.0])
async def test_a_cut_reply_is_not_expected_to_go_on(
    after: float, overheard: Overheard, autojump_clock: MockClock
) -> None:
    """Wherever it stands: waiting for the slot, being made, sounding. The slots await no word of it."""

    async def interrupting(phone: Phone) -> None:
        await say(phone, "hello")
        await trio.sleep(after)
        await say(phone, "wait")
        phone.hang_up()

    async with open_desk(dial=MarkedVoice().dial) as desk:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(desk.call, "b", Noted, saying("hello"), options={"answer": TEXT}))
            await trio.sleep(0.1)
            await desk.call("a", Noted, interrupting, options={"answer": TEXT})
        told = overheard.of("a")
        assert told.rindex("u") > max(told.rfind(letter) for letter in "nsfl")
        assert len(desk.of(events.SlotGranted)) == len(desk.of(events.SlotFreed))
        assert desk.of(events.ReplyEnded, "b")[0].outcome is events.Outcome.HEARD


async def test_a_piece_that_will_be_tried_again_is_not_awaited(overheard: Overheard, autojump_clock: MockClock) -> None:
    """The call pauses before it asks again: meanwhile the slot is for others."""
    voice = MarkedVoice(faults=deque(["silence"]))
    async with open_desk(dial=voice.dial) as desk:
        await desk.call("a", Noted, saying("hello", quiet=2), options={"answer": "Very well, as you like."})
        assert re.fullmatch("u?sf[nu]ul[nu]u+", overheard.of("a"))


async def test_a_piece_takes_the_text_that_came_while_it_waited(autojump_clock: MockClock) -> None:
    """It queues up with its first clause; at the grant, seven tenths of a second later, there are three."""
    clauses = ("First we look at the calendar, ", "then at the weather, ", "and then we go. ")

    class Streaming(Noted):
        async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
            for text in clauses:
                yield text
                await trio.sleep(0.1)

    async with open_desk(dial=MarkedVoice().dial) as desk:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(desk.call, "b", Noted, saying("hello"), options={"answer": TEXT}))
            await trio.sleep(0.05)
            await desk.call("a", Streaming, saying("hello"))
        (piece,) = desk.of(events.PieceAsked, "a")
        joined = desk.at(events.TicketJoined, "a")
        assert (piece.start, piece.characters) == (0, len("".join(clauses)) - 1)
        assert piece.at > joined + 0.2

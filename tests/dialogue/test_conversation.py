"""Claims about a call that goes well: who is asked what, when, in which order, and how the call ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from orchestrator import Heard, Say, Talk, Turn, events
from orchestrator.adapters.telephony.loopback import Phone
from orchestrator.events import CallState
from tests.dialogue.calls import hear_out, open_desk, say, saying, settings
from tests.dialogue.talkers import Hooked, Noted, Wishing


async def test_opening_turns_keys_and_silence_are_answered(autojump_clock: MockClock) -> None:
    """Each by its hook, in the order in which they came; the hang-up ends the call."""

    async def caller(phone: Phone) -> None:
        await hear_out(phone)
        await say(phone, "one")
        await hear_out(phone)
        await phone.press("12")
        await hear_out(phone)
        await hear_out(phone)
        phone.hang_up()

    async with open_desk(settings(silence_after=4)) as desk:
        call = await desk.call("a", Hooked, caller)
        spoken = ["Hello there.", ">one", "Very well.", ">[pressed 2 keys]", "You pressed 12.", "Are you there?"]
        assert call.lines == spoken
        assert [reply.hook for reply in desk.of(events.ReplyStarted)] == ["opening", "reply", "on_digits", "on_silence"]
        assert [reply.after_turn for reply in desk.of(events.ReplyStarted)] == [None, 1, None, None]
        assert (call.reason, desk.of(events.CallEnded)[0].reason) == ("caller", "caller")
        assert call.record is not None
        assert call.record.seconds == pytest.approx(desk.at(events.CallEnded))
        assert desk.of(events.CallerDigits)[0].count == 2


async def test_silence_begins_anew_when_the_caller_made_a_sound(autojump_clock: MockClock) -> None:
    """A turn without words is no turn, but no silence either; nobody is asked while the caller speaks."""

    async def caller(phone: Phone) -> None:
        await hear_out(phone)  # ends at about 0.6 + 0.6
        await trio.sleep(2)
        await say(phone, "  ", seconds=9)
        await phone.wait_bot_speaks()
        phone.hang_up()

    async with open_desk(settings(silence_after=4)) as desk:
        await desk.call("a", Hooked, caller)
        spoke, ended = desk.at(events.CallerSpeechStarted), desk.at(events.CallerTurnEnded)
        asked = [reply.at for reply in desk.of(events.ReplyStarted) if reply.hook == "on_silence"]
        assert asked == [pytest.approx(ended + 4)]
        assert ended == pytest.approx(spoke + 9)


async def test_the_bot_learns_what_was_heard_before_it_is_asked_again(autojump_clock: MockClock) -> None:
    """And at last that the call is over, also where the caller's hang-up cut the last reply."""
    log: list[Any] = []

    async def caller(phone: Phone) -> None:
        await say(phone, "one")
        await hear_out(phone)
        await say(phone, "two")
        await phone.wait_bot_speaks()
        await trio.sleep(0.35)
        phone.hang_up()

    async with open_desk() as desk:
        await desk.call("a", Noted, caller, options={"log": log})
    assert log == [
        "reply one",
        Heard("Very well.", "", ""),
        "reply two",
        Heard("Very ", "well.", ""),
        "on_hang_up",
    ]


@pytest.mark.parametrize("text", ["", " \n\t", "\x00\x07", "😀", "…"])
async def test_nothing_to_say_is_no_request(text: str, autojump_clock: MockClock) -> None:
    """No sound, no entry for nothing, no on_heard; the next turn is answered."""
    log: list[Any] = []

    async def caller(phone: Phone) -> None:
        await say(phone, "one")
        await trio.sleep(1)
        phone.hang_up()

    async with open_desk() as desk:
        call = await desk.call("a", Noted, caller, options={"log": log, "answer": text})
        assert desk.of(events.PieceAsked) == []
        assert desk.of(events.TicketJoined) == []
        assert call.tape.sound == b""
        (ended,) = desk.of(events.ReplyEnded)
        assert (ended.heard, ended.unspoken, ended.characters) == (len(text), 0, len(text))
        assert len(call.replies) == bool(text.strip())


@pytest.mark.parametrize(
    ("wish", "lines", "to"),
    [
        ("hang up", [">hang up", "I will."], None),
        ("transfer", [">transfer", "I will."], "+49 30 1"),
    ],
)
async def test_the_bot_leaves_when_it_was_heard(
    wish: str, lines: list[str], to: str | None, autojump_clock: MockClock
) -> None:
    """Hanging up or handing the caller over."""
    log: list[Any] = []
    async with open_desk() as desk:
        call = await desk.call("a", Wishing, saying(wish, "more"), options={"log": log})
        assert call.lines == lines
        assert call.reason == "bot"
        assert call.leg.transferred_to == to
        assert call.leg.over.is_set()
        assert log[-1] == "on_hang_up"


async def test_words_outside_a_reply_come_after_it(autojump_clock: MockClock) -> None:
    """As a reply of their own, of which the bot learns, too."""
    log: list[Any] = []
    async with open_desk() as desk:
        call = await desk.call("a", Wishing, saying("say"), options={"log": log})
        assert call.lines == [">say", "I will.", "By the way."]
        assert log == [Heard("I will.", "", ""), Heard("By the way.", "", ""), "on_hang_up"]


async def test_nobody_speaks_over_the_caller(autojump_clock: MockClock) -> None:
    """Who talks into the end of a reply that is not to be interrupted is heard out before the bot goes on."""

    class Reminder(Noted):
        async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str | Say]:
            if turn.text == "one":
                talk.say("By the way.")
                yield Say("This must be said to its end.", interruptible=False)

    async def caller(phone: Phone) -> None:
        await say(phone, "one")
        await phone.wait_bot_speaks()
        await trio.sleep(1)
        await say(phone, "I talk on and on", seconds=4)
        await hear_out(phone)
        phone.hang_up()

    async with open_desk() as desk:
        call = await desk.call("a", Reminder, caller)
        protected, turn, aside = call.transcript.entries[1:]
        assert call.lines[1:] == ["This must be said to its end.", ">I talk on and on", "By the way."]
        assert protected.end is not None
        assert turn.start is not None
        assert turn.start < protected.end
        assert aside.start == turn.end
        assert desk.of(events.BargedIn) == []


async def test_the_states_of_a_turn_are_told(autojump_clock: MockClock) -> None:
    """For the live table: each change once."""
    async with open_desk() as desk:
        await desk.call("a", Noted, saying("one"))
        states = [event.state for event in desk.of(events.CallStateChanged)]
        assert states == [
            CallState.LISTENING,
            CallState.THINKING,
            CallState.WAITING,
            CallState.SPEAKING,
            CallState.LISTENING,
            CallState.ENDED,
        ]


async def test_a_say_chooses_the_voice_of_its_reply(autojump_clock: MockClock) -> None:
    """The first one decides; the next reply has the usual voice again."""

    class Voices(Noted):
        async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str | Say]:
            if turn.text == "one":
                yield Say("Hi. ", voice="eve")
            yield Say("Well.", voice="bob" if turn.text == "one" else None)

    async with open_desk() as desk:
        call = await desk.call("a", Voices, saying("one", "two"))
        assert [reply.voice for reply in call.replies] == ["eve", "avery"]


@pytest.mark.parametrize("text", ["a\ud800b \udfff c.", "\x00Hello\x1b there\x7f.", "\u202eNo.\u2066 \ufeffYes."])
async def test_odd_characters_are_spoken_or_skipped(text: str, autojump_clock: MockClock) -> None:
    """All of the reply counts as heard."""
    async with open_desk() as desk:
        call = await desk.call("a", Noted, saying("one"), options={"answer": text})
        assert [reply.heard for reply in call.replies] == [text]
        assert desk.of(events.CallFailed) == []


async def test_a_reply_of_50_000_characters_is_spoken_until_it_is_cut(autojump_clock: MockClock) -> None:
    """Never more than the look-ahead of it is asked for."""
    text = "All work and no play, they say. " * 1563

    async def caller(phone: Phone) -> None:
        await say(phone, "tell me")
        await phone.wait_bot_speaks()
        await trio.sleep(60)
        await say(phone, "stop")
        phone.hang_up()

    async with open_desk() as desk:
        call = await desk.call("a", Noted, caller, options={"answer": text})
        reply = call.replies[0]
        assert reply.heard + reply.cut == text
        assert len(reply.heard) == pytest.approx(60 * 15, abs=40)
        assert sum(piece.characters for piece in desk.of(events.PieceAsked)) < 69 * 15


async def test_keys_interrupt_and_are_answered_at_once(autojump_clock: MockClock) -> None:
    """Like speech; the first word of that answer ends the caller's wait for one."""

    class Menu(Hooked):
        async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str | Say]:
            yield "For the opening hours press one, for everything else press two, or just tell me."

    async def caller(phone: Phone) -> None:
        await hear_out(phone)
        await say(phone, "one")
        await phone.wait_bot_speaks()
        await trio.sleep(1)
        await phone.press("1")
        await hear_out(phone)
        phone.hang_up()

    async with open_desk() as desk:
        call = await desk.call("a", Menu, caller)
        assert call.lines[-1] == "You pressed 1."
        assert call.replies[1].cut != ""
        assert len(desk.of(events.BargedIn)) == 1
        turn = desk.of(events.CallerTurnEnded)[0]
        assert [word.at >= turn.at for word in desk.of(events.FirstWordHeard)] == [True]

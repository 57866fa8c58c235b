"""Claims about talk_with: a bot is tested in one line, in virtual time, and fails with its own traceback."""

from __future__ import annotations

import time  # to show that no real second passes
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio

from bots.appointments import AppointmentDesk
from bots.echo import Echo
from orchestrator import Bot, Heard, Say, Talk, Turn
from orchestrator.dialogue.transcript import BotEntry, CallerEntry, Entry
from orchestrator.errors import BotError, BotLoadError
from orchestrator.ports import CallFacts
from orchestrator.settings import Settings, SpeechSettings
from orchestrator.testing import Interrupt, Press, talk_with


def lines(entries: tuple[Entry, ...]) -> list[str]:
    """What was said, the caller's after ">"."""
    return [f">{entry.text}" if isinstance(entry, CallerEntry) else entry.heard.strip() for entry in entries]


class Concierge(Bot):
    """Answers keys and words; its options say how it fails."""

    def __init__(self, greeting: str = "Hello.", fails: str = "") -> None:
        self.greeting = greeting
        self.fails = fails
        self.heard: list[Heard] = []

    async def opening(self, talk: Talk) -> AsyncIterator[str]:
        """Greet."""
        yield f"{self.greeting} {talk.call.caller}"

    def reply(self, turn: Turn, talk: Talk) -> Iterator[str | Say]:
        """Answer, as a plain generator."""
        if self.fails == "reply":
            raise LookupError("no answer")
        cut = any(heard.interrupted for heard in self.heard)
        yield Say("Where were we? " if cut else "I tell you a long story about ships and captains. ")
        if turn.text == "goodbye":
            talk.hang_up()

    async def on_digits(self, digits: str, talk: Talk) -> AsyncIterator[str]:
        """Say them."""
        yield f"Keys {digits}."

    async def on_heard(self, heard: Heard) -> None:
        """Remember it."""
        self.heard.append(heard)


def test_a_bot_is_tested_in_one_line() -> None:
    """Options, the call's facts, keys and words."""
    call = CallFacts("x", caller="+49")
    talk = talk_with(Concierge, [Press("1#"), "hello"], options={"greeting": "Hi."}, call=call)
    assert lines(talk) == [
        "Hi. +49",
        ">[pressed 2 keys]",
        "Keys 1#.",
        ">hello",
        "I tell you a long story about ships and captains.",
    ]


def test_an_interruption_falls_so_many_seconds_into_the_reply() -> None:
    """At 15 characters a second; the bot knows what was cut."""
    talk = talk_with(Concierge, ["hello", Interrupt("wait", after=1.0)])
    _, _, story, interruption, answer = talk
    assert isinstance(story, BotEntry)
    assert isinstance(interruption, CallerEntry)
    assert isinstance(answer, BotEntry)
    assert story.heard == "I tell you a "
    assert story.start is not None
    assert interruption.start == pytest.approx(story.start + 1.0)
    assert answer.heard == "Where were we? "


def test_what_a_caller_says_after_the_bot_hung_up_is_not_said() -> None:
    """The call is over."""
    assert lines(talk_with(Concierge, ["goodbye", "more"]))[1:] == [
        ">goodbye",
        "I tell you a long story about ships and captains.",
    ]


@pytest.mark.parametrize(
    ("bot", "options", "cause"),
    [
        (Concierge, {"fails": "reply"}, "LookupError: no answer"),
        (Concierge, {"fails": "reply"}, 'raise LookupError("no answer")'),
        (Echo, {"name": "a", "nonsense": 1}, "unexpected keyword argument 'nonsense'"),
    ],
)
def test_a_bot_that_fails_fails_the_test(bot: type[Any], options: dict[str, Any], cause: str) -> None:
    """With its own traceback."""
    with pytest.raises(BotError) as caught:
        talk_with(bot, ["hello"], options=options)
    assert cause in str(caught.value)
    assert bot.__qualname__ in str(caught.value)


def test_a_bot_that_takes_too_long_fails_in_virtual_time() -> None:
    """Eight seconds of waiting take milliseconds."""

    class Slow(Bot):
        async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
            await trio.sleep(20)
            yield "At last."

    began = time.monotonic()
    with pytest.raises(BotError, match="no text within 8 s"):
        talk_with(Slow, ["hello"])
    assert time.monotonic() - began < 5


def test_a_hook_of_the_wrong_shape_is_told_before_the_call() -> None:
    """As the program does it."""

    class Wrong:
        async def reply(self, turn: Turn, talk: Talk) -> str:
            return "a"

    with pytest.raises(BotLoadError, match="returns instead of yielding"):
        talk_with(Wrong, ["hello"])


def test_the_same_talk_comes_out_the_same() -> None:
    """Also with pieces of 2,000 characters, the longest that the settings allow, and words of one letter."""

    class Long(Bot):
        async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
            yield "a " * 1200

    speech = SpeechSettings(piece_characters=2000, look_ahead=60, characters_per_second=100)
    first, second = (talk_with(Long, ["hello"], settings=Settings(speech=speech)) for _ in range(2))
    assert lines(first) == lines(second)
    assert lines(first)[1] == ("a " * 1200).strip()


def test_the_shipped_bots_can_be_talked_with() -> None:
    """A booking from the first word to the goodbye."""
    talk = talk_with(AppointmentDesk, ["Tuesday at ten", "my name is Ann Lee", "yes", "goodbye"])
    assert all(entry.unspoken == "" for entry in talk if isinstance(entry, BotEntry))
    assert "Ann Lee" in " ".join(lines(talk)[4:])

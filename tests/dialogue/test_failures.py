"""Claims about failures of a bot: its own caller hears an apology or loses the call, nobody else notices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from orchestrator import Heard, Talk, Turn, events
from orchestrator.adapters.telephony.loopback import Phone
from orchestrator.dialogue.bot_loading import LoadedBot
from tests.dialogue.calls import open_desk, saying, settings
from tests.dialogue.talkers import Failing, Noted


@pytest.mark.parametrize(
    ("turn", "error", "spoken"),
    [
        ("raise", "LookupError: no such thing", ["Just a moment."]),
        ("wrong", "yielded 7", []),
        ("wait", "no text within 8 s", []),
        ("exit", "SystemExit: 1", []),
    ],
)
async def test_a_failure_is_apologised_for_in_its_own_call_only(
    turn: str, error: str, spoken: list[str], autojump_clock: MockClock
) -> None:
    """What was yielded before is spoken, the next turn is answered, and another call beside it runs as alone."""
    async with open_desk() as desk:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(desk.call, "bad", Failing, saying(turn, "hello"))
            nursery.start_soon(desk.call, "good", Failing, saying("hello", "again"))
        assert desk.calls["bad"].lines == [f">{turn}", *spoken, "I am sorry.", ">hello", "You said hello."]
        assert desk.calls["good"].lines == [">hello", "You said hello.", ">again", "You said again."]
        (failed,) = desk.of(events.BotFailed)
        assert (failed.call, failed.bot, failed.hook) == ("bad", "Failing", "reply")
        assert error in failed.error
        assert ("talkers.py" in failed.traceback) is (turn in ("raise", "exit"))
        assert [call.reason for call in desk.calls.values()] == ["caller", "caller"]


async def test_three_failures_in_a_row_end_the_call(autojump_clock: MockClock) -> None:
    """After the last apology; an answer in between starts the count anew."""
    async with open_desk() as desk:
        call = await desk.call("a", Failing, saying("raise", "exit", "fine", "wrong", "wrong", "raise", "more"))
        assert call.reason == "failure"
        assert call.lines[-1] == "I am sorry."
        assert ">more" not in call.lines
        assert call.leg.over.is_set()
        assert desk.of(events.CallFailed) == []
        assert len(desk.of(events.BotFailed)) == 5


class Unmade(Noted):
    """Cannot be made."""

    def __init__(self, exits: bool) -> None:
        super().__init__()
        raise SystemExit(2) if exits else ZeroDivisionError("no")


@pytest.mark.parametrize("exits", [True, False])
async def test_a_bot_that_cannot_be_made_fails_its_call(exits: bool, autojump_clock: MockClock) -> None:
    """The caller is hung up on; others go on."""
    async with open_desk() as desk:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(desk.call, "good", Noted, saying("hello"))
            call = await desk.call("bad", LoadedBot("u", Unmade, {"exits": exits}), saying("hello"))
        assert call.reason == "failure"
        assert call.leg.over.is_set()
        (failed,) = desk.of(events.CallFailed)
        assert "bot 'u' could not be made" in failed.error
        assert "test_failures.py" in failed.traceback
        assert desk.calls["good"].reason == "caller"


class Deaf(Noted):
    """Its listening hooks fail, or never end."""

    async def on_heard(self, heard: Heard) -> None:
        """Fail."""
        raise ValueError("on_heard")

    async def on_hang_up(self) -> None:
        """Hang."""
        self.log.append("on_hang_up")
        try:
            await trio.sleep_forever()
        finally:
            self.log.append("ended")


async def test_listening_hooks_that_fail_are_told_and_leave_the_call_alone(autojump_clock: MockClock) -> None:
    """No apology for what no caller noticed; a goodbye that hangs is ended after 8 s and told."""
    log: list[Any] = []
    async with open_desk() as desk:
        call = await desk.call("a", Deaf, saying("one", "two"), options={"log": log})
        assert call.lines == [">one", "Very well.", ">two", "Very well."]
        assert [failed.error for failed in desk.of(events.BotFailed)] == [
            "ValueError: on_heard",
            "ValueError: on_heard",
            "not done within 8 s",
        ]
        assert log == ["reply one", "reply two", "on_hang_up", "ended"]
        assert desk.at(events.CallEnded) - desk.at(events.CallerHungUp) == pytest.approx(8)


class Saying(Noted):
    """Says what is no text, outside a reply."""

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
        """Say it."""
        talk.say(7)  # type: ignore[arg-type]
        yield "Well."


async def test_saying_what_is_no_text_fails_where_it_is_said(autojump_clock: MockClock) -> None:
    """In the bot's own hook, with its traceback."""
    async with open_desk() as desk:
        call = await desk.call("a", Saying, saying("one"))
        assert call.lines == [">one", "I am sorry."]
        (failed,) = desk.of(events.BotFailed)
        assert "a bot says str or Say, not 7" in failed.error


# --- what calls share ---


class Pooled(Noted):
    """Opens something once; `trouble` is where it fails: "open", "exit", or nowhere."""

    @classmethod
    @asynccontextmanager
    async def shared(cls, options: Mapping[str, Any]) -> AsyncIterator[Any]:
        """Open it."""
        log = options["log"]
        log.append("opening")
        await trio.sleep(1)
        if options.get("answer") == "open":
            raise OSError("no database")
        if options.get("answer") == "exit":
            raise SystemExit(1)
        try:
            yield {"pool": log}
        finally:
            log.append("closed")

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
        """Show that it is there."""
        assert talk.shared["pool"] is self.log
        yield "Here."


async def test_what_is_shared_is_opened_once_and_closed_at_the_end(autojump_clock: MockClock) -> None:
    """At the first call, for all calls of the class, until the program ends."""
    log: list[Any] = []
    bot = LoadedBot("p", Pooled, {"log": log})
    async with open_desk() as desk:
        async with trio.open_nursery() as nursery:
            for name in ("a", "b", "c"):
                nursery.start_soon(desk.call, name, bot, saying("one"))
        assert [call.lines for call in desk.calls.values()] == [[">one", "Here."]] * 3
        assert (log.count("opening"), log.count("closed")) == (1, 0)
        await desk.call("d", bot, saying("one"))
    assert (log.count("opening"), log.count("closed")) == (1, 1)


@pytest.mark.parametrize(("trouble", "error"), [("open", "OSError: no database"), ("exit", "SystemExit: 1")])
async def test_what_cannot_be_opened_fails_the_calls_that_need_it(
    trouble: str, error: str, autojump_clock: MockClock
) -> None:
    """Each of them, with the reason; the next call tries again, and other bots go on."""
    log: list[Any] = []
    options = {"log": log, "answer": trouble}
    bot = LoadedBot("p", Pooled, options)
    async with open_desk() as desk:
        async with trio.open_nursery() as nursery:
            for name in ("a", "b"):
                nursery.start_soon(desk.call, name, bot, saying("one"))
            nursery.start_soon(desk.call, "good", Noted, saying("one"))
        assert {name: call.reason for name, call in desk.calls.items()} == {
            "a": "failure",
            "b": "failure",
            "good": "caller",
        }
        assert all(f"shared() failed: {error}" in failed.error for failed in desk.of(events.CallFailed))
        assert log == ["opening"]
        del options["answer"]
        await desk.call("c", bot, saying("one"))
        assert desk.calls["c"].lines == [">one", "Here."]


async def test_what_never_opens_fails_the_calls_that_wait_for_it(autojump_clock: MockClock) -> None:
    """After ten seconds, with the reason."""

    class Stuck(Noted):
        @classmethod
        @asynccontextmanager
        async def shared(cls, options: Mapping[str, Any]) -> AsyncIterator[Any]:
            await trio.sleep_forever()
            yield None

    async with open_desk() as desk:
        await desk.call("a", Stuck, saying("hello"))
        (failed,) = desk.of(events.CallFailed)
        assert failed.at == pytest.approx(10)
        assert "shared() is not open after 10 s" in failed.error


async def test_a_call_that_is_cancelled_while_its_bot_is_made_ends_with_the_run(autojump_clock: MockClock) -> None:
    """That is nobody's failure."""

    async def nobody(phone: Phone) -> None:
        await trio.sleep_forever()

    async with open_desk(settings()) as desk:
        with trio.move_on_after(0.5):
            await desk.call("a", LoadedBot("p", Pooled, {"log": []}), nobody)
        assert [event.reason for event in desk.of(events.CallEnded)] == ["run"]
        assert desk.of(events.CallFailed) == []

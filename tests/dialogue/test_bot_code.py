"""Claims about keeping a bot's code to itself: all it raises is its own trouble, and it ends soon when told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from orchestrator import Heard, Talk, Turn, events
from orchestrator.adapters.telephony.loopback import Phone
from orchestrator.dialogue.bot import Say
from orchestrator.dialogue.bot_code import GRACE, bot_code, grace, part
from orchestrator.errors import BotError
from tests.dialogue.calls import open_desk, say, saying
from tests.dialogue.talkers import Noted
from tests.dialogue.test_hooks import said


@pytest.mark.parametrize("error", [SystemExit(1), asyncio.CancelledError(), GeneratorExit(), ValueError("x")])
@pytest.mark.parametrize("grouped", [True, False])
def test_whatever_is_raised_is_trouble(error: BaseException, grouped: bool) -> None:
    """Alone and in a group, with its cause."""
    with pytest.raises(BotError, match="a bot: ") as caught, bot_code(BotError, "a bot: "):
        raise BaseExceptionGroup("g", [error]) if grouped else error
    assert caught.value.__cause__ is not None


def test_an_interrupt_goes_on_and_is_parted_from_trouble() -> None:
    """Ctrl-C is nobody's to keep."""
    both = BaseExceptionGroup("g", [KeyboardInterrupt(), ValueError("x")])
    with pytest.raises(KeyboardInterrupt), bot_code(BotError):
        raise KeyboardInterrupt
    with pytest.raises(BaseExceptionGroup) as caught, bot_code(BotError):
        raise both
    assert [type(error) for error in caught.value.exceptions] == [KeyboardInterrupt]
    passing, trouble = part(both)
    assert isinstance(passing, BaseExceptionGroup)
    assert isinstance(trouble, ExceptionGroup)


@pytest.mark.parametrize(("cancelled_at", "ended_at", "cut"), [(None, 5, False), (1, 1 + GRACE, True), (4.8, 5, False)])
async def test_grace_begins_when_the_task_is_cancelled(
    cancelled_at: float | None, ended_at: float, cut: bool, autojump_clock: MockClock
) -> None:
    """Without a cancellation there is no limit."""
    began = trio.current_time()
    with trio.move_on_after(cancelled_at if cancelled_at is not None else 100):
        async with grace() as patience:
            await trio.sleep(5)
    assert trio.current_time() - began == pytest.approx(ended_at)
    assert patience.cancelled_caught is cut


class Holds:
    """Holds scopes and nurseries open across its yields."""

    def __init__(self) -> None:
        self.closed = 0

    async def in_time(self) -> AsyncIterator[str]:
        with trio.fail_after(5):
            yield "a"
            await trio.sleep(0.1)
            yield "b"

    async def too_late(self) -> AsyncIterator[str]:
        with trio.fail_after(5):
            yield "a"
            await trio.sleep(6)
            yield "b"

    async def nursery(self) -> AsyncIterator[str]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 1)
            yield "a"
            yield "b"

    async def child_fails(self) -> AsyncIterator[str]:
        async def child() -> None:
            raise SystemExit(3)

        async with trio.open_nursery() as nursery:
            yield "a"
            nursery.start_soon(child)
            await trio.sleep(1)
            yield "b"

    async def endless(self) -> AsyncIterator[str]:
        try:
            with trio.CancelScope(shield=True):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(trio.sleep_forever)
                    while True:
                        yield "a"
        finally:
            self.closed += 1


@pytest.mark.parametrize("hook", ["in_time", "nursery"])
async def test_scopes_and_nurseries_are_held_across_yields(hook: str, autojump_clock: MockClock) -> None:
    """Ours are not in their way."""
    assert await said(Holds(), hook) == ["a", "b"]


@pytest.mark.parametrize(("hook", "error"), [("too_late", "TooSlowError"), ("child_fails", "ExceptionGroup")])
async def test_what_they_raise_is_a_bot_error(hook: str, error: str, autojump_clock: MockClock) -> None:
    """What came before stays said."""
    says: list[Say] = []
    with pytest.raises(BotError, match=error):
        await said(Holds(), hook, into=says)
    assert says == [Say("a")]


async def test_a_generator_that_holds_a_shield_and_a_nursery_is_closed_at_a_cut() -> None:
    """At its yield it is told to leave, and nothing of it goes on."""
    bot, says = Holds(), list[Say]()
    before = trio.lowlevel.current_statistics().tasks_living
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: said(bot, "endless", into=says))
            while not says:
                await trio.lowlevel.checkpoint()
            scope.cancel()
    assert bot.closed == 1
    assert trio.lowlevel.current_statistics().tasks_living == before


class Base(Noted):
    """Raises no Exception but something below, one way a turn."""

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str | Say]:
        """Raise it."""
        if turn.text == "asyncio":
            raise asyncio.CancelledError
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_exit)
            await trio.sleep(1)
        yield "never"


async def _exit() -> None:
    raise SystemExit(3)


@pytest.mark.parametrize("turn", ["asyncio", "nursery"])
async def test_no_other_call_feels_it(turn: str, autojump_clock: MockClock) -> None:
    """Its own caller gets an apology."""
    async with open_desk() as desk:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(desk.call, "bad", Base, saying(turn))
            nursery.start_soon(desk.call, "good", Noted, saying("one", "two"))
        assert desk.calls["bad"].lines == [f">{turn}", "I am sorry."]
        assert desk.calls["good"].lines == [">one", "Very well.", ">two", "Very well."]
        assert len(desk.of(events.BotFailed)) == 1


class Slow(Noted):
    """Takes `answer` seconds to hear, and as long to say goodbye."""

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str | Say]:
        """Answer at length."""
        yield "Well, this is a sentence that goes on for quite a while, really it does."

    async def on_heard(self, heard: Heard) -> None:
        """Take time."""
        await trio.sleep(float(str(self.answer)))
        self.log.append("heard")

    async def on_hang_up(self) -> None:
        """Take time."""
        await trio.sleep(float(str(self.answer)))
        self.log.append("saved")


def speaks_and(end: Callable[[Phone], Awaitable[None]]) -> Callable[[Phone], Awaitable[None]]:
    """A caller who ends the call in the middle of the answer."""

    async def caller(phone: Phone) -> None:
        await say(phone, "one")
        await phone.wait_bot_speaks()
        await trio.sleep(0.5)
        await end(phone)

    return caller


async def hang_up(phone: Phone) -> None:
    """End it."""
    phone.hang_up()


async def stay(phone: Phone) -> None:
    """Wait for the end."""
    await trio.sleep_forever()


async def test_after_an_ordinary_end_a_bot_has_the_time_of_a_first_text(autojump_clock: MockClock) -> None:
    """For each of the two hooks."""
    log: list[Any] = []
    async with open_desk() as desk:
        await desk.call("a", Slow, speaks_and(hang_up), options={"answer": "7", "log": log})
        assert log == ["heard", "saved"]
        assert desk.of(events.BotFailed) == []


@pytest.mark.parametrize(("seconds", "done", "failed"), [("0.2", 2, []), ("0.4", 0, ["on_heard", "on_hang_up"])])
async def test_at_the_end_of_the_run_it_has_a_moment(
    seconds: str, done: int, failed: list[str], autojump_clock: MockClock
) -> None:
    """Each hook its own; what is cut off is told."""
    log: list[Any] = []
    async with open_desk() as desk:
        with trio.move_on_after(2):
            await desk.call("a", Slow, speaks_and(stay), options={"answer": seconds, "log": log})
        assert len(log) == done
        assert [event.hook for event in desk.of(events.BotFailed)] == failed
        assert desk.at(events.CallEnded) == pytest.approx(2 + 2 * min(float(seconds), GRACE))


class Shares(Noted):
    """Takes `answer` seconds to close what it shares; "raise" fails."""

    @classmethod
    @asynccontextmanager
    async def shared(cls, options: Mapping[str, Any]) -> AsyncIterator[Any]:
        """Open it."""
        try:
            yield 1
        finally:
            if options["answer"] == "raise":
                raise OSError("no database")
            await trio.sleep(float(options["answer"]))
            options["log"].append("closed")


@pytest.mark.parametrize("cancelled", [True, False])
@pytest.mark.parametrize(
    ("answer", "errors"), [("0.2", []), ("0.4", ["was not closed within 0.3 s"]), ("raise", ["OSError: no database"])]
)
async def test_what_is_shared_has_time_to_close(
    answer: str, errors: list[str], cancelled: bool, autojump_clock: MockClock
) -> None:
    """However the run ends; what fails then is told."""
    log: list[Any] = []
    with trio.CancelScope() as run:
        async with open_desk() as desk:
            await desk.call("a", Shares, speaks_and(hang_up), options={"answer": answer, "log": log})
            if cancelled:
                run.cancel()
                await trio.lowlevel.checkpoint()
    told = desk.of(events.BotFailed)
    assert log.count("closed") == (not errors)
    assert [event.hook for event in told] == ["shared"] * len(errors)
    assert all(error in event.error for error, event in zip(errors, told, strict=True))


async def test_a_hang_up_does_not_hurry_a_bot_that_is_told_something(autojump_clock: MockClock) -> None:
    """The caller leaves just after a reply, while `on_heard` is at work: it may finish."""
    log: list[Any] = []

    async def caller(phone: Phone) -> None:
        await say(phone, "one")
        await phone.wait_bot_speaks()
        await phone.wait_bot_quiet(0.1)
        phone.hang_up()

    async with open_desk() as desk:
        call = await desk.call("a", Slow, caller, options={"answer": "2", "log": log})
        assert call.reason == "caller"
        assert log == ["heard", "saved"]
        assert desk.of(events.BotFailed) == []

"""Claims about running a bot's hooks: within their time, generators always closed, every failure a BotError."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from orchestrator.dialogue.bot import Say
from orchestrator.dialogue.hooks import Hooks
from orchestrator.errors import BotError
from orchestrator.lanes import InlineLane, ThreadLane
from orchestrator.ports import Lane
from orchestrator.settings import DialogueSettings

SETTINGS = DialogueSettings(first_text_within=8, text_within=10)


class Recorded:
    """Notes which of a bot's generators were closed."""

    def __init__(self) -> None:
        self.closed = 0
        self.entered = threading.Event()
        self.leave = threading.Event()
        self.ended = threading.Event()


async def said(bot: Any, hook: str = "reply", *, lane: Lane | None = None, into: list[Say] | None = None) -> list[str]:
    """What the hook says; what came before a failure is in `into`."""
    says: list[Say] = [] if into is None else into
    hooks = Hooks(bot, lane=lane or InlineLane(), settings=SETTINGS)
    await hooks.speak(hook, take=says.append)
    return [say.text for say in says]


class Both(Recorded):
    """Says the same in both ways."""

    async def reply(self) -> AsyncIterator[str | Say]:
        try:
            yield "a"
            await trio.sleep(1)
            yield Say("b", interruptible=False)
        finally:
            self.closed += 1

    def on_silence(self) -> Iterator[str | Say]:
        try:
            yield "a"
            yield Say("b", interruptible=False)
        finally:
            self.closed += 1


@pytest.mark.parametrize("hook", ["reply", "on_silence"])
async def test_async_and_plain_generators_are_run(hook: str, autojump_clock: MockClock) -> None:
    """A str is a Say without wishes; a Say keeps its own."""
    bot, says = Both(), list[Say]()
    assert await said(bot, hook, into=says) == ["a", "b"]
    assert says == [Say("a"), Say("b", interruptible=False)]
    assert bot.closed == 1


class Waits(Recorded):
    """Says something after so many seconds, again and again."""

    def __init__(self, *waits: float) -> None:
        super().__init__()
        self.waits = waits

    async def reply(self) -> AsyncIterator[str]:
        try:
            for seconds in self.waits:
                await trio.sleep(seconds)
                yield "a"
        finally:
            self.closed += 1


@pytest.mark.parametrize(
    ("waits", "texts", "error"),
    [((7.9, 9.9, 9.9), 3, None), ((8.1,), 0, "no text within 8 s"), ((1, 10.1), 1, "no text within 10 s")],
)
async def test_the_first_text_and_every_next_have_their_time(
    waits: tuple[float, ...], texts: int, error: str | None, autojump_clock: MockClock
) -> None:
    """What came before stays said; the generator is closed."""
    bot, says = Waits(*waits), list[Say]()
    if error is None:
        await said(bot, into=says)
    else:
        with pytest.raises(BotError, match=error):
            await said(bot, into=says)
    assert len(says) == texts
    assert bot.closed == 1


async def test_nothing_to_hear_is_no_text(autojump_clock: MockClock) -> None:
    """A bot that yields blanks for ever has said nothing in time."""

    class Blank:
        async def reply(self) -> AsyncIterator[str]:
            while True:
                await trio.sleep(0.5)
                yield "  \n"

    began = trio.current_time()
    with pytest.raises(BotError, match="no text within 8 s"):
        await said(Blank())
    assert trio.current_time() - began == pytest.approx(8)


async def test_a_cancelled_generator_is_closed(autojump_clock: MockClock) -> None:
    """A cut ends it where it waits."""
    bot = Waits(5)
    with trio.move_on_after(1):
        await said(bot)
    assert bot.closed == 1


async def test_a_bot_that_never_awaits_lets_others_go_on() -> None:
    """And can be cut."""

    class Tireless:
        async def reply(self) -> AsyncIterator[str]:
            for _ in range(10_000):
                yield "a "

    says: list[Say] = []
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: said(Tireless(), into=says))
            await trio.lowlevel.checkpoint()
            scope.cancel()
    assert len(says) < 10


class Wrong:
    """Breaks the contract in one way a hook."""

    async def yields_a_number(self) -> AsyncIterator[Any]:
        yield "a"
        yield 5

    async def yields_a_say_of_bytes(self) -> AsyncIterator[Any]:
        yield Say(b"a")  # type: ignore[arg-type]

    async def coroutine(self) -> str:
        return "a"

    def returns_text(self) -> str:
        return "a"

    def returns_a_list(self) -> list[str]:
        return ["a"]

    async def raises(self) -> AsyncIterator[str]:
        yield "a"
        raise KeyError("b")

    def raises_plainly(self) -> Iterator[str]:
        yield "a"
        raise KeyError("b")

    async def exits(self) -> AsyncIterator[str]:
        yield "a"
        raise SystemExit(3)

    def raises_at_once(self) -> Iterator[str]:
        raise KeyError("b")

    async def will_not_close(self) -> AsyncIterator[Any]:
        try:
            yield 5
        finally:
            yield "a"


@pytest.mark.parametrize(
    ("hook", "error"),
    [
        ("yields_a_number", "yielded 5: a bot yields str or Say"),
        ("yields_a_say_of_bytes", "yielded Say"),
        ("coroutine", "coroutine gave a coroutine where it must yield texts"),
        ("returns_text", "returns_text gave a str where it must yield texts"),
        ("returns_a_list", "returns_a_list gave a list"),
        ("raises", "KeyError: 'b'"),
        ("raises_plainly", "KeyError: 'b'"),
        ("raises_at_once", "KeyError: 'b'"),
        ("exits", "SystemExit: 3"),
        ("will_not_close", "yielded 5: a bot yields str or Say"),
        ("missing", "AttributeError"),
    ],
)
async def test_whatever_a_bot_does_wrong_is_a_bot_error(hook: str, error: str) -> None:
    """With its cause, and without a warning about something that was never awaited."""
    with pytest.raises(BotError, match=error):
        await said(Wrong(), hook)


class Listener:
    """Hooks that only listen."""

    async def on_heard(self, seconds: float) -> None:
        await trio.sleep(seconds)

    async def on_hang_up(self) -> None:
        raise ValueError("x")


async def test_hooks_that_listen_have_their_time(autojump_clock: MockClock) -> None:
    """Their failure is a BotError, too; one that the bot does not have is no failure."""
    hooks = Hooks(Listener(), lane=InlineLane(), settings=SETTINGS)
    await hooks.tell("on_heard", 7.0)
    with pytest.raises(BotError, match="not done within 8 s"):
        await hooks.tell("on_heard", 9.0)
    with pytest.raises(BotError, match="ValueError: x"):
        await hooks.tell("on_hang_up")
    await hooks.tell("on_nothing")
    assert [hooks.speaks(hook) for hook in ("on_heard", "reply")] == [True, False]


class Blocks(Recorded):
    """A plain generator that blocks until it is let go."""

    def reply(self) -> Iterator[str]:
        try:
            yield threading.current_thread().name
            self.entered.set()
            self.leave.wait(10)
            yield "b"
        finally:
            self.closed += 1
            self.ended.set()


@pytest.mark.realtime
async def test_a_plain_generator_blocks_a_worker_only_and_is_closed_when_that_returns() -> None:
    """The cut does not wait for the worker, which closes the generator when the bot lets go of it."""
    bot, says = Blocks(), list[Say]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: said(bot, lane=ThreadLane(1), into=says))
        await trio.to_thread.run_sync(bot.entered.wait, 10)
        nursery.cancel_scope.cancel()
    assert [say.text for say in says] != [threading.current_thread().name]
    assert bot.closed == 0  # the worker is inside
    bot.leave.set()
    assert await trio.to_thread.run_sync(bot.ended.wait, 10)


@pytest.mark.realtime
async def test_a_plain_generator_in_a_worker_is_run_to_its_end() -> None:
    """Each text as it comes; SystemExit in the worker is the bot's failure."""
    bot = Blocks()
    bot.leave.set()
    assert (await said(bot, lane=ThreadLane(1)))[1] == "b"
    assert bot.closed == 1
    with pytest.raises(BotError, match="KeyError: 'b'"):
        await said(Wrong(), "raises_plainly", lane=ThreadLane(1))

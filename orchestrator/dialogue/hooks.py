"""Runs a bot's hooks for one call: within their time, generators always closed, every failure a BotError."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import trio

from orchestrator.dialogue.bot import Say
from orchestrator.dialogue.bot_code import bot_code
from orchestrator.dialogue.bot_loading import speaks
from orchestrator.errors import BotError
from orchestrator.ports import Lane
from orchestrator.settings import DialogueSettings

_END = object()
Take = Callable[[Say], None]
Room = Callable[[], Awaitable[None]]
"""Waits until more text is wanted, and is a checkpoint in any case."""


class Hooks:
    """One bot instance's hooks. A plain generator is run in `lane`, an async one in a task of its own."""

    def __init__(self, bot: Any, *, lane: Lane, settings: DialogueSettings) -> None:
        self._bot = bot
        self._lane = lane
        self._settings = settings

    def speaks(self, hook: str) -> bool:
        """Whether the bot has that hook of its own."""
        return speaks(self._bot, hook)

    async def speak(self, hook: str, *arguments: Any, take: Take, room: Room = trio.lowlevel.checkpoint) -> None:
        """Run a speaking hook and hand over what it yields, each time waiting for `room` for more.

        Raises BotError; what it yielded before stays said. The bot is never more than one text ahead. Once it took too
        long or we are cancelled, every await of it is cancelled, too; only what it shields must be waited for.
        """
        failures: list[BotError] = []
        begin = partial(self._begin, hook, *arguments)
        give, texts = trio.open_memory_channel[Any](0)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(partial(_iterate, give, begin=begin, failures=failures))
                with texts, _noted(failures):
                    await self._take_all(texts, take=take, room=room)
                nursery.cancel_scope.cancel()
        finally:  # a bot that fails while we cancel it has failed; its task, this one, is cancelled all the same
            if failures:
                raise failures[0]

    async def tell(self, hook: str, *arguments: Any) -> None:
        """Run a hook that only listens, within the time of a first text. Raises BotError."""
        if not self.speaks(hook):
            return
        within = self._settings.first_text_within
        with bot_code(BotError), trio.move_on_after(within) as patience:
            await getattr(self._bot, hook)(*arguments)
        if patience.cancelled_caught:
            raise BotError(f"not done within {within:g} s")

    def _begin(self, hook: str, *arguments: Any) -> AsyncIterator[Any]:
        words = getattr(self._bot, hook)(*arguments)
        if isinstance(words, AsyncIterator):
            return words
        if isinstance(words, Iterator):
            return _in_lane(PlainSteps(words), self._lane)
        if inspect.iscoroutine(words):
            words.close()
        raise BotError(f"{hook} gave a {type(words).__name__} where it must yield texts")

    async def _take_all(self, texts: trio.MemoryReceiveChannel[Any], *, take: Take, room: Room) -> None:
        within = self._settings.first_text_within
        due = trio.current_time() + within
        with suppress(trio.EndOfChannel):
            while True:
                say = _said(await _in_time(texts, due=due, within=within))
                take(say)
                await room()  # a bot that never awaits must let the others go on, and itself be cut
                if say.text.strip():  # nothing to hear is no text
                    within = self._settings.text_within
                    due = trio.current_time() + within


class PlainSteps:
    """A plain generator stepped in a worker thread, and closed even if nobody waits for that thread any more."""

    def __init__(self, words: Iterator[Any]) -> None:
        self._words = words
        self._abandoned = False

    def step(self) -> Any:
        """Return the next item, _END after the last; runs in the worker."""
        try:
            return next(self._words, _END)
        finally:
            if self._abandoned:
                self._close()

    def abandon(self) -> None:
        """Nobody wants the rest: close the generator, here or when the worker leaves it."""
        self._abandoned = True
        with suppress(ValueError):  # it is running just now
            self._close()

    def _close(self) -> None:
        if isinstance(self._words, Generator):
            self._words.close()


async def _iterate(
    give: trio.MemorySendChannel[Any], *, begin: Callable[[], AsyncIterator[Any]], failures: list[BotError]
) -> None:
    """Run the generator from beginning to close, all in this task: it may hold scopes and nurseries open."""
    with give, _noted(failures):
        words = begin()
        try:
            async for item in words:
                if not await _given(item, give):
                    break
        finally:
            if isinstance(words, AsyncGenerator):
                await _close(words)


@contextmanager
def _noted(failures: list[BotError]) -> Iterator[None]:
    """Keep the body's failure for the end: a nursery would wrap it."""
    try:
        with bot_code(BotError):
            yield
    except BotError as error:
        failures.append(error)


async def _in_lane(steps: PlainSteps, lane: Lane) -> AsyncGenerator[Any, None]:
    try:
        while (item := await lane.run(steps.step)) is not _END:
            yield item
    finally:
        steps.abandon()


async def _given(item: Any, give: trio.MemorySendChannel[Any]) -> bool:
    """Wait until the item is taken; False when nobody wants it any more.

    A scope that the bot holds open is around this wait, which is not the bot's: hence the shield. The other side ends
    it by closing the channel.
    """
    try:
        with trio.CancelScope(shield=True):
            await give.send(item)
    except trio.BrokenResourceError:
        return False
    return True


async def _close(words: AsyncGenerator[Any, None]) -> None:
    try:
        await words.aclose()
    except* GeneratorExit:  # it left through a nursery of the bot's, which wraps it
        pass


async def _in_time(texts: trio.MemoryReceiveChannel[Any], *, due: float, within: float) -> Any:
    with trio.move_on_at(due):
        return await texts.receive()
    raise BotError(f"no text within {within:g} s")


def _said(item: Any) -> Say:
    if isinstance(item, str):
        return Say(item)
    if isinstance(item, Say) and isinstance(item.text, str):
        return item
    raise BotError(f"yielded {item!r:.80}: a bot yields str or Say")

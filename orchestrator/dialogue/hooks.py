"""Runs a bot's hooks for one call: within their time, generators always closed, every failure a BotError."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import suppress
from typing import Any

import trio

from orchestrator.dialogue.bot import Say
from orchestrator.dialogue.bot_loading import speaks
from orchestrator.errors import BotError
from orchestrator.ports import Lane
from orchestrator.settings import DialogueSettings

_END = object()
Take = Callable[[Say], None]


class Hooks:
    """One bot instance's hooks. A plain generator is run in `lane`, an async one in the calling task."""

    def __init__(self, bot: Any, *, lane: Lane, settings: DialogueSettings) -> None:
        self._bot = bot
        self._lane = lane
        self._settings = settings

    def speaks(self, hook: str) -> bool:
        """Whether the bot has that hook of its own."""
        return speaks(self._bot, hook)

    async def speak(self, hook: str, *arguments: Any, take: Take) -> None:
        """Run a speaking hook and hand over what it yields. Raises BotError; what it yielded before stays said."""
        try:
            words = getattr(self._bot, hook)(*arguments)
            if isinstance(words, AsyncIterator):
                await self._speak_async(words, take)
            elif isinstance(words, Iterator):
                await self._speak_plain(words, take)
            else:
                if inspect.iscoroutine(words):
                    words.close()
                raise BotError(f"{hook} gave a {type(words).__name__} where it must yield texts")
        except BotError:
            raise
        except (Exception, SystemExit) as error:  # whatever a bot raises is its own call's trouble only
            raise BotError(f"{type(error).__name__}: {error}") from error

    async def tell(self, hook: str, *arguments: Any) -> None:
        """Run a hook that only listens, within the time of a first text. Raises BotError."""
        if not self.speaks(hook):
            return
        try:
            with trio.fail_after(self._settings.first_text_within):
                await getattr(self._bot, hook)(*arguments)
        except (Exception, SystemExit) as error:  # as above
            raise BotError(f"{type(error).__name__}: {error}") from error

    async def _speak_async(self, words: AsyncIterator[Any], take: Take) -> None:
        try:
            await self._run(lambda: anext(words, _END), take)
        finally:
            if isinstance(words, AsyncGenerator):
                await words.aclose()

    async def _speak_plain(self, words: Iterator[Any], take: Take) -> None:
        steps = PlainSteps(words)
        try:
            await self._run(lambda: self._lane.run(steps.step), take)
        finally:
            steps.abandon()

    async def _run(self, step: Callable[[], Awaitable[Any]], take: Take) -> None:
        within = self._settings.first_text_within
        while (item := await _in_time(step, within)) is not _END:
            take(_said(item))
            within = self._settings.text_within


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


async def _in_time(step: Callable[[], Awaitable[Any]], within: float) -> Any:
    with trio.move_on_after(within):
        return await step()
    raise BotError(f"no text within {within:g} s")


def _said(item: Any) -> Say:
    if isinstance(item, str):
        return Say(item)
    if isinstance(item, Say) and isinstance(item.text, str):
        return item
    raise BotError(f"yielded {item!r:.80}: a bot yields str or Say")

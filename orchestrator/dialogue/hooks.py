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
Room = Callable[[], Awaitable[None]]
"""Waits until more text is wanted, and is a checkpoint in any case."""


class Hooks:
    """One bot instance's hooks. A plain generator is run in `lane`, an async one in the calling task."""

    def __init__(self, bot: Any, *, lane: Lane, settings: DialogueSettings) -> None:
        self._bot = bot
        self._lane = lane
        self._settings = settings

    def speaks(self, hook: str) -> bool:
        """Whether the bot has that hook of its own."""
        return speaks(self._bot, hook)

    async def speak(self, hook: str, *arguments: Any, take: Take, room: Room = trio.lowlevel.checkpoint) -> None:
        """Run a speaking hook and hand over what it yields, each time waiting for `room` for more.

        Raises BotError; what it yielded before stays said.
        """
        try:
            words = getattr(self._bot, hook)(*arguments)
            if isinstance(words, AsyncIterator):
                await self._speak_async(words, take=take, room=room)
            elif isinstance(words, Iterator):
                await self._speak_plain(words, take=take, room=room)
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
        within = self._settings.first_text_within
        try:
            with trio.move_on_after(within) as patience:
                await getattr(self._bot, hook)(*arguments)
        except (Exception, SystemExit) as error:  # as above
            raise BotError(f"{type(error).__name__}: {error}") from error
        if patience.cancelled_caught:
            raise BotError(f"not done within {within:g} s")

    async def _speak_async(self, words: AsyncIterator[Any], *, take: Take, room: Room) -> None:
        try:
            await self._run(lambda: anext(words, _END), take=take, room=room)
        finally:
            if isinstance(words, AsyncGenerator):
                await words.aclose()

    async def _speak_plain(self, words: Iterator[Any], *, take: Take, room: Room) -> None:
        steps = PlainSteps(words)
        try:
            await self._run(lambda: self._lane.run(steps.step), take=take, room=room)
        finally:
            steps.abandon()

    async def _run(self, step: Callable[[], Awaitable[Any]], *, take: Take, room: Room) -> None:
        within = self._settings.first_text_within
        while (item := await _in_time(step, within)) is not _END:
            take(_said(item))
            await room()  # a bot that never awaits must let the others go on, and itself be cut
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

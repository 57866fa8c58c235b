"""What a bot's class opens once per process for all its calls, held open until the program ends."""

from __future__ import annotations

import traceback
from contextlib import nullcontext
from typing import Any

import trio
from attrs import Factory, define

from orchestrator import events
from orchestrator.dialogue.bot_code import GRACE, bot_code
from orchestrator.dialogue.bot_loading import LoadedBot
from orchestrator.errors import BotLoadError
from orchestrator.ports import Emit, Now

_OPEN_WITHIN = 10.0
"""Seconds that a call waits for what its bot's class shares."""


@define(eq=False)
class Opening:
    """One class's `shared`: being opened, open, or failed."""

    done: trio.Event = Factory(trio.Event)
    value: Any = None
    failed: BotLoadError | None = None


class SharedByBots:
    """Opens each bot's `shared` at its first call, in a task of its own, for the same task must close it."""

    def __init__(self, nursery: trio.Nursery, *, emit: Emit, now: Now) -> None:
        self._nursery = nursery
        self._emit = emit
        self._now = now
        self._openings: dict[LoadedBot, Opening] = {}
        self._no_more_calls = trio.Event()

    def close(self) -> None:
        """All calls are over: have everything closed, within 0.5 s even if the nursery is cancelled."""
        self._no_more_calls.set()

    async def of(self, bot: LoadedBot) -> Any:
        """Return what `bot`'s calls share, None without a `shared`. Raises BotLoadError if it cannot be opened."""
        opening = self._openings.get(bot)
        if opening is None:
            opening = self._openings[bot] = Opening()
            self._nursery.start_soon(self._hold, bot, opening)
        with trio.move_on_after(_OPEN_WITHIN) as patience:
            await opening.done.wait()
        if patience.cancelled_caught:
            raise BotLoadError(f"bot {bot.name!r}: shared() is not open after {_OPEN_WITHIN:g} s")
        if opening.failed is not None:
            if self._openings.get(bot) is opening:  # the next call may have more luck, or is at it already
                del self._openings[bot]
            raise opening.failed
        return opening.value

    async def _hold(self, bot: LoadedBot, opening: Opening) -> None:
        try:
            with bot_code(BotLoadError, f"bot {bot.name!r}: shared() failed: "):
                await self._hold_open(bot, opening)
        except BotLoadError as error:
            opening.failed = error
            if opening.done.is_set():  # no call is there to be told, and the next one opens it anew
                self._openings.pop(bot, None)
                self._tell(bot, error)
            opening.done.set()

    async def _hold_open(self, bot: LoadedBot, opening: Opening) -> None:
        with trio.CancelScope() as patience:
            open_shared = getattr(bot.kind, "shared", None)
            async with nullcontext() if open_shared is None else open_shared(bot.options) as opening.value:
                opening.done.set()
                patience.shield = True  # calls that are being cancelled may still use it
                await self._no_more_calls.wait()
                patience.deadline = trio.current_time() + GRACE
        if patience.cancelled_caught:
            raise BotLoadError(f"bot {bot.name!r}: shared() was not closed within {GRACE:g} s")

    def _tell(self, bot: LoadedBot, error: BotLoadError) -> None:
        self._emit(
            events.BotFailed(
                at=self._now(),
                call="",
                bot=bot.name,
                hook="shared",
                error=str(error),
                traceback="".join(traceback.format_exception(error.__cause__ or error)),
            )
        )

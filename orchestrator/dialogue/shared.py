"""What a bot's class opens once per process for all its calls, held open until the program ends."""

from __future__ import annotations

from typing import Any

import trio
from attrs import Factory, define

from orchestrator.dialogue.bot_loading import LoadedBot
from orchestrator.errors import BotLoadError


@define(eq=False)
class Opening:
    """One class's `shared`: being opened, open, or failed."""

    done: trio.Event = Factory(trio.Event)
    value: Any = None
    failed: BotLoadError | None = None


class SharedByBots:
    """Opens each bot's `shared` at its first call, in a task of its own, for the same task must close it."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._openings: dict[LoadedBot, Opening] = {}

    async def of(self, bot: LoadedBot) -> Any:
        """Return what `bot`'s calls share, None without a `shared`. Raises BotLoadError if it cannot be opened."""
        opening = self._openings.get(bot)
        if opening is None:
            opening = self._openings[bot] = Opening()
            self._nursery.start_soon(self._hold, bot, opening)
        await opening.done.wait()
        if opening.failed is not None:
            if self._openings.get(bot) is opening:  # the next call may have more luck, or is at it already
                del self._openings[bot]
            raise opening.failed
        return opening.value

    async def _hold(self, bot: LoadedBot, opening: Opening) -> None:
        open_shared = getattr(bot.kind, "shared", None)
        try:
            if open_shared is None:
                opening.done.set()
                return
            async with open_shared(bot.options) as opening.value:
                opening.done.set()
                await trio.sleep_forever()
        except (Exception, SystemExit) as error:  # whatever a bot raises is the trouble of its calls only
            opening.failed = BotLoadError(f"bot {bot.name!r}: shared() failed: {type(error).__name__}: {error}")
            opening.failed.__cause__ = error
            opening.done.set()

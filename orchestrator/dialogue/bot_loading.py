"""Finds the bot that a name means and checks the shape of its hooks before a caller meets it."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from attrs import frozen

from orchestrator.dialogue.bot import Bot
from orchestrator.dialogue.bot_code import bot_code
from orchestrator.errors import BotLoadError
from orchestrator.settings_words import guess

GROUP = "talkingstick.bots"
_SPEAKING = {"opening": ("talk",), "reply": ("turn", "talk"), "on_silence": ("talk",), "on_digits": ("digits", "talk")}
_TELLING: dict[str, tuple[str, ...]] = {"on_heard": ("heard",), "on_video": ("video", "talk"), "on_hang_up": ()}


@frozen(eq=False)
class LoadedBot:
    """A bot's class with the options that each of its instances gets. `name` is how it was asked for."""

    name: str
    kind: type[Any]
    options: Mapping[str, Any]

    def make(self) -> Any:
        """Make the instance for one call."""
        return self.kind(**self.options)


def load_bot(name: str, options: Mapping[str, Any] | None = None) -> LoadedBot:
    """Return the bot that `package.module:Class` or an entry point's name means. Raises BotLoadError."""
    kind = _import(name) if ":" in name else _from_entry_point(name)
    if not inspect.isclass(kind):
        raise BotLoadError(f"bot {name!r} is not a class but {kind!r}")
    return _of_class(kind, name=name, options=options)


AnyBot = LoadedBot | type[Any] | str
"""A bot as a program may name it: loaded, as its class, or as `load_bot` takes it."""


class Bots:
    """What a program names its bots by, each loaded once: calls of the same class share what it opened in `shared`."""

    def __init__(self) -> None:
        self._loaded: dict[type[Any] | str, LoadedBot] = {}

    def of(self, bot: AnyBot) -> LoadedBot:
        """Return a bot loaded, without options where it is a class or a name. Raises BotLoadError."""
        if isinstance(bot, LoadedBot):
            return bot
        if not isinstance(bot, str) and not inspect.isclass(bot):
            raise BotLoadError(f"bot {bot!r} is neither a class nor a name")
        if bot not in self._loaded:
            self._loaded[bot] = load_bot(bot) if isinstance(bot, str) else _of_class(bot, name=bot.__qualname__)
        return self._loaded[bot]


def check_bot(kind: type[Any], *, name: str) -> None:
    """Raise BotLoadError where a hook could not be called, or would not speak."""
    for hook, arguments in {**_SPEAKING, **_TELLING}.items():
        function = getattr(kind, hook, None)
        if function is None:
            continue
        where = f"bot {name!r}: {hook}({', '.join(arguments)})"
        try:
            inspect.signature(function).bind(None, *arguments)
        except (TypeError, ValueError) as error:  # ValueError: it tells nobody its signature
            raise BotLoadError(f"{where} cannot be called so: {error}") from error
        if hook in _SPEAKING and inspect.iscoroutinefunction(function):
            raise BotLoadError(f"{where} returns instead of yielding: make it an async generator with `yield`")
        if hook in _TELLING and not inspect.iscoroutinefunction(function):
            raise BotLoadError(f"{where} must be `async def` without `yield`")


def speaks(bot: Any, hook: str) -> bool:
    """Whether the bot has that hook of its own."""
    own = getattr(type(bot), hook, None)
    return own is not None and own is not getattr(Bot, hook)


def _of_class(kind: type[Any], *, name: str, options: Mapping[str, Any] | None = None) -> LoadedBot:
    check_bot(kind, name=name)
    _check_options(kind, name=name, options=options or {})
    return LoadedBot(name, kind, options or {})


def _import(name: str) -> Any:
    module_name, _, attribute = name.partition(":")
    if os.getcwd() not in sys.path:  # an installed command does not look where the user stands
        sys.path.insert(0, os.getcwd())
    with bot_code(BotLoadError, f"bot {name!r}: cannot import {module_name!r}: "):
        module = importlib.import_module(module_name)
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        names = [
            key for key, value in vars(module).items() if inspect.isclass(value) and value.__module__ == module_name
        ]
        has = f"; it has {', '.join(names)}" if names else ""
        raise BotLoadError(f"bot {name!r}: module {module_name!r} has no class {attribute!r}{has}") from error


def _from_entry_point(name: str) -> Any:
    found = entry_points(group=GROUP, name=name)
    if not found:
        known = {point.name: point.name for point in sorted(entry_points(group=GROUP))}
        there, meant = ", ".join(known) or "none", guess(name, known)
        wrong = f"bot {name!r} is neither package.module:Class nor one of the installed bots ({there})"
        raise BotLoadError(wrong + (f"; did you mean {meant}?" if meant else ""))
    with bot_code(BotLoadError, f"bot {name!r}: cannot be imported: "):
        return next(iter(found)).load()


def _check_options(kind: type[Any], *, name: str, options: Mapping[str, Any]) -> None:
    try:
        inspect.signature(kind).bind(**options)
    except (TypeError, ValueError) as error:  # as above
        raise BotLoadError(f"bot {name!r} cannot be made with the options {sorted(options)}: {error}") from error

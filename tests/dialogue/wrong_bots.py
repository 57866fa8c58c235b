"""Bots that cannot be used, one way each; and one that can, without the base class."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any


class Coroutine:
    """Returns where it must yield."""

    async def reply(self, turn: Any, talk: Any) -> str:
        return "a"


class TooFew:
    """Takes no talk."""

    async def reply(self, turn: Any) -> AsyncIterator[str]:
        yield "a"


class Plain:
    """Does not await."""

    def on_heard(self, heard: Any) -> None:
        """Listen."""


class Yields:
    """Speaks where it is to listen."""

    async def on_hang_up(self) -> AsyncIterator[str]:
        yield "a"


class NoFunction:
    """A text for a hook."""

    opening = "hello"


class Good:
    """All that is needed."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def reply(self, turn: Any, talk: Any) -> AsyncIterator[str]:
        yield self.name


a_function = len

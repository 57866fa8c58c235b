"""A bot's handle on its call: what it may see, and its wishes, which the conversation carries out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import trio

from orchestrator.dialogue.bot import Say
from orchestrator.dialogue.transcript import Entry, Transcript
from orchestrator.ports import CallFacts


class Wishes(Protocol):
    """Who carries a bot's wishes out."""

    def wish_to_say(self, say: Say) -> None:
        """Speak as soon as nobody does."""

    def wish_to_leave(self, to: str | None) -> None:
        """End the call, or transfer it `to` somewhere, when everything said so far has been heard."""


class CallTalk:
    """Implements the Talk protocol; safe to use from a plain generator's worker thread, too."""

    def __init__(self, wishes: Wishes, *, call: CallFacts, transcript: Transcript, shared: Any) -> None:
        self.call = call
        self.shared = shared
        self._wishes = wishes
        self._transcript = transcript

    @property
    def transcript(self) -> tuple[Entry, ...]:
        """Everything said so far by both sides; the bot's words as they were heard."""
        return tuple(self._transcript.entries)

    def say(self, text: str | Say) -> None:
        """Say something outside a reply: as soon as nobody speaks."""
        say = text if isinstance(text, Say) else Say(text)
        if not isinstance(say.text, str):
            raise TypeError(f"a bot says str or Say, not {text!r:.80}")
        _in_the_loop(self._wishes.wish_to_say, say)

    def hang_up(self) -> None:
        """End the call once everything said so far has been heard, or was cut."""
        _in_the_loop(self._wishes.wish_to_leave, None)

    def transfer(self, to: str) -> None:
        """Hand the caller over to `to` once everything said so far has been heard, or was cut."""
        _in_the_loop(self._wishes.wish_to_leave, to)


def _in_the_loop(wish: Callable[[Any], None], value: Any) -> None:
    if trio.lowlevel.in_trio_run():
        wish(value)
    else:
        trio.from_thread.run_sync(wish, value)

"""A bot's handle on its call: what it may see, and its wishes, which the conversation carries out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import trio

from orchestrator.dialogue.bot import Say, VideoReply
from orchestrator.dialogue.transcript import Entry, Transcript
from orchestrator.dialogue.videos import VideoWish
from orchestrator.ports import CallFacts


class Wishes(Protocol):
    """Who carries a bot's wishes out."""

    def wish_to_say(self, say: Say) -> None:
        """Speak as soon as nobody does."""

    def wish_to_leave(self, to: str | None) -> None:
        """End the call, or transfer it `to` somewhere, when everything said so far has been heard."""

    async def wish_for_video(self, wish: VideoWish) -> VideoReply:
        """Have a video made. Raises BotError."""


class CallTalk:
    """Implements the Talk protocol; safe to use from a plain generator's worker thread, too.

    What is awaited is called from there by `trio.from_thread.run(partial(talk.video_reply, ...))`.
    """

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
        _in_the_loop(self._wishes.wish_to_say, _as_say(text))

    def hang_up(self) -> None:
        """End the call once everything said so far has been heard, or was cut."""
        _in_the_loop(self._wishes.wish_to_leave, None)

    def transfer(self, to: str) -> None:
        """Hand the caller over to `to` once everything said so far has been heard, or was cut."""
        _in_the_loop(self._wishes.wish_to_leave, to)

    async def video_reply(
        self,
        *,
        video: str | Path,
        text: str | Say,
        model: str | None = None,
        deadline: float | None = None,
        priority: int = 0,
    ) -> VideoReply:
        """Have the person in `video` speak `text`; what it means is the protocol's (bot.py)."""
        wish = VideoWish(video=str(video), say=_as_say(text), model=model, within=deadline, priority=priority)
        return await self._wishes.wish_for_video(wish)


def _as_say(text: str | Say) -> Say:
    say = text if isinstance(text, Say) else Say(text)
    if not isinstance(say.text, str):
        raise TypeError(f"a bot says str or Say, not {text!r:.80}")
    return say


def _in_the_loop(wish: Callable[[Any], None], value: Any) -> None:
    if trio.lowlevel.in_trio_run():
        wish(value)
    else:
        trio.from_thread.run_sync(wish, value)

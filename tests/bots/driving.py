"""Drives a bot's hooks by hand, without a call: what it says, and what it does to its `talk`."""

from __future__ import annotations

from typing import Any

from attrs import Factory, define

from orchestrator import Bot, Heard, Say, Turn, VideoReply
from orchestrator.dialogue.bot import Words
from orchestrator.dialogue.transcript import Entry
from orchestrator.ports import CallFacts


@define
class DrivenTalk:
    """Notes that the bot hung up; the shipped bots use nothing else of it."""

    call: CallFacts = Factory(lambda: CallFacts(id="c1"))
    shared: Any = None
    transcript: tuple[Entry, ...] = ()
    hung_up: bool = False

    def say(self, text: str | Say) -> None:
        """No shipped bot speaks outside a reply."""
        raise AssertionError(text)

    def hang_up(self) -> None:
        """Note it."""
        self.hung_up = True

    def transfer(self, to: str) -> None:
        """No shipped bot transfers."""
        raise AssertionError(to)

    async def video_reply(self, **wish: Any) -> VideoReply:
        """No shipped bot answers with a video."""
        raise AssertionError(wish)


@define
class Driven:
    """A bot with its talk. Every reply is heard out unless `cut_after` names the last characters that were heard."""

    bot: Bot
    talk: DrivenTalk = Factory(DrivenTalk)
    last: list[Say] = Factory(list)

    async def opens(self) -> str:
        """Return the opening."""
        return await self._take(self.bot.opening(self.talk))

    async def hears(self, text: str, *, cut_after: str | None = None) -> str:
        """Return the reply to a turn."""
        return await self._take(self.bot.reply(Turn(text=text, seconds=2.0), self.talk), cut_after=cut_after)

    async def hears_keys(self, digits: str) -> str:
        """Return the answer to keys."""
        return await self._take(self.bot.on_digits(digits, self.talk))

    async def hears_nothing(self) -> str:
        """Return what the bot says into a silence."""
        return await self._take(self.bot.on_silence(self.talk))

    async def _take(self, words: Words, *, cut_after: str | None = None) -> str:
        assert hasattr(words, "__aiter__")
        self.last = [said if isinstance(said, Say) else Say(said) async for said in words]
        reply = "".join(said.text for said in self.last)
        end = len(reply) if cut_after is None else reply.index(cut_after) + len(cut_after)
        await self.bot.on_heard(Heard(heard=reply[:end], cut=reply[end:], unspoken=""))
        return reply

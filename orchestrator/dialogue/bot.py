"""What a bot is and what it may say: the base class, its words, and the handle through which it sees its call.

Running the hooks, and what happens when one fails, is hooks.py's; which bot a name means is bot_loading.py's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from attrs import frozen

from orchestrator.dialogue.transcript import Entry
from orchestrator.ports import CallFacts


@frozen
class Say:
    """Text with wishes about how it is said; a plain `str` is a `Say` without any.

    `brief` is a shorter variant for when the line is crowded, `cached` allows the phrase cache, `interruptible=False`
    lets the caller's voice pass over it. `language` and `voice` hold for the whole reply: its first `Say` decides.
    """

    text: str
    brief: str | None = None
    cached: bool = False
    interruptible: bool = True
    language: str | None = None
    voice: str | None = None


Words = AsyncIterator[str | Say] | Iterator[str | Say]
"""What a hook yields: an async generator, or a plain one that is run in a worker lane."""


@frozen
class Turn:
    """One turn of the caller: its words and how long they took, in seconds."""

    text: str
    seconds: float


@frozen
class Heard:
    """How a reply of the bot ended: what of it the caller heard, what was cut, and what we could not speak.

    `heard + cut + unspoken` is the reply's text, character for character.
    """

    heard: str
    cut: str
    unspoken: str

    @property
    def interrupted(self) -> bool:
        """Whether the caller (or the end of the call) cut the reply short."""
        return bool(self.cut.strip())


@frozen(kw_only=True)
class Video:
    """A video that a bot asked for, at its end; without a `url` there is none, and `error` says why.

    `job` is its id in the queue, empty if it came to none; `seconds` is its length where that is known, `code` the
    service's word for what went wrong, or ours. The service signs the URL: it is good for some time only.
    """

    job: str
    url: str = ""
    seconds: float | None = None
    error: str = ""
    code: str = ""


class VideoReply(Protocol):
    """A video that is being made; the call may end meanwhile."""

    @property
    def job(self) -> str:
        """Its id in the queue; empty until the queue has it, as its sound is made first."""

    async def wait_queued(self) -> str:
        """Wait until the queue has it, which survives the program, and return `job`; empty if it came to nothing.

        No hook that is to speak should wait for it: while a bot thinks, the voice is kept free for what it will say.
        """

    async def wait(self) -> Video:
        """Wait for the video: minutes, or hours where many others are wanted."""


class Talk(Protocol):
    """A bot's view of its call."""

    call: CallFacts
    shared: Any
    """What the bot's class opened in `shared`, the same object for all its calls; None without one."""

    @property
    def transcript(self) -> tuple[Entry, ...]:
        """Everything said so far by both sides; the bot's words as they were heard."""

    def say(self, text: str | Say) -> None:
        """Say something outside a reply: as soon as nobody speaks."""

    def hang_up(self) -> None:
        """End the call once everything said so far has been heard."""

    def transfer(self, to: str) -> None:
        """Hand the caller over to `to` once everything said so far has been heard."""

    async def video_reply(
        self,
        *,
        video: str | Path,
        text: str | Say,
        model: str | None = None,
        deadline: float | None = None,
        priority: int = 0,
    ) -> VideoReply:
        """Have the person in `video` (a file, or a URL on the web; a picture, where `model` takes one) speak `text`.

        Returns at once; `Bot.on_video` is told the end. The sound is made when no caller needs the voice, in that of
        the `Say` or the settings'; a `Say` that is `cached` keeps it. `deadline` is in seconds from now: what can't be
        ready by then is not begun. Higher `priority` (-1000 to 1000) goes first. Raises BotError where no videos are
        made (`lipsync.on`), for a file that can't be sent, or a text of more than 5000 characters.
        """


class Bot:
    """The base of a bot: one instance a call, every hook optional. Options of the configuration go to the constructor.

    Hooks that speak are async generators of `str` or `Say`; written as plain generators they run in a worker lane, so
    that they may block. An async one may hold cancel scopes and nurseries open across its yields; when the caller cuts
    in, every await in it is cancelled, so that only what it shields holds its call up.
    """

    @classmethod
    @asynccontextmanager
    async def shared(cls, options: Mapping[str, Any]) -> AsyncIterator[Any]:
        """Open, once per process, what calls share (a client, a database pool); the value becomes `talk.shared`.

        What follows the yield is run after the last call, and has 0.5 s.
        """
        yield None

    def phrases(self) -> Iterable[str]:
        """Name texts that are said often (greetings, say), to have them ready: as `Say(text, cached=True)` says them.

        Asked once, of an instance without a call.
        """
        return ()

    def opening(self, talk: Talk) -> Words:
        """Speak first: asked once, when the call is answered."""
        return iter(())

    def reply(self, turn: Turn, talk: Talk) -> Words:
        """Answer the caller's turn."""
        return iter(())

    def on_silence(self, talk: Talk) -> Words:
        """Speak up when nobody has said a word for a while (`dialogue.silence_after`)."""
        return iter(())

    def on_digits(self, digits: str, talk: Talk) -> Words:
        """Answer keys that the caller pressed."""
        return iter(())

    async def on_heard(self, heard: Heard) -> None:
        """Learn how a reply ended; asked before the next hook."""

    async def on_video(self, video: Video, talk: Talk) -> None:
        """Learn that a video of this call ended (`talk.video_reply`), while the call goes on and nobody speaks.

        async def reply(self, turn, talk):
            yield "I will send you a video of that."
            await talk.video_reply(video="https://example.com/ada.mp4", text=self.explain(turn.text))

        async def on_video(self, video, talk):
            if video.url:
                await self.send_sms(talk.call.caller, video.url)
            talk.say("The video is on your phone." if video.url else "I am sorry, there will be no video.")
        """

    async def on_hang_up(self) -> None:
        """Clean up when the call is over, whoever ended it: within `dialogue.first_text_within`, or 0.5 s at Ctrl-C."""

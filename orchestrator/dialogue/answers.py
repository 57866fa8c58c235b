"""Speaks one reply at a time: asks the bot, has the mouth speak, writes down how it ended, and cuts it when told to.

What the bot is asked, and when, is the conversation's.
"""

from __future__ import annotations

import traceback
from functools import partial
from typing import Any

import trio
from attrs import frozen

from orchestrator import events
from orchestrator.dialogue.bot import Heard, Say
from orchestrator.dialogue.bot_code import GRACE, grace
from orchestrator.dialogue.hooks import Hooks
from orchestrator.dialogue.prompts import Prompt, Prompts
from orchestrator.dialogue.replies import Replies
from orchestrator.dialogue.transcript import Transcript
from orchestrator.dialogue.videos import Videos
from orchestrator.errors import BotError, LegClosed
from orchestrator.speech.asking import Service
from orchestrator.speech.line import Line
from orchestrator.speech.mouth import Mouth
from orchestrator.speech.reply import Phase, Reply


@frozen(kw_only=True)
class Party:
    """The bot's side of a call: its hooks, the name it goes by, what its class shares, who makes it videos."""

    hooks: Hooks
    name: str
    shared: Any = None
    videos: Videos | None = None


class Answers:
    """One call's replies, one after the other. A bot that fails too often in a row (`failed`) is not asked again."""

    def __init__(self, line: Line, *, service: Service, party: Party, prompts: Prompts, transcript: Transcript) -> None:
        self.mouth = Mouth(line, service)
        self._line = line
        self._party = party
        self._prompts = prompts
        self._slots = service.slots
        self._replies = Replies(
            line, pace=service.pace, transcript=transcript, slots=service.slots, phrases=service.phrases
        )
        self._reply: Reply | None = None
        self._failures = 0
        self._untold: Heard | None = None

    @property
    def failed(self) -> bool:
        """Whether the bot failed so often in a row that the call is to end."""
        return self._failures >= self._line.settings.dialogue.failures

    async def answer(self, prompt: Prompt) -> None:
        """Speak one reply to its end, whichever that is, and tell the bot. Raises LegClosed when the line is gone."""
        reply = self._reply = self._replies.begin(hook=prompt.hook, after_turn=prompt.after_turn)
        self._line.enter(events.CallState.THINKING)
        if prompt.after_turn is not None:  # what else a bot says is there at once
            self._slots.expect(self._line.call)
        gone = False
        try:
            with reply.scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._think, prompt, reply)
                    await self._speak(reply)
                    nursery.cancel_scope.cancel()  # a bot that is still at it: the reply was given up
            if reply.hopeless:  # the caller was told so
                self._prompts.leave(transfer_to=self._line.settings.ladder.hand_over_to or None)
            reply.end(self._line.now())
        except* LegClosed:
            gone = True
        finally:
            self.cut()  # nothing more sounds, however we come here: it is over already in most cases
            entry = self._replies.end(reply)
            self._untold = None if entry is None else Heard(entry.heard, entry.cut, entry.unspoken)
        if gone:
            raise LegClosed(f"the line of call {self._line.call} is closed")
        await self._tell_heard()

    async def _speak(self, reply: Reply) -> None:
        try:
            await self.mouth.speak(reply)
        except BaseException:  # cancelled, or the line is gone: nothing sounds on while the bot cleans up
            self.cut()
            raise

    def interrupt(self) -> None:
        """The caller speaks: what sounds is cut, unless the bot asked that it be heard to its end."""
        reply, now = self._reply, self._line.now()
        if reply is None or reply.phase is not Phase.SPEAKING or reply.protected(now) or reply.heard_out(now):
            return
        if reply.playout.clock.started_at is not None:
            self._line.emit(events.BargedIn(at=now, call=self._line.call, reply=reply.number))
        self.cut()

    def cut(self) -> None:
        """End the reply now: the leg is cleared, its tasks are cancelled; harmless when there is none."""
        reply, now = self._reply, self._line.now()
        if reply is not None and reply.phase is Phase.SPEAKING:
            self._line.leg.clear()
            reply.cut(now)
            self._line.emit(events.LegCleared(at=now, call=self._line.call))

    async def say_goodbye(self) -> None:
        """The call is over: tell the bot, and before that how its last reply ended if the end of the call cut it."""
        try:
            await self._tell_heard()
        finally:
            await self.tell("on_hang_up")

    async def _tell_heard(self) -> None:
        heard, self._untold = self._untold, None
        if heard is not None:
            await self.tell("on_heard", heard)

    async def tell(self, hook: str, *arguments: Any) -> None:
        """Run a hook of the bot that only listens; its failure is an event. A call that is cancelled waits a little."""
        patience = None
        try:
            async with grace() as patience:
                try:
                    await self._party.hooks.tell(hook, *arguments)
                except BotError as error:
                    self._bot_failed(hook, error)
        finally:
            if patience is not None and patience.cancelled_caught:
                self._bot_failed(hook, BotError(f"not done within {GRACE:g} s after the call was cancelled"))

    async def _think(self, prompt: Prompt, reply: Reply) -> None:
        take = partial(self._replies.take, reply, opens=prompt.hook == "opening")
        try:
            if prompt.say is not None:
                take(prompt.say)
            else:
                await self._party.hooks.speak(prompt.hook, *prompt.arguments, take=take, room=reply.wait_text_wanted)
                self._failures = 0
        except BotError as error:
            self._bot_failed(prompt.hook, error)
            self._failures += 1
            self._prompts.put_first(Prompt("apology", say=Say(self._line.settings.dialogue.apology)))
            if self.failed:
                self._prompts.leave()
        self._replies.finish_text(reply)

    def _bot_failed(self, hook: str, error: BotError) -> None:
        self._line.emit(
            events.BotFailed(
                at=self._line.now(),
                call=self._line.call,
                bot=self._party.name,
                hook=hook,
                error=str(error),
                traceback="".join(traceback.format_exception(error.__cause__ or error)),
            )
        )

"""One call's turns: what the caller does becomes prompts for the bot, what the bot yields becomes replies, and the
caller's speech cuts what sounds. Speaking is the mouth's, running the bot's code hooks.py's."""

from __future__ import annotations

from contextlib import suppress

import trio

from orchestrator import events
from orchestrator.dialogue.answers import Answers, Party
from orchestrator.dialogue.bot import Say, Turn, VideoReply
from orchestrator.dialogue.prompts import Prompt, Prompts
from orchestrator.dialogue.talk import CallTalk
from orchestrator.dialogue.transcript import Transcript
from orchestrator.dialogue.videos import NO_VIDEOS, VideoWish
from orchestrator.errors import BotError, LegClosed
from orchestrator.events import CallState
from orchestrator.ports import Digits, HungUp, LegEvent, MarkPlayed, SpeechStarted, UserTurn
from orchestrator.speech.asking import Service
from orchestrator.speech.line import Line


class Conversation:
    """Runs one call from its opening to its end."""

    def __init__(self, line: Line, *, service: Service, party: Party, transcript: Transcript) -> None:
        self.transcript = transcript
        self.reason = "run"
        self._line = line
        self._party = party
        self._prompts = Prompts()
        self._answers = Answers(line, service=service, party=party, prompts=self._prompts, transcript=self.transcript)
        self._talk = CallTalk(self, call=line.leg.facts, transcript=self.transcript, shared=party.shared)
        self._turns = 0
        self._caller_speaks = False
        self._nursery: trio.Nursery | None = None

    async def run(self) -> str:
        """Converse until somebody ends the call; return who: "caller", "bot", "run" or "failure"."""
        try:
            async with trio.open_nursery() as self._nursery:
                self._nursery.start_soon(self._listen)
                with suppress(LegClosed):
                    await self._converse()
                self._nursery.cancel_scope.cancel()
        finally:
            self._nursery = None
            await self._answers.say_goodbye()
        return self.reason

    def wish_to_say(self, say: Say) -> None:
        """The bot wants to say something outside a reply."""
        self._prompts.put(Prompt("say", say=say))

    def wish_to_leave(self, to: str | None) -> None:
        """The bot wants to end the call, or to hand it over."""
        self._prompts.leave(transfer_to=to)

    async def wish_for_video(self, wish: VideoWish) -> VideoReply:
        """The bot wants a video; it is told of its end while the call goes on."""
        if self._party.videos is None:
            raise BotError(NO_VIDEOS)
        reply = await self._party.videos.ask(wish, bot=self._party.name, call=self._line.call)
        if self._nursery is not None and self._party.hooks.speaks("on_video"):
            self._nursery.start_soon(self._await_video, reply)
        return reply

    async def _await_video(self, reply: VideoReply) -> None:
        self._prompts.put(Prompt("on_video", (await reply.wait(), self._talk)))

    # --- what the caller does: synchronous ---

    async def _listen(self) -> None:
        async for event in self._line.leg.events():
            self._take(event)
        if self.reason == "run":  # the leg ended without a word
            self._end()

    def _end(self) -> None:
        """The caller is gone: what sounds is cut, nothing more is said, and the bot may finish what it is told."""
        self.reason = "caller"
        self._answers.cut()
        self._prompts.end()

    def _take(self, event: LegEvent) -> None:
        at, call = self._line.now(), self._line.call
        match event:
            case MarkPlayed(name=name, at=played_at):
                self._answers.mouth.player.marked(name, played_at)
                if self._caller_speaks:  # what may not be interrupted may be over by now
                    self._answers.interrupt()
            case SpeechStarted():
                self._caller_speaks = True
                self._prompts.stir()
                self._line.emit(events.CallerSpeechStarted(at=at, call=call))
                self._answers.interrupt()
            case UserTurn():
                self._caller_speaks = False
                self._prompts.stir()
                self._take_turn(event)
            case Digits(digits=digits):
                self._line.emit(events.CallerDigits(at=at, call=call, count=len(digits)))
                keys = f"[pressed {len(digits)} {'key' if len(digits) == 1 else 'keys'}]"  # which ones may be secret
                self.transcript.add_turn(keys, start=at - self._line.began, end=at - self._line.began)
                if self._party.hooks.speaks("on_digits"):
                    self._answers.interrupt()
                    self._prompts.put(Prompt("on_digits", (digits, self._talk)))
            case HungUp():
                self._line.emit(events.CallerHungUp(at=at, call=call))
                self._end()

    def _take_turn(self, turn: UserTurn) -> None:
        self._turns += 1
        self._line.caller_waits = True
        spoke = turn.ended - turn.started
        self.transcript.add_turn(turn.text, start=turn.started - self._line.began, end=turn.ended - self._line.began)
        self._line.emit(
            events.CallerTurnEnded(
                at=self._line.now(), call=self._line.call, turn=self._turns, spoke=spoke, characters=len(turn.text)
            )
        )
        if turn.text.strip() and self._party.hooks.speaks("reply"):
            self._prompts.put(Prompt("reply", (Turn(turn.text, spoke), self._talk), after_turn=self._turns))

    # --- what the bot does ---

    async def _converse(self) -> None:
        if self._party.hooks.speaks("opening"):
            self._prompts.put(Prompt("opening", (self._talk,)))
        while (prompt := await self._next_prompt()) is not None:
            if prompt.hook == "on_video":
                await self._answers.tell(prompt.hook, *prompt.arguments)
            else:
                await self._answers.answer(prompt)
        if self._prompts.over:
            return
        self.reason = "failure" if self._answers.failed else "bot"
        to = self._prompts.transfer_to
        await (self._line.leg.hang_up() if to is None else self._line.leg.transfer(to))

    async def _next_prompt(self) -> Prompt | None:
        """Wait for something to say while the caller is silent; None when the bot has said all and wants to leave."""
        self._line.enter(CallState.LISTENING)
        silence = self._line.settings.dialogue.silence_after
        speaks_up = silence > 0 and self._party.hooks.speaks("on_silence")
        while not self._prompts.may_leave:
            if not self._caller_speaks and (prompt := self._prompts.next_nowait()) is not None:
                return prompt
            within = silence if speaks_up and not self._caller_speaks else float("inf")
            if not await self._prompts.wait_news(within=within):
                return Prompt("on_silence", (self._talk,))
        return None

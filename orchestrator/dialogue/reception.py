"""Answers legs: makes the bot, runs the conversation, keeps a call's failure in that call, and says how it ended."""

from __future__ import annotations

import traceback
from contextlib import suppress

from attrs import frozen

from orchestrator import events
from orchestrator.context import current_bot, current_call
from orchestrator.dialogue.answers import Party
from orchestrator.dialogue.bot_code import bot_code, part
from orchestrator.dialogue.bot_loading import LoadedBot
from orchestrator.dialogue.conversation import Conversation
from orchestrator.dialogue.hooks import Hooks
from orchestrator.dialogue.shared import SharedByBots
from orchestrator.dialogue.transcript import Transcript
from orchestrator.errors import BotLoadError, LegClosed
from orchestrator.ports import Emit, Lane, Leg, Now
from orchestrator.settings import Settings
from orchestrator.speech.line import Line
from orchestrator.speech.mouth import Service


@frozen(kw_only=True)
class CallRecord:
    """A call that is over: when it was answered (run clock), how long it took, who ended it, what was said."""

    call: str
    began: float
    seconds: float
    reason: str
    transcript: Transcript


class Reception:
    """Serves calls, each in the task that asks for it."""

    def __init__(
        self, *, service: Service, settings: Settings, emit: Emit, now: Now, lane: Lane, shared: SharedByBots
    ) -> None:
        self._service = service
        self._settings = settings
        self._emit = emit
        self._now = now
        self._lane = lane
        self._shared = shared

    async def serve(
        self,
        leg: Leg,
        *,
        bot: LoadedBot,
        transcript: Transcript | None = None,
        group: str | None = None,
        weight: float | None = None,
    ) -> CallRecord:
        """Run one call to its end. Nothing that goes wrong in it is raised: it is told as an event.

        What is said is noted in `transcript` while it happens, so that a cancelled call leaves one, too. `weight` is
        the call's share of the slot when calls compete; without it, the settings'.
        """
        current_call.set(leg.facts.id)
        current_bot.set(bot.name)
        line = Line(leg, settings=self._settings, emit=self._emit, now=self._now)
        began, reason = self._now(), "run"
        transcript = Transcript() if transcript is None else transcript
        self._emit(events.CallStarted(at=began, call=line.call, bot=bot.name, leg=leg.facts.leg, group=group))
        try:
            conversation = Conversation(
                line, service=self._service, party=await self._party(bot, weight=weight), transcript=transcript
            )
            try:
                await conversation.run()
            finally:
                reason = conversation.reason
        except BaseException as error:
            passing, trouble = part(error)
            if trouble is not None:
                reason = "failure"
                self._failed(line, trouble)
            if passing is not None:
                raise passing from passing.__cause__
            with suppress(LegClosed):
                await leg.hang_up()
        finally:
            self._service.slots.close(line.call)
            line.enter(events.CallState.ENDED)
            ended = self._now()
            self._emit(events.CallEnded(at=ended, call=line.call, reason=reason, seconds=ended - began))
        return CallRecord(call=line.call, began=began, seconds=ended - began, reason=reason, transcript=transcript)

    async def _party(self, bot: LoadedBot, *, weight: float | None) -> Party:
        shared = await self._shared.of(bot)
        with bot_code(BotLoadError, f"bot {bot.name!r} could not be made: "):
            instance = bot.make()
        hooks = Hooks(instance, lane=self._lane, settings=self._settings.dialogue)
        if weight is None:
            weight = self._settings.bot.weight
        return Party(hooks=hooks, name=bot.name, shared=shared, weight=weight)

    def _failed(self, line: Line, error: BaseException) -> None:
        self._emit(
            events.CallFailed(
                at=self._now(),
                call=line.call,
                error=f"{type(error).__name__}: {error}",
                traceback="".join(traceback.format_exception(error)),
            )
        )

"""Answers legs: has a call wait or sends it away where there is no place, makes the bot, runs the conversation, keeps a
call's failure in that call, and says how it ended. Who gets a place is places.py's."""

from __future__ import annotations

import traceback
from contextlib import suppress

import trio
from attrs import define, field, frozen

from orchestrator import events
from orchestrator.context import current_bot, current_call
from orchestrator.dialogue.announcement import Announcer, Attendance
from orchestrator.dialogue.answers import Party
from orchestrator.dialogue.bot_code import bot_code, part
from orchestrator.dialogue.bot_loading import LoadedBot
from orchestrator.dialogue.conversation import Conversation
from orchestrator.dialogue.hooks import Hooks
from orchestrator.dialogue.places import Places, Seat, Stage
from orchestrator.dialogue.shared import SharedByBots
from orchestrator.dialogue.transcript import Transcript
from orchestrator.dialogue.videos import Videos
from orchestrator.errors import BotLoadError, LegClosed
from orchestrator.ports import Emit, Lane, Leg, Now
from orchestrator.settings import LadderSettings, Settings
from orchestrator.settings.speech import Texts
from orchestrator.settings_reload import Reload
from orchestrator.speech.asking import Service
from orchestrator.speech.line import Line


@frozen(kw_only=True)
class CallRecord:
    """A call that is over: when it was answered (run clock), how long it took, who ended it, what was said."""

    call: str
    began: float
    seconds: float
    reason: str
    transcript: Transcript


@define
class _Visit:
    """A call that is being served, and how it ends as far as is known."""

    line: Line
    transcript: Transcript
    seat: Seat = field(init=False)
    reason: str = "run"


@define(kw_only=True)
class Reception:
    """Serves calls, each in the task that asks for it. `settings` hold for the calls to come."""

    service: Service
    settings: Settings
    emit: Emit
    now: Now
    lane: Lane
    shared: SharedByBots
    places: Places
    announcer: Announcer
    videos: Videos | None = None
    _weighed: list[Line] = field(init=False, factory=list)
    """The calls that have the settings' weight."""

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

        Its place is taken before this first waits; a call that gets none is told so and ended. What is said is noted in
        `transcript` while it happens, so that a cancelled call leaves one, too. `weight` is the call's share of the
        slot when calls compete; without it, the settings'.
        """
        current_call.set(leg.facts.id)
        current_bot.set(bot.name)
        line = Line(leg, settings=self.settings, emit=self.emit, now=self.now)
        if weight is None:
            weight = self.settings.bot.weight
            self._weighed.append(line)
        line.weight = weight
        visit = _Visit(line, Transcript() if transcript is None else transcript)
        began = self.now()
        self.emit(events.CallStarted(at=began, call=line.call, bot=bot.name, leg=leg.facts.leg, group=group))
        visit.seat = self.places.ask(line.call)
        try:
            await self._receive(visit, bot)
        except BaseException as error:
            passing, trouble = part(error)
            if trouble is not None:
                visit.reason = "failure"
                self._failed(line, trouble)
            if passing is not None:
                raise passing from passing.__cause__
            with suppress(LegClosed):
                await leg.hang_up()
        finally:
            self.service.slots.close(line.call)
            self._weighed = [other for other in self._weighed if other is not line]
            line.enter(events.CallState.ENDED)
            ended = self.now()
            self.emit(events.CallEnded(at=ended, call=line.call, reason=visit.reason, seconds=ended - began))
            self.places.leave(visit.seat)
        return CallRecord(
            call=line.call, began=began, seconds=ended - began, reason=visit.reason, transcript=visit.transcript
        )

    def use(self, reload: Reload) -> None:
        """Go by other settings from now on, and tell which; calls that go on take over their weight only."""
        self.settings = reload.settings
        for line in self._weighed:
            line.weight = self.settings.bot.weight
        self.places.use(self.settings.admission, slots=self.settings.provider.slots)
        self.emit(reload.told(self.now()))

    async def drain(self, within: float) -> None:
        """Take no more calls; returns when those that go on are over: after `within` seconds they are told goodbye."""
        self.places.shut()
        self.emit(events.DrainStarted(at=self.now(), calls=self.places.calls, within=within))
        with trio.move_on_after(within):
            await self.places.wait_none_taken()
        self.places.dismiss()
        await self.places.wait_gone()

    async def _receive(self, visit: _Visit, bot: LoadedBot) -> None:
        if visit.seat.stage is Stage.WAITING:
            await self._hold(visit)
        if visit.reason == "caller":
            return
        if visit.seat.stage is Stage.TAKEN:
            await self._converse(visit, bot)
        else:
            visit.reason = "refused"
            await self._part(visit, self.settings.admission.refusals)

    async def _hold(self, visit: _Visit) -> None:
        """Keep a caller company who waits for a place."""
        leg, seat, settings = visit.line.leg, visit.seat, visit.line.settings
        visit.line.enter(events.CallState.WAITING)
        async with self.announcer.attend(leg, settings) as caller:
            with trio.move_on_after(settings.admission.queue_within):
                await _keep_company(caller, seat, ladder=settings.ladder)
            self.places.give_up(seat)
        leg.clear()  # what was being said to pass the time
        if caller.gone:
            self._hung_up(visit)
            visit.reason = "caller"

    async def _converse(self, visit: _Visit, bot: LoadedBot) -> None:
        with visit.seat.scope:
            party = await self._party(bot)
            conversation = Conversation(visit.line, service=self.service, party=party, transcript=visit.transcript)
            try:
                await conversation.run()
            finally:
                visit.reason = conversation.reason
        if visit.seat.scope.cancelled_caught and visit.reason == "run":
            visit.reason = "drained"
            await self._part(visit, self.settings.admission.goodbyes)

    async def _part(self, visit: _Visit, texts: Texts) -> None:
        """Say a last sentence, and end the call."""
        leg = visit.line.leg
        async with self.announcer.attend(leg, visit.line.settings) as caller:
            await caller.say(texts)
        if caller.gone:
            self._hung_up(visit)
        with suppress(LegClosed):
            await leg.hang_up()

    async def _party(self, bot: LoadedBot) -> Party:
        shared = await self.shared.of(bot)
        with bot_code(BotLoadError, f"bot {bot.name!r} could not be made: "):
            instance = bot.make()
        hooks = Hooks(instance, lane=self.lane, settings=self.settings.dialogue)
        return Party(hooks=hooks, name=bot.name, shared=shared, videos=self.videos)

    def _hung_up(self, visit: _Visit) -> None:
        self.emit(events.CallerHungUp(at=self.now(), call=visit.line.call))

    def _failed(self, line: Line, error: BaseException) -> None:
        self.emit(
            events.CallFailed(
                at=self.now(),
                call=line.call,
                error=f"{type(error).__name__}: {error}",
                traceback="".join(traceback.format_exception(error)),
            )
        )


async def _keep_company(caller: Attendance, seat: Seat, *, ladder: LadderSettings) -> None:
    """Ask a caller to wait, and say a word now and then, until it is decided if there is a place."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_pass_the_time, caller, ladder)
        await seat.decided.wait()
        nursery.cancel_scope.cancel()


async def _pass_the_time(caller: Attendance, ladder: LadderSettings) -> None:
    await caller.say(ladder.fillers)
    while True:
        await trio.sleep(ladder.word_every)
        await caller.say(ladder.words)

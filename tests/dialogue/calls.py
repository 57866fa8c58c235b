"""Calls through the whole program in virtual time: its events, what sounded, and what each call left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import trio
from attrs import Factory, define

from orchestrator import events
from orchestrator.adapters.telephony.loopback import LoopbackLeg, Phone, open_loopback
from orchestrator.app import Orchestrator, Surroundings, open_orchestrator, run_clock
from orchestrator.audio import silence
from orchestrator.dialogue.bot_loading import LoadedBot
from orchestrator.dialogue.reception import CallRecord
from orchestrator.dialogue.transcript import BotEntry, CallerEntry, Transcript
from orchestrator.lanes import InlineLane
from orchestrator.ports import CallFacts, Dial, LocalVoice, Now
from orchestrator.settings import (
    AdmissionSettings,
    DialogueSettings,
    LadderSettings,
    ProviderSettings,
    Settings,
    SpeechSettings,
)
from orchestrator.testing import instant_voice
from tests.adapters.test_loopback import Tape

RATE = 8000
Caller = Callable[[Phone], Awaitable[None]]
E = TypeVar("E", bound=events.Event)


def settings(
    *, speech: SpeechSettings | None = None, ladder: LadderSettings | None = None, **dialogue: Any
) -> Settings:
    """The usual settings with others for the dialogue; calls wait quietly, and all are taken, unless it is said."""
    return Settings(
        ladder=ladder or LadderSettings(on=False),
        admission=AdmissionSettings(on=False),
        provider=ProviderSettings(settle=0.05, backoff=0.2),
        speech=speech or SpeechSettings(),
        dialogue=DialogueSettings(apology="I am sorry.", **dialogue),
    )


@define
class Call:
    """One call: its leg, what sounded, what was said; `record` is None for one that was cancelled."""

    leg: LoopbackLeg
    tape: Tape = Factory(Tape)
    transcript: Transcript = Factory(Transcript)
    record: CallRecord | None = None

    @property
    def reason(self) -> str:
        """Who ended it."""
        assert self.record is not None
        return self.record.reason

    @property
    def replies(self) -> list[BotEntry]:
        """The bot's replies."""
        return [entry for entry in self.transcript.entries if isinstance(entry, BotEntry)]

    @property
    def lines(self) -> list[str]:
        """What both sides said, the caller's after ">", and of the bot's what was heard."""
        return [
            f">{entry.text}" if isinstance(entry, CallerEntry) else entry.heard.strip()
            for entry in self.transcript.entries
        ]


@define
class Desk:
    """The running program."""

    orchestrator: Orchestrator
    now: Now
    told: list[events.Event]
    calls: dict[str, Call] = Factory(dict)

    async def call(
        self, name: str, bot: type[Any] | LoadedBot, caller: Caller, *, options: Mapping[str, Any] | None = None
    ) -> Call:
        """Run one call of that name."""
        loaded = bot if isinstance(bot, LoadedBot) else LoadedBot(bot.__name__, bot, options or {})
        tape = Tape()
        async with open_loopback(CallFacts(name), rate=RATE, now=self.now, tap=tape) as (leg, phone):
            call = self.calls[name] = Call(leg, tape)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(caller, phone)
                call.record = await self.orchestrator.serve_leg(leg, loaded, transcript=call.transcript)
                nursery.cancel_scope.cancel()
        return call

    def of(self, kind: type[E], call: str | None = None) -> list[E]:
        """The events of a kind, of one call."""
        return [event for event in self.told if isinstance(event, kind) and call in (None, getattr(event, "call", ""))]

    def at(self, kind: type[events.Event], call: str | None = None) -> float:
        """When the first event of a kind was."""
        return self.of(kind, call)[0].at


@asynccontextmanager
async def open_desk(
    using: Settings | None = None, dial: Dial = instant_voice, *, local: LocalVoice | None = None
) -> AsyncIterator[Desk]:
    """Run the program with that voice for at most an hour of virtual time."""
    told: list[events.Event] = []
    now = run_clock()
    surroundings = Surroundings(emit=told.append, now=now, dial=dial, lane=InlineLane(), local=local)
    with trio.fail_after(3600):
        async with open_orchestrator(using or settings(), surroundings) as orchestrator:
            yield Desk(orchestrator, now, told)


async def say(phone: Phone, text: str, *, seconds: float = 0.5) -> None:
    """Speak, in silence: its words count."""
    await phone.speak(silence(seconds, phone.rate), text)


async def hear_out(phone: Phone, *, quiet: float = 0.6) -> None:
    """Wait until the bot has spoken."""
    await phone.wait_bot_speaks()
    await phone.wait_bot_quiet(quiet)


def saying(*texts: str, quiet: float = 0.6) -> Caller:
    """A caller who says each text after the bot has been quiet for so long, and hangs up after the last answer."""

    async def caller(phone: Phone) -> None:
        for text in texts:
            await say(phone, text)
            await hear_out(phone, quiet=quiet)
        phone.hang_up()

    return caller

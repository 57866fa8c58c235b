"""Wires the parts together: one account's slots and links, and the calls that share them."""

from __future__ import annotations

import random  # the one generator for jitter and nothing else; whoever wants a run repeated passes a seeded one
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Protocol

import trio
from attrs import Factory, frozen

from orchestrator.adapters.voices.waves import WavesCodec
from orchestrator.dialogue.bot_loading import LoadedBot
from orchestrator.dialogue.reception import CallRecord, Reception
from orchestrator.dialogue.shared import SharedByBots
from orchestrator.dialogue.transcript import Transcript
from orchestrator.errors import ProviderFault
from orchestrator.lanes import ThreadLane
from orchestrator.ports import Dial, Emit, Lane, Leg, Now, Slots, VoiceCodec
from orchestrator.settings import Settings, SpeechSettings
from orchestrator.slot.outlook import Outlook
from orchestrator.slot.pace import Pace
from orchestrator.slot.queue import SlotQueue
from orchestrator.slot.scheduler import Scheduler
from orchestrator.speech.dialling import dial
from orchestrator.speech.keeper import Provider
from orchestrator.speech.mouth import Service
from orchestrator.speech.pool import Pool
from orchestrator.speech.portions import Portions, Sparing

_WORKERS = 8
"""Plain-generator bots that may block at a time."""


def run_clock() -> Now:
    """Return a clock that starts at 0 now, in seconds of Trio's clock."""
    began = trio.current_time()
    return lambda: trio.current_time() - began


class RunningSlots(Slots, Protocol):
    """Slots with a task of their own."""

    async def run(self) -> None:
        """Do what time brings; runs until cancelled."""


@frozen(kw_only=True)
class Policy:
    """How the slot is shared: who gets it (`slots`), and what a reply asks for (`portions`).

    `slots` is given the settings, the pace, and where events and the time are had from.
    """

    slots: Callable[[Settings, Pace, Emit, Now], RunningSlots]
    portions: Callable[[SpeechSettings, Pace], Portions]


def _by_need(settings: Settings, pace: Pace, emit: Emit, now: Now) -> RunningSlots:  # Policy.slots' signature
    queue = SlotQueue(slots=settings.provider.slots, bound=settings.slot.bound)
    outlook = Outlook(pace=pace, slots=settings.provider.slots, patience=settings.slot.patience)
    return Scheduler(queue, emit=emit, now=now, outlook=outlook)


DEADLINE = Policy(slots=_by_need, portions=Sparing)
"""The product's own: earliest need-by first inside the fairness bound, pieces as long as the others' slack allows."""


@frozen(kw_only=True)
class Surroundings:
    """What an Orchestrator lives in; simulations and tests pass others than the default.

    `emit` gets every event, `now` is the run's clock. Without a `codec` the provider is Waves with `key`; `dial` opens
    links, `lane` runs what blocks, `policy` shares the slot.
    """

    emit: Emit
    now: Now
    key: str = ""
    codec: VoiceCodec | None = None
    dial: Dial | None = None
    lane: Lane = Factory(lambda: ThreadLane(_WORKERS))
    rng: random.Random = Factory(random.Random)
    policy: Policy = DEADLINE


class Orchestrator:
    """One account's calls. Made by `open_orchestrator`."""

    def __init__(self, reception: Reception, pool: Pool) -> None:
        self._reception = reception
        self._pool = pool

    async def wait_ready(self) -> None:
        """Wait until the provider took the first link. Raises ProviderFault with what it said instead."""
        await self._pool.wait_ready()

    @property
    def fault(self) -> ProviderFault | None:
        """Why no link to the provider is open just now; None while one is."""
        return self._pool.fault

    async def serve_leg(
        self,
        leg: Leg,
        bot: LoadedBot,
        *,
        transcript: Transcript | None = None,
        group: str | None = None,
        weight: float | None = None,
    ) -> CallRecord:
        """Run one call on `leg` to its end, in the calling task; cancel it to end the call. Its failure is an event.

        What is said is noted in `transcript` while it happens. `weight` is the call's share of the slot when calls
        compete; without it, the settings'.
        """
        return await self._reception.serve(leg, bot=bot, transcript=transcript, group=group, weight=weight)


@asynccontextmanager
async def open_orchestrator(settings: Settings, surroundings: Surroundings) -> AsyncIterator[Orchestrator]:
    """Open the account's links; leaving closes them. Calls run in their callers' tasks and must have ended by then."""
    emit, now = surroundings.emit, surroundings.now
    pace = Pace(seconds_per_character=1 / settings.speech.characters_per_second)
    slots = surroundings.policy.slots(settings, pace, emit, now)
    provider = Provider(
        dial=surroundings.dial or partial(dial, within=settings.provider.connect_within),
        codec=surroundings.codec or WavesCodec(settings.provider, surroundings.key),
        settings=settings.provider,
        pace=pace,
    )
    pool = Pool(provider, slots=slots, emit=emit, now=now, draw=surroundings.rng.random)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(slots.run)
        nursery.start_soon(pool.run)
        shared = SharedByBots(nursery, emit=emit, now=now)
        reception = Reception(
            service=Service(
                slots=slots, pool=pool, pace=pace, portions=surroundings.policy.portions(settings.speech, pace)
            ),
            settings=settings,
            emit=emit,
            now=now,
            lane=surroundings.lane,
            shared=shared,
        )
        try:
            yield Orchestrator(reception, pool)
        finally:
            shared.close()
        nursery.cancel_scope.cancel()

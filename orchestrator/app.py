"""Wires the parts together: one account's slots and links, and the calls that share them."""

from __future__ import annotations

import random  # the one generator for jitter and nothing else; whoever wants a run repeated passes a seeded one
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from typing import Protocol

import trio
from attrs import Factory, frozen

from orchestrator.adapters.voices.waves import WavesCodec
from orchestrator.dialogue.admission import Admission
from orchestrator.dialogue.announcement import Announcer
from orchestrator.dialogue.bot_loading import AnyBot, Bots
from orchestrator.dialogue.places import Places
from orchestrator.dialogue.reception import CallRecord, Reception
from orchestrator.dialogue.shared import SharedByBots
from orchestrator.dialogue.transcript import Transcript
from orchestrator.dialogue.videos import VideoMeans, Videos
from orchestrator.errors import ProviderFault
from orchestrator.events import Event
from orchestrator.lanes import InlineLane, ThreadLane
from orchestrator.ports import Dial, Emit, Lane, Leg, LocalVoice, Now, Slots, VoiceCodec
from orchestrator.settings import Settings, SpeechSettings
from orchestrator.settings_reload import reloaded
from orchestrator.slot.account import Account
from orchestrator.slot.capacity import CapacityTable
from orchestrator.slot.capacity_file import load_capacity
from orchestrator.slot.outlook import Outlook
from orchestrator.slot.pace import Pace
from orchestrator.slot.queue import SlotQueue
from orchestrator.slot.scheduler import Scheduler
from orchestrator.speech.asking import Service
from orchestrator.speech.cache import MemoryPhrases, PhraseCache, PhraseStore
from orchestrator.speech.dialling import dial
from orchestrator.speech.keeper import Provider
from orchestrator.speech.phrase_making import Means
from orchestrator.speech.phrases import Phrases
from orchestrator.speech.pool import Pool
from orchestrator.speech.portions import Portions, Sparing
from orchestrator.speech.reply import VoiceChoice, usual_voice
from orchestrator.speech.sounds import SoundMaker

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
    return Scheduler(queue, emit=emit, now=now, outlook=outlook, account=Account.of(settings.provider))


DEADLINE = Policy(slots=_by_need, portions=Sparing)
"""The product's own: earliest need-by first inside the fairness bound, pieces as long as the others' slack allows."""


@frozen(kw_only=True)
class Surroundings:
    """What an Orchestrator lives in; simulations and tests pass others than the default.

    `emit` gets every event, `now` is the run's clock. Without a `codec` the provider is Waves with `key`; `dial` opens
    links, `lane` runs what blocks, `policy` shares the slot. `local` speaks where the provider can't; phrases are kept
    in `phrase_store`, without one in memory. Without `videos` bots can't answer with any.
    """

    emit: Emit
    now: Now
    key: str = ""
    codec: VoiceCodec | None = None
    dial: Dial | None = None
    lane: Lane = Factory(lambda: ThreadLane(_WORKERS))
    rng: random.Random = Factory(random.Random)
    policy: Policy = DEADLINE
    local: LocalVoice | None = None
    phrase_store: PhraseStore | None = None
    videos: VideoMeans | None = None


class Orchestrator:
    """One account's calls. Made by `open_orchestrator`."""

    def __init__(self, reception: Reception, *, pool: Pool, slots: Slots, phrases: Phrases) -> None:
        self._reception = reception
        self._pool = pool
        self._slots = slots
        self._phrases = phrases
        self._bots = Bots()

    @property
    def now(self) -> Now:
        """The run's clock: a leg stamps its events with it."""
        return self._reception.now

    async def wait_ready(self) -> None:
        """Wait until the provider took the first link. Raises ProviderFault with what it said instead."""
        await self._pool.wait_ready()

    def want_phrases(self, *, rate: int, voice: VoiceChoice | None = None, texts: Iterable[str] = ()) -> None:
        """Have `texts` and the phrases of the settings ready for calls at `rate`, in the settings' voice by default."""
        voice = voice or usual_voice(self._reception.settings.provider)
        self._phrases.want_usual(voice=voice, rate=rate)
        self._phrases.want(texts, voice=voice, rate=rate)

    async def wait_phrases(self, *, within: float) -> bool:
        """Wait until the phrases that are wanted are ready, at most so many seconds; return whether they are."""
        return await self._phrases.wait_ready(within)

    @property
    def fault(self) -> ProviderFault | None:
        """Why no link to the provider is open just now; None while one is."""
        return self._pool.fault

    @property
    def full(self) -> bool:
        """Whether a call that came now would find no place."""
        return self._reception.places.full

    async def serve_leg(
        self,
        leg: Leg,
        bot: AnyBot,
        *,
        transcript: Transcript | None = None,
        group: str | None = None,
        weight: float | None = None,
    ) -> CallRecord:
        """Run one call on `leg` to its end, in the calling task; cancel it to end the call. Its failure is an event.

        `bot` is loaded with its options, or a class or name (`package.module:Class`) without any: a name is imported
        at its first call. What is said is noted in `transcript` while it happens. `weight` is the call's share of the
        slot when calls compete; without it, the settings'. Raises BotLoadError for what can be no bot.
        """
        loaded = self._bots.of(bot)
        return await self._reception.serve(leg, bot=loaded, transcript=transcript, group=group, weight=weight)

    async def drain(self, within: float | None = None) -> None:
        """Take no more calls; returns when all are over.

        Those that go on have `within` seconds (without it, the settings') to end by themselves, and are then told
        goodbye.
        """
        admission = self._reception.settings.admission
        await self._reception.drain(admission.drain_within if within is None else within)

    def reload(self, wanted: Settings) -> Settings:
        """Take over what may change while calls run (settings_reload.py), tell what did, and return what holds now."""
        reload = reloaded(self._reception.settings, wanted)
        provider = reload.settings.provider
        self._slots.allow(provider.slots)
        self._pool.allow(slots=provider.slots, links=provider.links)
        self._reception.use(reload)
        self._phrases.use(reload.settings)
        return reload.settings


@asynccontextmanager
async def open_orchestrator(settings: Settings, surroundings: Surroundings) -> AsyncIterator[Orchestrator]:
    """Open the account's links; leaving closes them. Calls run in their callers' tasks and must have ended by then."""
    now = surroundings.now
    pace = Pace(seconds_per_character=1 / settings.speech.characters_per_second)
    places = Places(_admission(settings, pace), emit=surroundings.emit, now=now)
    emit = _both(surroundings.emit, places.hear)
    slots = surroundings.policy.slots(settings, pace, emit, now)
    provider = Provider(
        dial=surroundings.dial or partial(dial, within=settings.provider.connect_within),
        codec=surroundings.codec or WavesCodec(settings.provider, surroundings.key),
        settings=settings.provider,
        pace=pace,
    )
    pool = Pool(provider, slots=slots, emit=emit, now=now, draw=surroundings.rng.random)
    if surroundings.phrase_store is not None:
        cache = PhraseCache(surroundings.phrase_store, lane=surroundings.lane, emit=emit, now=now)
    else:  # memory blocks nobody, and this clock can't be read from a thread
        cache = PhraseCache(MemoryPhrases(settings.cache, wall=now), lane=InlineLane(), emit=emit, now=now)
    means = Means(slots=slots, pool=pool, pace=pace)
    phrases = Phrases(settings, cache=cache, means=means, emit=emit, now=now)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(slots.run)
        nursery.start_soon(pool.run)
        nursery.start_soon(phrases.run)
        shared = SharedByBots(nursery, emit=emit, now=now)
        sounds = SoundMaker(settings, cache=cache, means=means)
        reception = Reception(
            service=Service(
                slots=slots,
                pool=pool,
                pace=pace,
                portions=surroundings.policy.portions(settings.speech, pace),
                cache=cache,
                phrases=phrases,
                local=surroundings.local,
            ),
            settings=settings,
            emit=emit,
            now=now,
            lane=surroundings.lane,
            shared=shared,
            places=places,
            announcer=Announcer(phrases=phrases, local=surroundings.local),
            videos=_videos(settings, surroundings, sounds=sounds, nursery=nursery),
        )
        try:
            yield Orchestrator(reception, pool=pool, slots=slots, phrases=phrases)
        finally:
            shared.close()
        nursery.cancel_scope.cancel()


def _videos(
    settings: Settings, surroundings: Surroundings, *, sounds: SoundMaker, nursery: trio.Nursery
) -> Videos | None:
    if surroundings.videos is None:
        return None
    return Videos(
        surroundings.videos,
        maker=sounds,
        voice=usual_voice(settings.provider),
        nursery=nursery,
        emit=surroundings.emit,
        now=surroundings.now,
    )


@lru_cache(maxsize=1)
def _shipped_table() -> CapacityTable:
    return load_capacity()


def _admission(settings: Settings, pace: Pace) -> Admission:
    return Admission(_shipped_table(), settings=settings.admission, pace=pace, slots=settings.provider.slots)


def _both(first: Emit, second: Emit) -> Emit:
    def emit(event: Event) -> None:
        first(event)
        second(event)

    return emit

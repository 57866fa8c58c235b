"""`talkingstick cache warm`: makes all phrases of a configuration now, over its account; what is in the cache stays."""

from __future__ import annotations

import random  # jitter of back-offs, and nothing else
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

import trio
from attrs import define, field, frozen

from orchestrator.adapters.voices.waves import WavesCodec
from orchestrator.app import DEADLINE, run_clock
from orchestrator.commands_cache import WarmOptions
from orchestrator.dialogue.bot_code import bot_code
from orchestrator.dialogue.bot_loading import load_bot
from orchestrator.errors import BotLoadError, FaultKind, ProviderFault, SettingsError
from orchestrator.events import Event, PhraseFailed, PhraseStored
from orchestrator.lanes import ThreadLane
from orchestrator.ports import Emit
from orchestrator.settings import Settings
from orchestrator.settings_file import load_settings, read_key
from orchestrator.slot.pace import Pace
from orchestrator.speech.cache import PhraseCache
from orchestrator.speech.dialling import dial
from orchestrator.speech.keeper import Provider
from orchestrator.speech.phrase_files import PhraseFiles, open_phrase_files
from orchestrator.speech.phrase_making import Means
from orchestrator.speech.phrases import Phrases
from orchestrator.speech.pool import Pool
from orchestrator.speech.reply import VoiceChoice

_READY_WITHIN = 4.0
"""Seconds for the first link: with its start the program is to give up within five."""
_THREADS = 2
"""For files: one that is stuck does not stop the next."""


@frozen(kw_only=True)
class Warming:
    """What is to be made where, everything that could be wrong with it checked. `own` are the bot's own phrases."""

    settings: Settings
    files: PhraseFiles
    key: str = field(repr=False)
    voices: tuple[VoiceChoice, ...]
    rates: tuple[int, ...]
    own: tuple[str, ...]

    def want_all(self, phrases: Phrases) -> None:
        """Want everything; the bot's phrases only in the configuration's language, which they are in."""
        for voice in self.voices:
            for rate in self.rates:
                phrases.want_usual(voice=voice, rate=rate)
                if voice.language == self.settings.provider.language:
                    phrases.want(self.own, voice=voice, rate=rate)


def plan(options: WarmOptions) -> Warming:
    """Return what is to be made. Raises SettingsError and BotLoadError."""
    settings = load_settings(options.config)
    if not settings.cache.on:
        raise SettingsError(f"{options.config}: cache.on = false: nothing would be kept; expected true")
    provider = settings.provider
    voices = [
        VoiceChoice(voice=voice, language=language, speed=provider.speed)
        for voice in options.voice or (provider.voice,)
        for language in options.language or (provider.language,)
    ]
    return Warming(
        settings=settings,
        files=open_phrase_files(settings.cache, directory=options.directory),
        key=read_key(provider),
        voices=tuple(dict.fromkeys(voices)),
        rates=tuple(dict.fromkeys(options.rate)),
        own=_own_phrases(settings),
    )


def _own_phrases(settings: Settings) -> tuple[str, ...]:
    bot = load_bot(settings.bot.use, settings.bot.options)
    with bot_code(BotLoadError, f"bot {settings.bot.use!r}: phrases(): "):
        instance = bot.make()
        own: Iterable[str] = instance.phrases() if hasattr(instance, "phrases") else ()  # its hooks are optional, too
        return tuple(own)


async def warm(options: WarmOptions) -> int:
    """Make what is missing, with progress on standard error; return 1 if something could not be made or kept in time.

    Raises SettingsError, BotLoadError, and ProviderFault if there is no provider that takes the key.
    """
    warming = plan(options)
    progress = Progress()
    async with _open_phrases(warming, emit=progress.add) as (phrases, pool):
        warming.want_all(phrases)
        await phrases.look_up()
        before = phrases.statistics()
        progress.missing = before.wanted - before.ready
        if progress.missing:
            await _wait_provider(pool)
            await phrases.wait_ready(options.within)
        after = phrases.statistics()
    new = after.ready - before.ready
    told = f"; {progress.failed} failure(s), told above" if progress.failed else ""
    print(f"{after.ready} of {after.wanted} phrase(s) are ready, {new} of them new, in {warming.files.directory}{told}")
    return 1 if after.ready < after.wanted or progress.failed else 0


@define
class Progress:
    """Says on standard error what comes in: a line for each phrase."""

    missing: int = 0
    failed: int = 0
    _stored: int = field(default=0, init=False)

    def add(self, event: Event) -> None:
        """Take what happened."""
        match event:
            case PhraseStored():
                self._stored += 1
                told = f"{event.voice}, {event.language}, {event.characters} characters, {event.seconds:.1f} s"
                print(f"{self._stored} of {self.missing}: {told}", file=sys.stderr)
            case PhraseFailed():
                self.failed += 1
                print(f"talkingstick: {event.error}", file=sys.stderr)


async def _wait_provider(pool: Pool) -> None:
    with trio.move_on_after(_READY_WITHIN) as patience:
        await pool.wait_ready()
    if patience.cancelled_caught:
        raise ProviderFault(FaultKind.RETRY, f"the provider did not take a WebSocket within {_READY_WITHIN:g} s")


@asynccontextmanager
async def _open_phrases(warming: Warming, *, emit: Emit) -> AsyncIterator[tuple[Phrases, Pool]]:
    """Open the account for phrases alone; leaving closes its links."""
    settings, now = warming.settings, run_clock()
    pace = Pace(seconds_per_character=1 / settings.speech.characters_per_second)
    slots = DEADLINE.slots(settings, pace, emit, now)
    provider = Provider(
        dial=partial(dial, within=settings.provider.connect_within),
        codec=WavesCodec(settings.provider, warming.key),
        settings=settings.provider,
        pace=pace,
    )
    pool = Pool(provider, slots=slots, emit=emit, now=now, draw=random.Random().random)
    cache = PhraseCache(warming.files, lane=ThreadLane(_THREADS), emit=emit, now=now)
    phrases = Phrases(settings, cache=cache, means=Means(slots=slots, pool=pool, pace=pace), emit=emit, now=now)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(slots.run)
        nursery.start_soon(pool.run)
        nursery.start_soon(phrases.run)
        yield phrases, pool
        nursery.cancel_scope.cancel()

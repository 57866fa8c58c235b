"""One account whose phrases are made, for tests: the real slots, links and cache, a provider that is played by hand."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import trio
from attrs import Factory, define, frozen

from orchestrator.app import DEADLINE, RunningSlots
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.events import Event
from orchestrator.lanes import InlineLane
from orchestrator.ports import Ask, Complete, Connection, Failed, Sound, SpeechRequest, VoiceFrame, WordTime
from orchestrator.settings import (
    Settings,
)
from orchestrator.slot.pace import Pace
from orchestrator.speech.cache import MemoryPhrases, PhraseCache
from orchestrator.speech.keeper import Provider
from orchestrator.speech.phrase import Phrase, PhraseKey
from orchestrator.speech.phrase_making import Means
from orchestrator.speech.phrases import Phrases, key_of
from orchestrator.speech.pool import Pool
from orchestrator.speech.reply import VoiceChoice
from simulations.waves.direct import DirectCodec

RATE = 8000
VOICE = VoiceChoice(voice="avery", language="en", speed=1.0)
SHORT = "Let me see."
LONG = (
    "I am sorry, but I cannot speak with you just now. Please call again in a little while, or write us a letter, "
    "and we shall be glad to answer it within the week. Goodbye, and thank you for your call."
)
SPEED = 15
"""Characters a second."""
_CHUNK = 1600
"""Bytes of a chunk of sound: 100 ms."""


@define(eq=False)
class ScriptedVoice:
    """A provider without a wire: 15 characters a second, a word time for each word, and what goes wrong in order.

    `ttfb` and `rtf` in seconds; a fault in `faults` is the answer to the next request, None is none. Where it is
    `gone`, no link can be opened.
    """

    ttfb: float = 0.1
    rtf: float = 0.1
    gone: bool = False
    faults: deque[ProviderFault | None] = Factory(deque)
    asked: list[tuple[float, SpeechRequest]] = Factory(list)
    begun: trio.Event = Factory(trio.Event)
    """Whether anything was asked for."""

    @property
    def texts(self) -> list[str]:
        """What was asked for."""
        return [request.text for _, request in self.asked]

    @asynccontextmanager
    async def dial(self, address: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
        """Open a link: implements ports.Dial."""
        await trio.lowlevel.checkpoint()
        if self.gone:
            raise ProviderFault(FaultKind.RETRY, "nobody answers")
        yield ScriptedLink(self)


class ScriptedLink:
    """One link to it: implements ports.Connection."""

    def __init__(self, voice: ScriptedVoice) -> None:
        self._voice = voice
        self._sender, self._requests = trio.open_memory_channel[SpeechRequest](1)
        self._frames: deque[tuple[float, VoiceFrame]] = deque()

    async def send(self, request: SpeechRequest) -> None:
        self._voice.asked.append((trio.current_time(), request))
        self._voice.begun.set()
        await self._sender.send(request)

    async def receive(self) -> VoiceFrame:
        if not self._frames:
            self._frames.extend(self._answer(await self._requests.receive()))
        at, frame = self._frames.popleft()
        await trio.sleep_until(at)
        return frame

    def _answer(self, request: SpeechRequest) -> list[tuple[float, VoiceFrame]]:
        voice, now = self._voice, trio.current_time()
        fault = voice.faults.popleft() if voice.faults else None
        if fault is not None:
            return [(now + voice.ttfb, Failed(request.id, fault))]
        seconds = len(request.text) / SPEED
        words, offset = list[WordTime](), 0
        for index, word in enumerate(request.text.split()):
            times = (offset / SPEED, (offset + len(word)) / SPEED)
            words.append(WordTime(request.id, index, word, *times))
            offset += len(word) + 1
        pcm = bytes(800) + b"\x10\x20" * round(RATE * (seconds - 0.1)) + bytes(800)  # 50 ms of silence around
        chunks = [(at / RATE / 2, Sound(request.id, pcm[at : at + _CHUNK])) for at in range(0, len(pcm), _CHUNK)]
        begin: list[tuple[float, VoiceFrame]] = [(0.0, word) for word in words]
        begun, made = now + voice.ttfb, voice.rtf * seconds
        frames = [*begin, *((voice.rtf * at, sound) for at, sound in chunks), (made, Complete(request.id))]
        return [(begun + at, frame) for at, frame in frames]


@frozen(kw_only=True)
class World:
    """One account with its phrases, and what was told."""

    settings: Settings
    phrases: Phrases
    cache: PhraseCache
    slots: RunningSlots
    pool: Pool
    pace: Pace
    voice: ScriptedVoice
    told: list[Event]

    def of(self, kind: type[Any]) -> list[Any]:
        """Return what was told of one kind."""
        return [event for event in self.told if isinstance(event, kind)]

    def ready(self, text: str) -> Phrase | None:
        """Return the phrase if it is ready in the usual voice."""
        return self.phrases.ready(text, voice=VOICE, rate=RATE)

    def key(self, text: str) -> PhraseKey:
        """Return what the cache knows a text in the usual voice by."""
        return key_of(self.settings, text, voice=VOICE, rate=RATE)

    def want(self, *texts: str) -> None:
        """Want texts in the usual voice."""
        self.phrases.want(texts, voice=VOICE, rate=RATE)

    async def hold_slot(self, seconds: float) -> float:
        """Have a call hold the slot for so long; return when it got it."""
        ask = Ask(call="a", reply=1, first=True, need_in=0.0, expected=seconds)
        self.slots.begin_reply("a", weight=1.0)
        async with self.slots.join(ask):
            granted = trio.current_time()
            await trio.sleep(seconds)
        self.slots.close("a")
        return granted


@asynccontextmanager
async def world(
    voice: ScriptedVoice | None = None, *, store: MemoryPhrases | None = None, settings: Settings | None = None
) -> AsyncIterator[World]:
    """Run an account whose phrases are made; its speed is known from one piece before."""
    settings, told, now = settings or Settings(), list[Event](), trio.current_time
    voice = voice or ScriptedVoice()
    pace = Pace()
    pace.learn(ttfb=voice.ttfb, held=voice.ttfb + voice.rtf * 2, audio=2.0, characters=30)
    slots = DEADLINE.slots(settings, pace, told.append, now)
    provider = Provider(dial=voice.dial, codec=DirectCodec(), settings=settings.provider, pace=pace)
    pool = Pool(provider, slots=slots, emit=told.append, now=now)
    cache = PhraseCache(store or MemoryPhrases(settings.cache, wall=now), lane=InlineLane(), emit=told.append, now=now)
    means = Means(slots=slots, pool=pool, pace=pace)
    phrases = Phrases(settings, cache=cache, means=means, emit=told.append, now=now)
    async with trio.open_nursery() as nursery:
        for run in (slots.run, pool.run, phrases.run):
            nursery.start_soon(run)
        yield World(
            settings=settings,
            phrases=phrases,
            cache=cache,
            slots=slots,
            pool=pool,
            pace=pace,
            voice=voice,
            told=told,
        )
        nursery.cancel_scope.cancel()

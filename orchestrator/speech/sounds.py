"""Makes the sound of a whole text for something else than a call: from the cache, or in slot time that nobody needs.

How it is cut into parts that give way to callers is phrase_making.py's.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import trio
from attrs import define, field, frozen

from orchestrator.errors import BotError, FaultKind, ProviderFault
from orchestrator.ports import Standing
from orchestrator.settings import Settings
from orchestrator.speech.cache import PhraseCache
from orchestrator.speech.phrase import Phrase, PhraseKey
from orchestrator.speech.phrase_making import Means, PhraseMaker
from orchestrator.speech.phrases import key_of
from orchestrator.speech.reply import VoiceChoice

RATE = 24_000
"""Samples a second: the voices' own; a telephone's 8000 sound dull beside a picture."""
MOST_CHARACTERS = 5000
"""Of one text: some six minutes of speech, and as long the others may wait for theirs."""
_TRIES = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0
"""Seconds between two tries: doubled with each, up to the second."""


def check_length(text: str) -> None:
    """Raise BotError for a text that would keep all the others waiting for too long."""
    if len(text) > MOST_CHARACTERS:
        raise BotError(f"video_reply: the text has {len(text)} characters; expected at most {MOST_CHARACTERS}")


@frozen
class _Own:
    """A wish that nobody shares: phrase_making.Wanted, and never gives way."""

    key: PhraseKey
    awaited: bool = False

    @contextmanager
    def giving_way(self) -> Iterator[trio.CancelScope]:
        """Run the body."""
        with trio.CancelScope() as scope:
            yield scope


@define(eq=False)
class _Turns:
    """One at a time: of those who wait the highest priority goes first, then who came first."""

    _taken: bool = field(default=False, init=False)
    _waiting: list[tuple[int, int, trio.Event]] = field(factory=list, init=False)
    _came: int = field(default=0, init=False)

    @asynccontextmanager
    async def wait(self, priority: int) -> AsyncIterator[None]:
        """Have the body be alone."""
        if self._taken:
            self._came += 1
            place = (-priority, self._came, trio.Event())
            insort(self._waiting, place)
            try:
                await place[2].wait()
            except trio.Cancelled:
                if place in self._waiting:
                    self._waiting.remove(place)
                else:  # its turn came in the moment of the cancel
                    self._pass_on()
                raise
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        if self._waiting:  # it stays taken until the next one runs: nobody gets in between
            self._waiting.pop(0)[2].set()
        else:
            self._taken = False


class SoundMaker:
    """Makes sounds, one at a time, those of a higher priority first; calls go before them all."""

    def __init__(self, settings: Settings, *, cache: PhraseCache, means: Means) -> None:
        self._settings = settings
        self._cache = cache
        self._pool = means.pool
        self._maker = PhraseMaker(settings, means, call="videos", name="phrase-video")
        self._turns = _Turns()

    def can_say(self, text: str, *, voice: VoiceChoice) -> bool:
        """Whether there is anything in the text that can be spoken."""
        return bool(self._key(text, voice).text)

    async def make(self, text: str, *, voice: VoiceChoice, keep: bool, priority: int = 0) -> Phrase:
        """Return how the text, of at most MOST_CHARACTERS, sounds, at 24 kHz; `keep` it in the cache for the next time.

        While the provider is gone, it waits. Raises BotError for a longer text, and ProviderFault when it failed again
        and again.
        """
        check_length(text)
        key = self._key(text, voice)
        phrase = await self._cache.find(key)
        if phrase is None:
            phrase = await self._make(key, priority)
            if keep and self._cache.keep(key, phrase):
                await self._cache.write(key, phrase)
        return phrase

    async def _make(self, key: PhraseKey, priority: int) -> Phrase:
        tries, pause = 0, _FIRST_PAUSE
        while True:
            while self._pool.standing in (Standing.OUT, Standing.FINAL):
                await self._pool.wait_standing_changed()
            try:
                async with self._turns.wait(priority):
                    made = await self._maker.make(_Own(key))
                assert made is not None  # it is given up for others only, and there are none
                return made
            except ProviderFault as fault:
                tries += 1
                if fault.kind is FaultKind.REQUEST or tries == _TRIES:
                    raise
                await trio.sleep(max(fault.retry_after or 0.0, pause))
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _key(self, text: str, voice: VoiceChoice) -> PhraseKey:
        return key_of(self._settings, text, voice=voice, rate=RATE)

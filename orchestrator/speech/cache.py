"""Keeps phrases that were spoken once, and sees to it that tasks which miss the same one make it once.

How they lie on disk is phrase_files.py's, which ones are to be ready and who makes them phrases.py's.
"""

from __future__ import annotations

import threading  # a store is used from a lane, which may have several threads
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

import trio
from attrs import Factory, define, frozen

from orchestrator import events
from orchestrator.errors import TalkingstickError
from orchestrator.ports import Emit, Lane, Now
from orchestrator.settings import CacheSettings
from orchestrator.speech.phrase import Phrase, PhraseKey

_IN_MEMORY = 32_000_000
"""Bytes of sound that are kept in memory, at most: half an hour at 8000 samples a second."""
_FRESH = 86_400.0
"""Seconds after which the store is asked again: whether the phrase is too old, and so that it knows of its use."""


class PhraseStoreError(TalkingstickError):
    """A phrase can't be kept or read; the message says where and why, and nothing of the phrase."""


class PhraseStore(Protocol):
    """Where phrases are kept. Its methods may block: they are run in a lane, several of them at a time."""

    def read(self, key: PhraseKey) -> Phrase | None:
        """Return the phrase, None if there is none that is young enough. Raises PhraseStoreError."""

    def write(self, key: PhraseKey, phrase: Phrase) -> None:
        """Keep the phrase, in place of others if need be. Raises PhraseStoreError."""


@frozen
class _Kept:
    """A phrase in memory, and since when."""

    phrase: Phrase
    at: float


class MemoryPhrases:
    """A store that ends with the process: for simulations, and where nothing is to be written.

    `wall` tells the time in seconds since any moment that stays the same; entries are as old as it says.
    """

    def __init__(self, settings: CacheSettings, *, wall: Callable[[], float]) -> None:
        self._most = settings.megabytes * 1e6
        self._oldest = settings.days * 86_400
        self._wall = wall
        self._lock = threading.Lock()
        self._kept: OrderedDict[PhraseKey, _Kept] = OrderedDict()

    def read(self, key: PhraseKey) -> Phrase | None:
        """Return the phrase, None if there is none that is young enough."""
        with self._lock:
            kept = self._kept.pop(key, None)
            if kept is None or self._wall() - kept.at > self._oldest:
                return None
            self._kept[key] = kept
            return kept.phrase

    def write(self, key: PhraseKey, phrase: Phrase) -> None:
        """Keep the phrase; what was not used for longest goes for it. Raises PhraseStoreError if it can never fit."""
        if len(phrase.pcm) > self._most:
            raise PhraseStoreError("a phrase is larger than all of the cache (cache.megabytes)")
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = _Kept(phrase, self._wall())
            while sum(len(kept.phrase.pcm) for kept in self._kept.values()) > self._most:
                self._kept.popitem(last=False)


@define(eq=False)
class _Desk:
    """Where those who want one phrase queue up: one at a time may look for it, and make it."""

    turn: trio.Semaphore = Factory(lambda: trio.Semaphore(1))
    claims: int = 0
    patient: trio.CancelScope | None = None
    """What its maker does only as long as nobody else waits."""


class Claim:
    """One task's wish for a phrase: either `phrase` is there, or this task alone may make it and `store` it."""

    def __init__(self, cache: PhraseCache, *, key: PhraseKey, desk: _Desk) -> None:
        self.key = key
        self.phrase: Phrase | None = None
        self._cache = cache
        self._desk = desk
        self._has_turn = False

    @property
    def awaited(self) -> bool:
        """Whether somebody else wants the phrase that this task is to make."""
        return self._has_turn and self._desk.turn.statistics().tasks_waiting > 0

    @contextmanager
    def giving_way(self) -> Iterator[trio.CancelScope]:
        """Cut the body as soon as somebody else wants the phrase, who could have it sooner by making it."""
        with trio.CancelScope() as scope:
            self._desk.patient = scope
            if self.awaited:
                scope.cancel()
            try:
                yield scope
            finally:
                self._desk.patient = None

    async def store(self, phrase: Phrase) -> bool:
        """Keep the phrase that was made; return whether it is there now. Others who want it have it at once.

        What can't be heard is not kept, and told as PhraseFailed; what can't be written is, and lives in memory.
        """
        if not self._cache.keep(self.key, phrase):
            await trio.lowlevel.checkpoint()
            return False
        self.phrase = phrase
        self.end_turn()
        await self._cache.write(self.key, phrase)
        return True

    async def take_turn(self) -> None:
        """Wait until nobody else makes the phrase, and look for it: the cache does this when the claim begins."""
        await self._desk.turn.acquire()
        self._has_turn = True
        self.phrase = await self._cache.find(self.key)
        if self.phrase is not None:
            self.end_turn()

    def end_turn(self) -> None:
        """Let the next one look for it; harmless when that was done."""
        if self._has_turn:
            self._has_turn = False
            self._desk.turn.release()


class PhraseCache:
    """Phrases in memory, as many as fit, and behind them those of `store`; what fails is told, and is a miss."""

    def __init__(self, store: PhraseStore, *, lane: Lane, emit: Emit, now: Now) -> None:
        self._store = store
        self._lane = lane
        self._emit = emit
        self._now = now
        self._kept: OrderedDict[PhraseKey, _Kept] = OrderedDict()
        self._bytes = 0
        self._desks: dict[PhraseKey, _Desk] = {}
        self._told: set[str] = set()
        """Messages about the store since something could be written: each is told once."""

    def peek(self, key: PhraseKey) -> Phrase | None:
        """Return the phrase if it is in memory."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if self._now() - kept.at > _FRESH:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept.phrase

    async def find(self, key: PhraseKey) -> Phrase | None:
        """Return the phrase if it is in memory or in the store."""
        phrase = self.peek(key)
        if phrase is not None:
            await trio.lowlevel.checkpoint()
            return phrase
        try:
            phrase = await self._lane.run(self._store.read, key)
        except PhraseStoreError as error:
            self._tell_once(str(error))
        if phrase is not None:
            self._put(key, phrase)
        return phrase

    @asynccontextmanager
    async def claim(self, key: PhraseKey) -> AsyncIterator[Claim]:
        """Have the phrase, or be the one who makes it; who wants it meanwhile waits.

        Left without a stored phrase, be it by an error or a cut, the claim passes to the next who waits.
        """
        desk = self._desks.setdefault(key, _Desk())
        desk.claims += 1
        if desk.patient is not None:
            desk.patient.cancel()
        claim = Claim(self, key=key, desk=desk)
        try:
            await claim.take_turn()
            yield claim
        finally:
            claim.end_turn()
            desk.claims -= 1
            if not desk.claims:
                del self._desks[key]

    def keep(self, key: PhraseKey, phrase: Phrase) -> bool:
        """Keep a phrase in memory and tell of it; return False for silence, which is told as a failure."""
        if phrase.silent:
            self._emit(events.PhraseFailed(at=self._now(), error=f"a phrase in the voice {key.voice} is all silence"))
            return False
        self._put(key, phrase)
        self._emit(
            events.PhraseStored(
                at=self._now(),
                voice=key.voice,
                language=key.language,
                characters=len(key.text),
                seconds=phrase.seconds,
            )
        )
        return True

    async def write(self, key: PhraseKey, phrase: Phrase) -> None:
        """Put a phrase into the store; it is told, and no more, if that fails."""
        try:
            await self._lane.run(self._store.write, key, phrase)
        except PhraseStoreError as error:
            self._tell_once(str(error))
        else:
            self._told.clear()

    def _put(self, key: PhraseKey, phrase: Phrase) -> None:
        self._drop(key)
        if len(phrase.pcm) > _IN_MEMORY:
            return
        while self._bytes + len(phrase.pcm) > _IN_MEMORY:
            self._drop(next(iter(self._kept)))
        self._kept[key] = _Kept(phrase, self._now())
        self._bytes += len(phrase.pcm)

    def _drop(self, key: PhraseKey) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= len(kept.phrase.pcm)

    def _tell_once(self, error: str) -> None:
        if error not in self._told:
            self._told.add(error)
            self._emit(events.PhraseFailed(at=self._now(), error=error))

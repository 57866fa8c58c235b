"""Which phrases are to be ready, in which voices, and when each is looked for, made and tried again.

How one is made is phrase_making.py's, where it is kept cache.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import trio
from attrs import Factory, define, field, frozen

from orchestrator import events
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Emit, Now, Standing
from orchestrator.settings import Settings
from orchestrator.speech.cache import PhraseCache
from orchestrator.speech.chunking import ReplyText
from orchestrator.speech.phrase import Phrase, PhraseKey
from orchestrator.speech.phrase_making import LOOK_EVERY, Means, PhraseMaker
from orchestrator.speech.reply import VoiceChoice

_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 300.0
"""Seconds until a phrase that failed is tried again: doubled with each failure, up to the second."""
_DOUBLINGS = 8
_TOLD_AFTER = 3
"""Failures of one phrase after which it is told, where another try may help."""
_NEVER = float("inf")
_ROUNDING = 0.001
"""Seconds by which a phrase may be due before its time: a sum of times may come out a hair after the wake-up."""


def usual_texts(settings: Settings, language: str) -> tuple[str, ...]:
    """Return the texts of the settings that a call in `language` may need at once ("auto" counts as English)."""
    spoken, main = _spoken(language), _spoken(settings.provider.language)
    ladder, admission = settings.ladder, settings.admission
    texts: list[str] = []
    for rung, by_language in (("filler", ladder.fillers), ("noise", ladder.words), ("apology", ladder.apologies)):
        if ladder.on and rung in ladder.rungs:
            texts += by_language.get(spoken, ())
    if admission.on:
        texts += admission.refusals.get(spoken, ())
    texts += admission.goodbyes.get(spoken, ())
    texts += settings.cache.phrases if spoken == main else ()
    return tuple(dict.fromkeys(texts))


@lru_cache(maxsize=1024)
def spoken_text(text: str) -> str:
    """Return what a provider is asked for when `text` is to be said: what phrases are known by, here and in replies."""
    cut = ReplyText()
    cut.feed(text)
    cut.finish()
    return cut.span_piece(0, len(text)).text


def _spoken(language: str) -> str:
    return "en" if language == "auto" else language


def key_of(settings: Settings, text: str, *, voice: VoiceChoice, rate: int) -> PhraseKey:
    """Return what the cache knows a text by, in that voice, at `rate` samples a second."""
    return PhraseKey.of(
        settings,
        voice=voice.voice,
        language=voice.language,
        speed=voice.speed,
        rate=rate,
        text=spoken_text(text),
    )


@define(eq=False)
class _Wish:
    """A phrase that is not there. `due` is when it is to be tried, on the run's clock: never, if that is no use."""

    key: PhraseKey
    looked_up: bool = False
    failures: int = 0
    due: float = 0.0
    final: bool = False
    """Whether it is left alone until the provider is up again."""

    def failed(self, fault: ProviderFault, now: float) -> bool:
        """Note a failure, and when it is tried again; return whether it is one to tell."""
        self.failures += 1
        self.final = fault.kind is FaultKind.FINAL
        hopeless = self.final or fault.kind is FaultKind.REQUEST
        doubled = _FIRST_PAUSE * 2.0 ** min(self.failures - 1, _DOUBLINGS)
        pause = max(fault.retry_after or 0.0, min(doubled, _LONGEST_PAUSE))
        self.due = _NEVER if hopeless else now + pause
        return hopeless or self.failures == _TOLD_AFTER


@frozen(kw_only=True)
class PhraseStatistics:
    """How many phrases are wanted, how many of them are there, and how many are left alone as it is no use."""

    wanted: int
    ready: int
    refused: int


@define(eq=False)
class Phrases:
    """Has phrases ready: what `want` names is looked for in the cache, else made in idle slot time while `run` runs."""

    _settings: Settings
    _cache: PhraseCache = field(kw_only=True)
    _means: Means = field(kw_only=True)
    _emit: Emit = field(kw_only=True)
    _now: Now = field(kw_only=True)
    _maker: PhraseMaker = field(init=False)
    _usual: dict[tuple[VoiceChoice, int], None] = field(init=False, factory=dict)
    """The voices and rates for which the texts of the settings are to be ready, in order."""
    _missing: dict[PhraseKey, _Wish] = field(init=False, factory=dict)
    _ready: set[PhraseKey] = field(init=False, factory=set)
    _changed: trio.Event = field(init=False, default=Factory(trio.Event))

    def __attrs_post_init__(self) -> None:
        self._maker = PhraseMaker(self._settings, self._means)

    def want(self, texts: Iterable[str], *, voice: VoiceChoice, rate: int) -> None:
        """Have these texts ready in this voice, at `rate` samples a second; what is wanted already costs nothing."""
        for text in texts:
            key = key_of(self._settings, text, voice=voice, rate=rate)
            if key not in self._missing and key not in self._ready and key.text:
                self._miss(key)

    def want_usual(self, *, voice: VoiceChoice, rate: int) -> None:
        """Have ready what the settings name for calls in this voice."""
        self._usual[voice, rate] = None
        self.want(usual_texts(self._settings, voice.language), voice=voice, rate=rate)

    def use(self, settings: Settings) -> None:
        """Go by other settings from now on: have their texts ready, too."""
        self._settings = settings
        for voice, rate in list(self._usual):
            self.want_usual(voice=voice, rate=rate)

    def ready(self, text: str, *, voice: VoiceChoice, rate: int) -> Phrase | None:
        """Return the phrase if it is there now."""
        key = key_of(self._settings, text, voice=voice, rate=rate)
        phrase = self._cache.peek(key)
        if phrase is None and key in self._ready:  # others took its place in memory: the store has it, or had
            self._ready.remove(key)
            self._miss(key)
        return phrase

    def statistics(self) -> PhraseStatistics:
        """Return where it stands."""
        refused = sum(wish.due == _NEVER for wish in self._missing.values())
        return PhraseStatistics(wanted=len(self._missing) + len(self._ready), ready=len(self._ready), refused=refused)

    async def look_up(self) -> None:
        """Look in the cache for what is wanted: in memory, where calls put phrases, too, and once in the store."""
        await trio.lowlevel.checkpoint()
        for wish in list(self._missing.values()):
            if wish.looked_up and self._cache.peek(wish.key) is None:
                continue
            if await self._cache.find(wish.key) is not None:
                self._have(wish)
            wish.looked_up = True

    async def wait_ready(self, within: float) -> bool:
        """Wait until nothing is missing that can come, `within` seconds at most; return whether all is there."""
        await trio.lowlevel.checkpoint()
        with trio.move_on_after(within):
            while self._coming():
                await self._changed.wait()
        return not self._missing

    async def run(self) -> None:
        """Look for what is wanted and make what is missing; runs until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch_standing)
            while True:
                await self.look_up()
                await self._make_next()

    async def _make_next(self) -> None:
        """Make the shortest phrase for which there is time now: it comes soonest, and teaches the most about speed."""
        due = list(self._due())
        fitting = [wish for wish in due if self._maker.fits(wish.key.text)]
        if fitting:
            await self._make(min(fitting, key=lambda wish: len(wish.key.text)))
        elif due:
            await trio.sleep(LOOK_EVERY)
        else:
            await self._wait_due()

    def _due(self) -> Iterator[_Wish]:
        if self._means.pool.standing not in (Standing.OUT, Standing.FINAL):
            by = self._now() + _ROUNDING
            yield from (wish for wish in self._missing.values() if wish.due <= by)

    async def _wait_due(self) -> None:
        """Wait until something is wanted, may be tried again, or the provider is back."""
        now = self._now()
        later = [wish.due for wish in self._missing.values() if now + _ROUNDING < wish.due < _NEVER]
        with trio.move_on_after(min(later) - now if later else _NEVER):
            await self._changed.wait()

    async def _make(self, wish: _Wish) -> None:
        try:
            async with self._cache.claim(wish.key) as claim:
                made = None if claim.phrase is not None else await self._maker.make(claim)
                if made is not None:
                    await claim.store(made)
                if claim.phrase is not None:
                    self._have(wish)
                elif made is not None:  # which the cache did not want, and told why
                    wish.due = _NEVER
                    self._notify()
                else:  # somebody else wanted it, and makes it now
                    wish.looked_up = False
                    wish.due = self._now() + LOOK_EVERY
        except ProviderFault as fault:
            if wish.failed(fault, self._now()):
                error = f"a phrase in the voice {wish.key.voice} can't be made: {fault.message}"
                self._emit(events.PhraseFailed(at=self._now(), error=error))
            self._notify()

    async def _watch_standing(self) -> None:
        pool = self._means.pool
        while True:
            await pool.wait_standing_changed()
            if pool.standing is Standing.UP:
                for wish in self._missing.values():
                    if wish.final:
                        wish.final, wish.due = False, self._now()
            self._notify()

    def _coming(self) -> bool:
        lost = self._means.pool.standing is Standing.FINAL
        return any(
            not wish.looked_up or (not lost and (wish.final or wish.due < _NEVER)) for wish in self._missing.values()
        )

    def _miss(self, key: PhraseKey) -> None:
        self._missing[key] = _Wish(key, due=self._now())
        self._notify()

    def _have(self, wish: _Wish) -> None:
        self._missing.pop(wish.key, None)
        self._ready.add(wish.key)
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

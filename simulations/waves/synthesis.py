"""How the simulated Waves provider makes sound of a text: with its voice, at its pace, noted in its books.

Whether a synthesis may take place is decided before; sending what is made is the business of each kind of link.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from functools import partial

import trio
from attrs import define, field

from orchestrator.ports import Spoken
from simulations.voices import Voice, Wanted
from simulations.waves.asks import Ask
from simulations.waves.books import Books
from simulations.waves.contexts import first_part
from simulations.waves.options import WavesOptions
from simulations.waves.schedule import Made, Schedule
from simulations.waves.timing import Timing

WORD_TIMESTAMP_VOICES = frozenset({"meher", "devansh", "kartik", "maithili", "liam", "avery"})
"""The voices that tell when a word sounds; with all others there is silently nothing (published)."""

_log = logging.getLogger(__name__)


class VoiceFailed(Exception):
    """The voice could not speak: the synthesis is over."""


@define(kw_only=True)
class Synthesizer:
    """What one provider speaks with, for all its links, from `started` on (a time of Trio's clock; without it now)."""

    _options: WavesOptions
    _voice: Voice
    started: float = field(factory=trio.current_time)
    _timing: Timing = field(init=False)

    @_timing.default
    def _seeded(self) -> Timing:
        seed = self._options.seed
        return Timing(
            options=self._options,
            started=self.started,
            ttfb_rng=random.Random(f"{seed}:ttfb"),
            rtf_rng=random.Random(f"{seed}:rtf"),
        )

    def restart(self) -> None:
        """The provider was restarted: the next request is as cold as the first."""
        self._timing.restart()

    def begin(self, ask: Ask, text: str, *, books: Books) -> Synthesis:
        """Begin to speak `text` as `ask` wants it, for the account of these books; its time to first byte runs now.

        Whoever drives the synthesis notes in them what was sent, and whether it was completed or abandoned.
        """
        books.begin_request(text)
        now, chunk_ms = trio.current_time(), self._options.chunk_ms
        pace = self._timing.next_pace(now)
        schedule = Schedule(
            first_byte=now + pace.ttfb,
            rtf=pace.rtf,
            rate=ask.rate,
            chunk=None if chunk_ms is None else chunk_ms / 1000,
        )
        return Synthesis(ask=ask, rest=text, schedule=schedule, voice=self._voice, books=books)


@define(kw_only=True)
class Synthesis:
    """One text on its way to sound: made part by part, as it is asked for."""

    _ask: Ask
    _rest: str
    _schedule: Schedule
    _voice: Voice
    _books: Books
    _made: Iterator[Made] = field(factory=partial(iter, ()), init=False)
    """What is left of the last part."""

    @property
    def ends(self) -> float:
        """When all sound is made of the text that was spoken so far: of the whole, once next_made returned None."""
        return self._schedule.ends

    async def next_made(self) -> Made | None:
        """Return what is to be sent next, ahead of its time; None when that was all. Raises VoiceFailed."""
        ask = self._ask
        words = ask.word_timestamps and ask.voice in WORD_TIMESTAMP_VOICES
        while (made := next(self._made, None)) is None and self._rest:
            part, self._rest = first_part(self._rest)
            if part:
                self._made = self._schedule.add(part, await self._sound_of(part), words=words)
        return made

    def forget(self) -> None:
        """Give up what was not asked for: of one that is cut off, the frames of an exception may stay for long."""
        self._made, self._rest = iter(()), ""

    async def _sound_of(self, text: str) -> Spoken:
        ask = self._ask
        wanted = Wanted(text=text, voice=ask.voice, rate=ask.rate, speed=ask.speed, request=ask.request or "")
        try:
            return await self._voice(wanted)
        except Exception as error:
            _log.exception("the voice failed")
            self._books.errors += 1
            raise VoiceFailed from error

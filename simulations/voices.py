"""Owns what simulated providers and callers speak with, a tone or espeak; when the sound is sent is the server's.

`tone` needs nothing but numpy and is the same in every run; `espeak` is a real voice (extra `demo`). Both put silence
around a text, as real providers do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Awaitable, Callable, Iterator
from functools import lru_cache
from importlib.util import find_spec
from zlib import crc32

import numpy as np
import trio
from attrs import frozen

from orchestrator.adapters.voices.espeak import Espeak
from orchestrator.audio import SAMPLE_BYTES, Samples, silence
from orchestrator.errors import SettingsError
from orchestrator.ports import Spoken


@frozen(kw_only=True)
class Wanted:
    """What a voice is to speak, at `rate` samples a second; any text and any voice name will do.

    `request` is the id that the client gave its request, "" where it gave none: some voices mark their sound with it.
    """

    text: str
    voice: str
    rate: int
    speed: float = 1.0
    request: str = ""


Voice = Callable[[Wanted], Awaitable[Spoken]]
"""Speak what is wanted."""

LEAD_SECONDS = 0.08
TAIL_SECONDS = 0.12
CHARACTERS_PER_SECOND = 15.0
"""Of the tone at speed 1.0, spaces counted; the pauses come on top."""
RAMP_SECONDS = 0.01
PEAK = 0.3
"""Of full scale: -13.5 dBFS RMS, about the loudness of espeak's vowels."""
_PAUSES = {",": 0.1, ";": 0.1, ":": 0.1, "—": 0.1, ".": 0.25, "!": 0.25, "?": 0.25, "…": 0.25, "।": 0.25}
"""Seconds of silence beyond the gap between words, at speed 1.0, after a word that ends in this."""
_CLOSERS = "\"')]}»”’"

ESPEAK_VOICES = {
    "avery": "en-us+f3",
    "sophia": "en-us+f2",
    "meher": "en-gb+f4",
    "maithili": "en-gb+f1",
    "liam": "en-us+m3",
    "magnus": "en-us+m7",
    "kartik": "en-gb+m1",
    "devansh": "en-gb+m4",
}
"""The provider's best known voices."""
_OTHERS = tuple(
    f"{accent}+{variant}"
    for accent in ("en-us", "en-gb", "en-gb-scotland")
    for variant in ("m2", "f5", "m5", "belinda", "m6", "linda", "m8")
)
"""For every other name, callers' too: none of them is a provider's voice."""
_ESPEAK_VOICE = re.compile(r"(hi|en(-us|-us-nyc|-gb|-gb-scotland|-gb-x-rp|-029)?)\+[a-z]\w*", re.ASCII)
_HINDI = re.compile("[\u0900-\u097f]")


def default_voice_name() -> str:
    """Return "espeak" where the extra `demo` is installed, else "tone"."""
    return "espeak" if find_spec("espeakng_loader") and find_spec("samplerate") else "tone"


def voice_named(name: str | None) -> Voice:
    """Return the voice "tone" or "espeak"; for None, whichever can be had.

    Raises SettingsError for another name, and where the extra is missing.
    """
    name = name or default_voice_name()
    if name == "tone":
        return _tone
    if name == "espeak":
        return _espeak()
    raise SettingsError(f"voice = {name!r}: there is no such voice, only espeak and tone")


# --- espeak ---


def espeak_voice(text: str, voice: str) -> str:
    """Return the voice of espeak for `voice`, in Hindi where `text` is; espeak's own ("en-gb+f2") play themselves."""
    chosen = voice if _ESPEAK_VOICE.fullmatch(voice) else ESPEAK_VOICES.get(voice) or _other(voice)
    return "hi+" + chosen.partition("+")[2] if _HINDI.search(text) else chosen


def _other(voice: str) -> str:
    return _OTHERS[crc32(voice.encode(errors="replace")) % len(_OTHERS)]


def _espeak() -> Voice:
    speaker = Espeak()
    lane = trio.CapacityLimiter(1)  # the library keeps one global state

    async def speak(wanted: Wanted) -> Spoken:
        def work() -> Spoken:
            voice = espeak_voice(wanted.text, wanted.voice)
            return speaker.speak(wanted.text, voice=voice, rate=wanted.rate, speed=wanted.speed)

        return _padded(await trio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=lane))

    return speak


def _padded(spoken: Spoken) -> Spoken:
    lead, tail = silence(LEAD_SECONDS, spoken.rate), silence(TAIL_SECONDS, spoken.rate)
    shift = len(lead) / (SAMPLE_BYTES * spoken.rate)
    words = tuple((offset, length, start + shift, end + shift) for offset, length, start, end in spoken.words)
    return Spoken(lead + spoken.pcm + tail, spoken.rate, words)


# --- tone ---


async def _tone(wanted: Wanted) -> Spoken:
    return tone(wanted.text, voice=wanted.voice, rate=wanted.rate, speed=wanted.speed)


def tone(text: str, *, voice: str, rate: int, speed: float = 1.0) -> Spoken:
    """Return each word of `text` as one burst, as long as its characters take, at the pitch of `voice`.

    A space is silence (67 ms at speed 1.0), punctuation adds a pause, what has no letters (a dash) is a pause only.
    """
    lead = round(LEAD_SECONDS * rate)
    plan = list(_bursts(text, rate=rate, speed=speed))
    spoken_until = plan[-1][2] if plan else 0
    samples = np.zeros(lead + spoken_until + round(TAIL_SECONDS * rate), "<i2")
    words = []
    for (offset, size), start, end in plan:
        samples[lead + start : lead + end] = _burst(end - start, pitch=_pitch(voice), rate=rate)
        words.append((offset, size, (lead + start) / rate, (lead + end) / rate))
    return Spoken(samples.tobytes(), rate, tuple(words))


def _bursts(text: str, *, rate: int, speed: float) -> Iterator[tuple[tuple[int, int], int, int]]:
    """Yield ((offset, length), first sample, sample after the last) of each word that sounds."""
    character = rate / (CHARACTERS_PER_SECOND * speed)
    at = 0.0
    for match in re.finditer(r"\S+", text):
        word = match.group()
        if any(unicodedata.category(letter)[0] in "LMNS" for letter in word):
            end = at + len(word) * character
            yield (match.start(), len(word)), round(at), round(end)
            at = end + character
        at += _PAUSES.get(word.rstrip(_CLOSERS)[-1:], 0.0) * rate / speed


def _burst(length: int, *, pitch: int, rate: int) -> Samples:
    wave = _wave(pitch, rate)
    burst = wave[:length].copy() if length <= len(wave) else np.resize(wave, length)  # which copies all of the wave
    ramp = _ramp(rate)[: length // 2]
    burst[: len(ramp)] = burst[: len(ramp)] * ramp
    burst[length - len(ramp) :] = burst[length - len(ramp) :] * ramp[::-1]
    return burst


@lru_cache(maxsize=64)
def _wave(pitch: int, rate: int) -> Samples:
    """Return one second of the tone; a pitch in whole Hz makes it repeat without a click."""
    phase = 2 * np.pi * pitch * np.arange(rate) / rate
    return np.rint(PEAK * 32767 * np.sin(phase)).astype("<i2")


@lru_cache(maxsize=8)
def _ramp(rate: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.linspace(0, 1, round(RAMP_SECONDS * rate), dtype=np.float32)


def _pitch(voice: str) -> int:
    """Return 140 to 437 Hz, the same for the same name everywhere."""
    return 140 + 3 * (crc32(voice.encode(errors="replace")) % 100)

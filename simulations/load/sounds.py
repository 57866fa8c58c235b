"""What callers say as frames of a carrier, made once and shared by all calls; when it is said is script.py's."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from random import Random

import numpy as np
from attrs import define, field

from orchestrator.errors import SettingsError
from simulations.carriers.carrier import Carrier, Payload
from simulations.carriers.playback import sounding_spans
from simulations.load.scenario import SPOKEN, LoadScenario, TurnPlan
from simulations.voices import CHARACTERS_PER_SECOND, Wanted, tone, voice_named

_VARIANTS = 4
"""How many different ways of saying each turn there are, in different voices."""
_LETTERS = "etaoinshrdlu"
Said = Sequence[Payload]
"""Frames of 20 ms, the first and the last of which sound."""


@define
class Sounds:
    """What each turn says, by its place in the scenario, in several variants."""

    _said: dict[int, list[Said]] = field(factory=dict)

    def of(self, turn: int, *, variant: int) -> Said:
        """Return the frames of one turn."""
        said = self._said[turn]
        return said[variant % len(said)]


async def render(scenario: LoadScenario, carrier: Carrier, *, path: Path, rng: Random) -> Sounds:
    """Make all that is said; `carrier` lends its encoding, `path` is the scenario's file, its recordings lie beside it.

    Raises SettingsError, which names file and turn, for what can't be used.
    """
    sounds: dict[int, list[Said]] = {}
    for place, turn in enumerate(scenario.turns):
        if turn.kind in SPOKEN:
            variants = 1 if turn.wav else _VARIANTS
            try:
                pcm = [
                    await _pcm(turn, scenario, carrier=carrier, folder=path.parent, rng=rng) for _ in range(variants)
                ]
                sounds[place] = [_frames(each, carrier) for each in pcm]
            except SettingsError as error:
                raise SettingsError(f"{path}: turns[{place}].{turn.kind}: {error}") from None
    return Sounds(sounds)


async def _pcm(turn: TurnPlan, scenario: LoadScenario, *, carrier: Carrier, folder: Path, rng: Random) -> bytes:
    if turn.wav:
        return _recording(folder / turn.wav, rate=carrier.rate)
    name = f"caller-{rng.randrange(1000)}"
    if turn.say:
        pcm = tone(_words(turn.say, rng), voice=name, rate=carrier.rate).pcm
        return _trimmed(pcm, carrier.rate)[: 2 * round(turn.say * carrier.rate)]
    spoken = await voice_named(scenario.voice)(Wanted(text=turn.text, voice=name, rate=carrier.rate))
    return spoken.pcm


def _words(seconds: float, rng: Random) -> str:
    """Return words of 2 to 7 letters that take at least so long."""
    text = ""
    while len(text) < (seconds + 0.5) * CHARACTERS_PER_SECOND:
        text += "".join(rng.choices(_LETTERS, k=rng.randint(2, 7))) + " "
    return text


def _frames(pcm: bytes, carrier: Carrier) -> Said:
    pcm = _trimmed(pcm, carrier.rate)
    if not pcm:
        raise SettingsError("there is nothing to be heard in it")
    size = carrier.frame_bytes
    return [carrier.payload(pcm[start : start + size].ljust(size, b"\0")) for start in range(0, len(pcm), size)]


def _trimmed(pcm: bytes, rate: int) -> bytes:
    """Return the sound without the silence before and after it: its times are measured by its frames."""
    spans = sounding_spans(pcm, rate)
    return pcm[2 * round(spans[0][0] * rate) : 2 * round(spans[-1][1] * rate)] if spans else b""


def _recording(path: Path, *, rate: int) -> bytes:
    """Return the sound of a WAV file at the wire's rate. Raises SettingsError."""
    try:
        with wave.open(str(path), "rb") as file:
            shape, native = (file.getsampwidth(), file.getnchannels()), file.getframerate()
            pcm = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise SettingsError(f"{path}: {getattr(error, 'strerror', None) or error or 'no WAV file'}") from None
    if shape != (2, 1):
        raise SettingsError(f"{path}: {8 * shape[0]} bit, {shape[1]} channels; expected 16 bit and one channel")
    return pcm if native == rate else _resampled(path, pcm, native=native, rate=rate)


def _resampled(path: Path, pcm: bytes, *, native: int, rate: int) -> bytes:
    try:
        samplerate = import_module("samplerate")
    except ImportError:
        told = f"{path}: {native} samples a second, the line has {rate}; resampling needs the extra demo"
        raise SettingsError(told) from None
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    converted = samplerate.resample(samples, rate / native, "sinc_fastest")
    return bytes(np.clip(np.rint(converted), -32768, 32767).astype("<i2").tobytes())

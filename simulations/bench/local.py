"""Measures what the voices of this machine cost, a second of speech; those that are not installed are left out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.adapters.voices.local import ESPEAK, installed_voice
from orchestrator.audio import seconds_of
from orchestrator.lanes import InlineLane
from simulations.bench.figures import Figure, Tell, least_seconds

RATE = 8000
_TEXT = "One of the doctors is free on Tuesday at half past ten."
_TRIES = 5
_LIMITS = {ESPEAK: 20.0}
_LIMIT = 300.0
"""Milliseconds: a core keeps up with three calls whose bots all speak at once, with espeak-ng with fifty."""


def measure(tell: Tell) -> Iterator[Figure]:
    """Yield the processor time of each voice for a second of its speech, once it is loaded."""
    local = installed_voice("auto", InlineLane())
    if local is None:
        tell("no voice is installed")
        return
    for voice in local.voices:
        tell(voice.name)
        speak = partial(voice.speaker.speak, _TEXT, voice=voice.languages["en"], rate=RATE)
        seconds = seconds_of(speak().pcm, RATE)
        cost = least_seconds([speak] * _TRIES) / seconds * 1000
        name, limit = f"a second of speech of {voice.name}", _LIMITS.get(voice.name, _LIMIT)
        yield Figure(bench="local", name=name, value=cost, unit="ms", limit=limit)

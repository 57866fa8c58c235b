"""What a phrase is, and the key under which it is kept: all that shapes its sound; where it is kept is cache.py's."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import attrs
from attrs import field, frozen
from attrs.validators import and_, deep_iterable, ge, instance_of

from orchestrator.audio import SAMPLE_BYTES, seconds_of, sounding
from orchestrator.settings import Settings

_INEXACT = 0.001
"""Seconds by which a word may end after its sound does: times are rounded."""

_text = field(validator=instance_of(str))

PhraseWord = tuple[int, str, float, float]
"""A word's index and spelling as the provider told them, and its start and end in seconds of the phrase's sound."""


@frozen(kw_only=True)
class PhraseKey:
    """All that decides how a phrase sounds. `trimming` is the silence left before it, and after its parts' ends."""

    provider: str = field(default="waves", validator=instance_of(str))
    address: str = _text
    model: str = _text
    voice: str = _text
    language: str = _text
    speed: float = field(validator=instance_of(float))
    dictionaries: tuple[str, ...] = field(validator=deep_iterable(instance_of(str), instance_of(tuple)))
    rate: int = field(validator=and_(instance_of(int), ge(1)))
    format: str = field(default="pcm_s16le", validator=instance_of(str))
    trimming: tuple[float, ...] = field(validator=deep_iterable(instance_of(float), instance_of(tuple)))
    text: str = _text

    @classmethod
    def of(cls, settings: Settings, *, voice: str, language: str, speed: float, rate: int, text: str) -> PhraseKey:
        """Return the key of `text` in this voice, at `rate` samples a second, as these settings have it spoken."""
        provider, speech = settings.provider, settings.speech
        return cls(
            address=provider.address,
            model=provider.model,
            voice=voice,
            language=language,
            speed=float(speed),
            dictionaries=provider.dictionaries,
            rate=rate,
            trimming=tuple(map(float, (speech.pause_before, speech.pause_comma, speech.pause_sentence))),
            text=text,
        )

    @property
    def digest(self) -> str:
        """The SHA-256 of the key's canonical JSON, in hexadecimal."""
        return hashlib.sha256(canonical_json(attrs.asdict(self))).hexdigest()


def canonical_json(body: dict[str, Any]) -> bytes:
    """Return the one spelling of `body`, in ASCII: whatever a bot says can be written so, lone surrogates too."""
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode("ascii")


def _size(pcm: bytes) -> str:
    return f"({len(pcm)} bytes)"


def _whole_samples(_phrase: Phrase, _attribute: attrs.Attribute[bytes], pcm: bytes) -> None:  # attrs' signature
    if len(pcm) % SAMPLE_BYTES:
        raise ValueError("half a sample")


def _in_the_sound(phrase: Phrase, _attribute: attrs.Attribute[Any], words: Any) -> None:  # attrs' signature
    for index, word, start, end in words:
        if type(index) is not int or type(word) is not str or not (math.isfinite(start) and math.isfinite(end)):
            raise ValueError("no word with its times")
        if not 0 <= start <= end <= phrase.seconds + _INEXACT:
            raise ValueError("a word outside of the sound")


@frozen(kw_only=True)
class Phrase:
    """A phrase's sound as it is played (mono, 16 bit, trimmed), and when its words sound where the provider told.

    Raises ValueError or TypeError for what can be none.
    """

    pcm: bytes = field(validator=and_(instance_of(bytes), _whole_samples), repr=_size)
    rate: int = field(validator=and_(instance_of(int), ge(1)))
    words: tuple[PhraseWord, ...] = field(default=(), validator=and_(instance_of(tuple), _in_the_sound))

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return seconds_of(self.pcm, self.rate)

    @property
    def silent(self) -> bool:
        """Whether nothing of it can be heard."""
        return not sounding(self.pcm, self.rate).any()

"""Owns espeak-ng, the small voice of this machine: text to sound with word times, in the voice it is told.

The library (extra `demo`, from the espeakng-loader wheel) keeps one global state and crashes when two threads enter it:
whoever calls from threads runs a lane of one, and a lock of the process stands behind that.
"""

from __future__ import annotations

import ctypes
import re
import threading  # a lane may abandon a call that still runs in C: only a real lock keeps the next one out
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from functools import cache
from importlib import import_module
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
from attrs import define, field, frozen

from orchestrator.audio import Samples, sounding, window_samples
from orchestrator.errors import FaultKind, ProviderFault, SettingsError
from orchestrator.ports import Spoken

WORDS_PER_MINUTE = 150
"""espeak's rate for speed 1.0: 15 characters of plain English a second (measured; its own default, 175, makes 17)."""

# From espeak-ng's speak_lib.h.
_SYNCHRONOUS, _PHONEME_EVENTS, _NO_EXIT = 2, 1, 0x8000
_POSITION_CHARACTER, _UTF8 = 1, 1
_RATE = 1
_LIST_END, _WORD = 0, 1
_SLOWEST, _FASTEST = 80, 450

_ALIASES = {"en-gb": "en", "no": "nb", "zh": "cmn"}
"""Names that espeak's voices do not have, and the voice that speaks each."""

_JOINERS = "\u200c\u200d"
"""Format characters that Hindi spelling needs; every other one is read as a space."""


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@frozen
class _Raw:
    """What the library gave: sound at its own rate, and (character offset, sample) of each word it announced."""

    samples: Samples
    rate: int
    onsets: tuple[tuple[int, int], ...]


@define
class _Library:
    """The loaded library; one per process."""

    _clib: Any
    _rate: int
    _lock: threading.Lock = field(factory=threading.Lock)
    _sound: list[bytes] = field(factory=list)
    _onsets: list[tuple[int, int]] = field(factory=list)
    _callback: Callable[..., int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        # kept here: C holds no reference to it
        self._callback = _Callback(lambda samples, count, events: self._receive(_copied(samples, count), events))
        self._clib.espeak_SetSynthCallback(self._callback)

    def synthesise(self, text: str, *, voice: str, words_per_minute: int) -> _Raw:
        """Return `text`, free of controls, as sound. Raises ProviderFault for a voice that does not exist."""
        encoded = text.encode()
        with self._lock:
            self._sound.clear()
            self._onsets.clear()
            if self._clib.espeak_SetVoiceByName(voice.encode()):
                raise ProviderFault(FaultKind.REQUEST, f"espeak-ng has no voice {voice!r}")
            self._clib.espeak_SetParameter(_RATE, words_per_minute, 0)
            self._clib.espeak_Synth(encoded, len(encoded) + 1, 0, _POSITION_CHARACTER, 0, _UTF8, None, None)
            samples = np.frombuffer(b"".join(self._sound), dtype=np.int16)
            return _Raw(samples, self._rate, tuple(self._onsets))

    def _receive(self, sound: bytes, events: Any) -> int:
        self._sound.append(sound)
        index = 0
        while (event := events[index]).type != _LIST_END:
            if event.type == _WORD:
                self._onsets.append((event.text_position - 1, event.sample))
            index += 1
        return 0


def _copied(samples: Any, count: int) -> bytes:
    """Return what C lends for the time of a callback; the last one lends nothing."""
    return ctypes.string_at(samples, count * 2) if samples and count > 0 else b""


@define
class Espeak:
    """A ports.Speaker over espeak-ng. Raises SettingsError, naming the extra, where that is not installed."""

    _library: _Library = field(init=False)
    _resampling: ModuleType = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._resampling = _extra("samplerate")
        self._library = _load()

    def speak(self, text: str, *, voice: str = "en-us", rate: int = 16000, speed: float = 1.0) -> Spoken:
        """Return `text` as sound at `rate` samples a second, with the words (split at white space) that sound in it.

        `voice` is a language, with a variant if wanted: "en-us", "en-gb+f3", "hi+m2". Any text will do: controls and
        lone surrogates are read as spaces. A word's times hug its sound to a window of 5 ms; words that espeak runs
        into one ("of the") share its time by their letters. Raises ProviderFault(REQUEST) for an unknown voice.
        """
        language, plus, variant = voice.partition("+")
        raw = self._library.synthesise(
            speakable(text),
            voice=_ALIASES.get(language, language) + plus + variant,
            words_per_minute=min(_FASTEST, max(_SLOWEST, round(WORDS_PER_MINUTE * speed))),
        )
        return Spoken(self._resampled(raw, rate), rate, _word_times(text, raw))

    def _resampled(self, raw: _Raw, rate: int) -> bytes:
        if rate == raw.rate or not len(raw.samples):
            return raw.samples.tobytes()
        wave = self._resampling.resample(raw.samples.astype(np.float32), rate / raw.rate, "sinc_fastest")
        samples: Samples = np.clip(np.rint(wave), -32768, 32767).astype("<i2")
        return samples.tobytes()


def speakable(text: str) -> str:
    """Return `text` with a space for each character that no voice can read: same length, so that offsets still hold."""
    return "".join(
        " " if unicodedata.category(character)[0] == "C" and character not in _JOINERS else character
        for character in text
    )


@cache
def _load() -> _Library:
    loader = _extra("espeakng_loader")
    path = loader.get_data_path()
    clib = ctypes.CDLL(loader.get_library_path())
    rate = clib.espeak_Initialize(_SYNCHRONOUS, 200, path.encode(), _NO_EXIT | _PHONEME_EVENTS)
    if rate <= 0:
        raise SettingsError(f"espeak-ng cannot read its data at {path} (it takes paths of up to 150 characters)")
    return _Library(clib, rate)


def _extra(module: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError as error:
        reason = f"the voice espeak needs the extra demo ({error}): pip install 'talkingstick[demo]', or choose another"
        raise SettingsError(reason) from error


_Span = tuple[int, int]
_Word = tuple[int, int, float, float]


def _word_times(text: str, raw: _Raw) -> tuple[_Word, ...]:
    """Return (offset, length, start s, end s) of the words of `text` that sound."""
    tokens = [match.span() for match in re.finditer(r"\S+", text)]
    bounds = sorted(_onsets_by_token(text, tokens, onsets=raw.onsets).items())
    bounds.append((len(tokens), len(raw.samples)))
    words: list[_Word] = []
    for (token, start), (following, end) in pairwise(bounds):
        merged = [tokens[token], *(span for span in tokens[token + 1 : following] if _letters(text, span))]
        shares = pairwise(_shares([_letters(text, span) for span in merged], _hugged(raw, (start, end))))
        for (first, last), share in zip(merged, shares, strict=True):
            sounds = _hugged(raw, share)
            words.append((first, last - first, sounds[0] / raw.rate, sounds[1] / raw.rate))
    return tuple(words)


def _onsets_by_token(text: str, tokens: list[_Span], *, onsets: tuple[tuple[int, int], ...]) -> dict[int, int]:
    """Return the sample at which each token is announced first; espeak may name the dash before a word for the word."""
    found: dict[int, int] = {}
    starts, latest = [start for start, _ in tokens], 0
    for position, sample in onsets:
        latest = max(latest, bisect_right(starts, position) - 1)
        found.setdefault(latest, sample)
    for token in sorted(found):
        if token + 1 < len(tokens) and token + 1 not in found and not _letters(text, tokens[token]):
            found[token + 1] = found.pop(token)
    return found


def _letters(text: str, span: _Span) -> int:
    return sum(character.isalnum() for character in text[slice(*span)])


def _hugged(raw: _Raw, within: _Span) -> _Span:
    """Return the samples `within` from their first sound to their last, or all of them if none sounds.

    The windows begin at the onset itself, so that the next word's first sound never counts as this one's last.
    """
    start, end = within
    sounds = np.flatnonzero(sounding(raw.samples[start:end].tobytes(), raw.rate))
    if len(sounds):
        width = window_samples(raw.rate)
        start, end = start + int(sounds[0]) * width, min(end, start + (int(sounds[-1]) + 1) * width)
    return start, end


def _shares(weights: list[int], whole: _Span) -> list[int]:
    """Return the edges that share the samples of `whole` by weight."""
    start, end = whole
    parts = np.cumsum([0, *(max(1, weight) for weight in weights)])
    return [start + int((end - start) * part / parts[-1]) for part in parts]

"""Brings a stream of sound from one rate to another, in chunks of any size; that it need not be done is decided before.

`sinc_fastest` of libsamplerate holds back 2.5 ms, the streaming soxr 40 to 116 ms (facts/packages.md).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from orchestrator.audio import to_samples

_FULL_SCALE = 32768.0


class Resampler:
    """One direction of one call. Raises ModuleNotFoundError where samplerate is not installed."""

    def __init__(self, *, source: int, target: int) -> None:
        self._ratio = target / source
        self._library: Any = import_module("samplerate")  # only who needs it needs it installed
        self._stream = self._new()

    def feed(self, pcm: bytes, *, last: bool = False) -> bytes:
        """Return the sound that is ready; with `last` all of it, and what follows is another spurt."""
        wave = to_samples(pcm).astype(np.float32) / _FULL_SCALE
        out = self._stream.process(wave, self._ratio, end_of_input=last)
        if last:
            self._stream = self._new()
        scaled = np.clip(np.rint(np.asarray(out) * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1)
        return scaled.astype("<i2").tobytes()

    def clear(self) -> None:
        """Forget what was held back."""
        self._stream = self._new()

    def _new(self) -> Any:
        return self._library.Resampler("sinc_fastest", channels=1)


def resampler(*, source: int, target: int) -> Resampler | None:
    """Return what brings `source` samples a second to `target`; None where they are the same, as they usually are."""
    return None if source == target else Resampler(source=source, target=target)

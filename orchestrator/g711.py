"""G.711, how telephony carries sound: 16 bit PCM to and from one byte a sample, by either of its two laws; and how loud
such sound is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Literal

with warnings.catch_warnings():
    # Deprecated on 3.11 and 3.12, gone from 3.13 on, where audioop-lts brings it back under the same name.
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import audioop

from orchestrator.audio import SAMPLE_BYTES

Law = Literal["ulaw", "alaw"]
"""Mu-law (North America, Japan) or A-law (elsewhere)."""

_Convert = Callable[[bytes, int], bytes]
_ENCODERS: Mapping[Law, _Convert] = {"ulaw": audioop.lin2ulaw, "alaw": audioop.lin2alaw}
_DECODERS: Mapping[Law, _Convert] = {"ulaw": audioop.ulaw2lin, "alaw": audioop.alaw2lin}


def encode(pcm: bytes, law: Law) -> bytes:
    """Return one byte for each sample of `pcm` (16 bit, little endian, whole samples)."""
    return _ENCODERS[law](pcm, SAMPLE_BYTES)


def decode(data: bytes, law: Law) -> bytes:
    """Return the 16 bit samples that `data` stands for, one for each byte."""
    return _DECODERS[law](data, SAMPLE_BYTES)


def level(pcm: bytes) -> int:
    """Return the root mean square of the samples, rounded down: of a frame of 20 ms for a seventh of NumPy's cost."""
    return audioop.rms(pcm, SAMPLE_BYTES)

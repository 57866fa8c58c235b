"""G.711 mu-law by table, worked out from the recommendation: not what the program uses."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

_BIAS, _CLIP = 0x84, 32635


def to_ulaw(pcm: bytes) -> bytes:
    """Return one byte for each 16 bit sample, little endian."""
    found: bytes = _encoding()[np.frombuffer(pcm, "<u2")].tobytes()
    return found


def from_ulaw(data: bytes) -> bytes:
    """Return a 16 bit sample, little endian, for each byte."""
    return decoding()[np.frombuffer(data, np.uint8)].tobytes()


@cache
def decoding() -> NDArray[np.int16]:
    """Return the sample that each of the 256 bytes stands for."""
    code = ~np.arange(256, dtype=np.uint8)
    size = ((((code & 0x0F).astype(np.int32) << 3) + _BIAS) << ((code >> 4) & 0x07)) - _BIAS
    return np.where(code & 0x80, -size, size).astype("<i2")


@cache
def _encoding() -> NDArray[np.uint8]:
    """Return the byte for each of the 65536 samples, by their bits taken as unsigned."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    size = np.minimum(np.abs(sample), _CLIP) + _BIAS
    segment = np.floor(np.log2(size)).astype(np.int32) - 7
    code = np.where(sample < 0, 0x80, 0) | segment << 4 | (size >> (segment + 3)) & 0x0F
    found: NDArray[np.uint8] = np.bitwise_not(code.astype(np.uint8))
    return found

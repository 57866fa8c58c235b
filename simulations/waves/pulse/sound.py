"""Turns what a client sends into sound: PCM of 16 bit from any of the encodings, and WAV files; pure."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Mapping

import numpy as np
from attrs import define, field

from orchestrator import g711
from orchestrator.audio import to_samples

_BYTES = {"linear16": 2, "linear32": 4, "alaw": 1, "mulaw": 1}
_LOWEST_RATE = 4000


class NotWav(Exception):
    """The recording is no WAV file of plain samples."""


def _from_32_bit(data: bytes) -> bytes:
    return (np.frombuffer(data, "<i4") >> 16).astype("<i2").tobytes()


_DECODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "linear16": bytes,
    "linear32": _from_32_bit,
    "alaw": lambda data: g711.decode(data, "alaw"),
    "mulaw": lambda data: g711.decode(data, "ulaw"),
}


@define
class Decoder:
    """One stream of an encoding: "linear16", "linear32" (little endian integers), "alaw" or "mulaw"."""

    _encoding: str
    _rest: bytes = field(default=b"", init=False)

    def decode(self, data: bytes) -> bytes:
        """Return the PCM of the next bytes; part of a sample waits for the rest of it."""
        data = self._rest + data
        whole = len(data) - len(data) % _BYTES[self._encoding]
        self._rest = data[whole:]
        return _DECODERS[self._encoding](data[:whole])


def read_wav(data: bytes) -> tuple[bytes, int]:
    """Return the PCM of a WAV file of 16 or 32 bit, mixed down to one channel, and its rate. Raises NotWav."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError, OSError, RuntimeError) as error:  # RuntimeError: a chunk that ends before it begins
        raise NotWav(str(error) or "the file ends too soon") from error
    if width not in (2, 4) or rate < _LOWEST_RATE:
        raise NotWav(f"{8 * width} bit at {rate} Hz is not supported by this simulation")
    pcm = Decoder("linear16" if width == 2 else "linear32").decode(frames)
    if channels > 1:
        samples = to_samples(pcm)
        pcm = samples[: len(samples) // channels * channels].reshape(-1, channels).mean(1).astype("<i2").tobytes()
    return pcm, rate

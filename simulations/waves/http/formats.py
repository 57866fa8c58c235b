"""Puts sound into the forms in which it is sent over plain HTTP; which of them a request asks for is asks.py's.

MP3 needs the extra `mp3` (lameenc); everything else is at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import Any
from wave import open as open_wave

from attrs import define, field

from orchestrator.audio import SAMPLE_BYTES
from orchestrator.g711 import Law, encode
from simulations.waves.checks import OUTPUT_FORMATS

MP3_KBPS = 128
"""Seen live, of sound with 24000 samples a second; LAME takes less where a rate allows only less."""
_MP3_QUALITY = 7
"""LAME's fastest: the loop that serves everybody waits for it."""

_LAWS: Mapping[str, Law] = {"ulaw": "ulaw", "alaw": "alaw"}


@cache
def kept_formats() -> tuple[str, ...]:
    """Return the formats that can be made here: mp3 only where its encoder is installed."""
    return tuple(name for name in OUTPUT_FORMATS if name != "mp3" or find_spec("lameenc"))


@define
class Body:
    """The body of one answer: chunks of PCM go in as they are made, `whole` is what they are sent as."""

    output_format: str
    rate: int
    """Samples a second."""
    _data: bytearray = field(factory=bytearray, init=False)
    """One block: it is given back whole, where thousands of chunks would leave holes."""
    _mp3: Any = field(init=False)

    @_mp3.default
    def _encoder(self) -> Any:
        return _mp3_encoder(self.rate) if self.output_format == "mp3" else None

    def add(self, pcm: bytes) -> None:
        """Take a chunk of 16 bit PCM; it is encoded at once, so that the end of a long sound is no stop for others."""
        if self._mp3 is not None:
            pcm = bytes(self._mp3.encode(pcm))
        elif law := _LAWS.get(self.output_format):
            pcm = encode(pcm, law)
        self._data += pcm

    def put(self, data: bytes) -> None:
        """Take bytes that are no sound, as they are."""
        self._data += data

    def whole(self) -> bytes:
        """Return all of it, once."""
        if self._mp3 is not None:
            with suppress(RuntimeError):  # no sound went in
                self._data += self._mp3.flush()
        return _wav(self._data, self.rate) if self.output_format == "wav" else bytes(self._data)


def _wav(pcm: bytearray, rate: int) -> bytes:
    file = BytesIO()
    with open_wave(file, "wb") as wave:
        wave.setnchannels(1)
        wave.setsampwidth(SAMPLE_BYTES)
        wave.setframerate(rate)
        wave.writeframes(pcm)
    return file.getvalue()


def _mp3_encoder(rate: int) -> Any:
    encoder = import_module("lameenc").Encoder()
    encoder.silence()
    encoder.set_in_sample_rate(rate)
    encoder.set_channels(1)
    encoder.set_bit_rate(MP3_KBPS)
    encoder.set_quality(_MP3_QUALITY)
    return encoder

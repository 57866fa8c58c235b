"""The forms of sound over plain HTTP: each is as long as what went in, whatever pieces it went in by."""

from __future__ import annotations

import io
import math
import wave
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.g711 import Law, decode, encode
from simulations.waves.checks import OUTPUT_FORMATS, RATES
from simulations.waves.http import formats
from simulations.waves.http.formats import MP3_KBPS, Body, kept_formats

installed = pytest.mark.skipif(not find_spec("lameenc"), reason="the extra mp3 is not installed")
PIECES = st.lists(st.binary(max_size=400).map(lambda data: data[: len(data) // 2 * 2]), max_size=8)

MPEG_RATES = {0: 44100, 1: 48000, 2: 32000}
"""By the index in a frame's head, of MPEG 1; MPEG 2 has half of it, MPEG 2.5 a quarter."""
KBPS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By the index in a frame's head, layer III of MPEG 1 and of the other two."""


def body_of(output_format: str, pieces: list[bytes], *, rate: int = 8000) -> bytes:
    """Return what the pieces are sent as."""
    body = Body(output_format, rate)
    for piece in pieces:
        body.add(piece)
    return body.whole()


def mp3_frames(data: bytes) -> list[tuple[int, int, int]]:
    """Return (samples a second, samples, kbit/s) of every frame; all bytes must belong to one."""
    frames = []
    while data:
        assert data[0] == 0xFF
        assert data[1] & 0xE6 == 0xE2, "layer III"
        divisor = {3: 1, 2: 2, 0: 4}[data[1] >> 3 & 3]
        kbps = KBPS[min(divisor, 2)][data[2] >> 4]
        rate, samples = MPEG_RATES[data[2] >> 2 & 3] // divisor, 1152 if divisor == 1 else 576
        assert data[3] >> 6 == 3, "mono"
        frames.append((rate, samples, kbps))
        data = data[samples // 8 * kbps * 1000 // rate + (data[2] >> 1 & 1) :]
    return frames


@given(PIECES)
def test_pcm_is_what_went_in_and_nothing_else(pieces: list[bytes]) -> None:
    """Headerless, as the provider's default."""
    assert body_of("pcm", pieces) == b"".join(pieces)


@given(PIECES, st.sampled_from(RATES))
def test_wav_says_what_it_holds(pieces: list[bytes], rate: int) -> None:
    """RIFF, mono, 16 bit, sizes that are right: somebody else's reader finds the same sound."""
    data = body_of("wav", pieces, rate=rate)
    assert data.startswith(b"RIFF" + (len(data) - 8).to_bytes(4, "little") + b"WAVE")
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, rate)
        assert file.readframes(file.getnframes()) == b"".join(pieces)


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
@given(pieces=PIECES)
def test_the_laws_have_a_byte_a_sample(law: Law, pieces: list[bytes]) -> None:
    """As G.711 makes it of the whole."""
    data, pcm = body_of(law, pieces), b"".join(pieces)
    assert data == encode(pcm, law)
    assert len(decode(data, law)) == len(pcm)


@installed
@pytest.mark.parametrize("rate", [*RATES, 11025, 10000])
@pytest.mark.parametrize("seconds", [0.0, 0.02, 1.0, 2.5])
def test_mp3_is_as_long_as_its_sound(rate: int, seconds: float) -> None:
    """Frame by frame: all of the sound and at most four frames of the encoder's delay; no frame where there is none."""
    pcm = (8000 * np.sin(np.arange(round(seconds * rate)) / 5)).astype("<i2").tobytes()
    frames = mp3_frames(body_of("mp3", [pcm[at : at + 320] for at in range(0, len(pcm), 320)], rate=rate))
    length = math.fsum(samples / made for made, samples, _ in frames)
    assert {made for made, _, _ in frames} <= {rate, 11025 if rate == 10000 else rate}
    if frames:
        _, samples, _ = frames[0]
        assert seconds <= length <= seconds + 4 * samples / rate
    else:
        assert seconds == 0.0


@installed
def test_mp3_begins_as_that_of_the_provider() -> None:
    """Seen live at 24000 samples a second: a frame head of layer III with 128 kbit/s, mono."""
    data = body_of("mp3", [bytes(48000)], rate=24000)
    assert data[:4].hex() == "fff3c4c4"
    assert {kbps for _, _, kbps in mp3_frames(data)} == {MP3_KBPS}


def test_only_mp3_needs_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its encoder the others are left, in their order."""
    for there in (True, False):
        monkeypatch.setattr(formats, "find_spec", lambda _name, there=there: there or None)
        kept_formats.cache_clear()
        assert kept_formats() == (OUTPUT_FORMATS if there else ("wav", "ulaw", "alaw", "pcm"))
    kept_formats.cache_clear()


@pytest.mark.parametrize(
    "output_format", [pytest.param(name, marks=installed if name == "mp3" else ()) for name in OUTPUT_FORMATS]
)
def test_bytes_that_are_no_sound_pass_as_they_are(output_format: str) -> None:
    """A fault puts them in; nothing else breaks, also where there is no sound at all."""
    body = Body(output_format, 8000)
    body.put(b"\xff\x00nonsense")
    assert b"\xff\x00nonsense" in body.whole()

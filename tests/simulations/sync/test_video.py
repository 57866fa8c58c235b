"""The video file that the simulated service makes."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from simulations.sync.video import tiny_mp4


def boxes(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the kind and the body of each box."""
    while data:
        size = struct.unpack(">I", data[:4])[0]
        yield data[4:8].decode(), data[8:size]
        data = data[size:]


@pytest.mark.parametrize("seconds", [0.0001, 7.5, 3600.0])
def test_it_is_as_long_as_it_is_to_be(seconds: float) -> None:
    """Its boxes fill the file, its head tells the length, and its one picture lies where its table says.

    That a decoder reads it was seen by hand (FFmpeg's libraries, through PyAV).
    """
    data = tiny_mp4(seconds)
    top = dict(boxes(data))
    assert list(top) == ["ftyp", "mdat", "moov"]
    movie = dict(boxes(top["moov"]))
    scale, length = struct.unpack(">2I", movie["mvhd"][12:20])
    assert length / scale == pytest.approx(seconds, abs=0.001)
    table = top["moov"][top["moov"].index(b"stco") + 4 :]
    (offset,) = struct.unpack(">I", table[8:12])
    assert data[offset : offset + len(top["mdat"])] == top["mdat"]

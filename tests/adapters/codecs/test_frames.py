"""Sound of any length becomes whole frames, and nothing of it is lost, added or mixed up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.telephony.codecs.frames import Frames, cut, frame_bytes, whole_samples


@given(st.lists(st.binary(max_size=900)), st.integers(1, 400))
def test_what_goes_in_comes_out_in_whole_frames(pieces: list[bytes], size: int) -> None:
    """Each take returns whole frames; with the last one filled up by zeros, the sound is that which went in."""
    frames = Frames(size)
    taken = [frames.take(piece) for piece in pieces]
    last = frames.fill()
    assert all(len(part) % size == 0 for part in (*taken, last))
    sound = b"".join(pieces)
    out = b"".join(taken) + last
    assert out.startswith(sound)
    assert len(out) - len(sound) < size
    assert not any(out[len(sound) :])
    assert frames.fill() == b""


def test_a_cleared_rest_is_gone() -> None:
    """Nothing of what was kept before a clear comes out after it."""
    frames = Frames(4)
    assert frames.take(b"123456") == b"1234"
    frames.clear()
    assert frames.fill() == b""
    assert frames.take(b"789") == b""


@given(st.binary(max_size=300), st.integers(1, 100))
def test_cutting_keeps_everything(data: bytes, size: int) -> None:
    """Parts of one size, the last perhaps shorter, joined are the whole."""
    parts = cut(data, size)
    assert b"".join(parts) == data
    assert all(len(part) == size for part in parts[:-1])


def test_a_frame_is_20_ms() -> None:
    """The sizes that Vonage and Asterisk document; half a sample is never kept."""
    assert [frame_bytes(rate) for rate in (8000, 16_000, 24_000, 44_100)] == [320, 640, 960, 1764]
    assert [whole_samples(data) for data in (b"", b"1", b"12", b"123")] == [b"", b"", b"12", b"12"]

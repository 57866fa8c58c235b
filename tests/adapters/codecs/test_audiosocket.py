"""AudioSocket: one stream of bytes in whatever chunks, header and payload together, the kind of its rate."""

from __future__ import annotations

import uuid
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.telephony.codecs.audiosocket import AudioSocketCodec
from orchestrator.errors import CarrierFault
from orchestrator.ports import Answered, CallFacts, CarrierEvent, Complaint, Ended, Key, Media

CALL = uuid.UUID("40325ec2-5efd-4bd3-805f-53576e581d13")
BEGIN = b"\x01\x00\x10" + CALL.bytes
KINDS = {8000: 0x10, 12_000: 0x11, 16_000: 0x12, 24_000: 0x13, 32_000: 0x14, 44_100: 0x15, 48_000: 0x16}
KINDS |= {96_000: 0x17, 192_000: 0x18}


def packed(kind: int, payload: bytes) -> bytes:
    """Return one message as Asterisk writes it."""
    return bytes([kind]) + len(payload).to_bytes(2, "big") + payload


def read(codec: AudioSocketCodec, data: bytes, cuts: list[int]) -> list[CarrierEvent]:
    """Return all that a stream means when it comes cut at these places."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [event for start, end in pairwise(places) for event in codec.receive(data[start:end])]


@given(st.lists(st.integers(0, 10_000), max_size=40))
def test_chunks_make_no_difference(cuts: list[int]) -> None:
    """A UUID, sound, a key, an error, a kind of the future, a short last frame and the end: the same however cut."""
    short = b"\5\0" * 15
    stream = BEGIN + packed(0x10, b"\1\0" * 160) + packed(0x03, b"#") + packed(0xFF, b"\4") + packed(0x42, bytes(90))
    stream += packed(0x10, short) + packed(0x10, b"") + packed(0x00, b"") + packed(0x10, short)
    assert read(AudioSocketCodec(), stream, cuts) == [
        Answered(CallFacts(str(CALL), leg="audiosocket")),
        Media(b"\1\0" * 160),
        Key("#"),
        Complaint("error 04"),
        Media(short),
        Ended("hang-up"),
    ]


@pytest.mark.parametrize("rate", KINDS)
def test_answers_have_the_kind_of_the_rate(rate: int) -> None:
    """One frame of 20 ms a message, with its length in big endian, the last filled up; what is kept can be cleared."""
    codec = AudioSocketCodec(rate=rate)
    frame = rate // 50 * 2
    sent = codec.media(b"\7" * (2 * frame + 10))
    assert sent == [packed(KINDS[rate], b"\7" * frame)] * 2
    assert codec.fill() == [packed(KINDS[rate], b"\7" * 10 + bytes(frame - 10))]
    codec.media(b"\7" * 10)
    assert codec.clear() == codec.fill() == codec.mark("a") == ()


def test_hanging_up_is_three_bytes() -> None:
    """Then the dialplan goes on, which is how a caller is handed over."""
    assert AudioSocketCodec().hang_up() == [b"\0\0\0"]
    assert AudioSocketCodec().transfer("100") is None


@pytest.mark.parametrize("data", [b"G", b"\x01\x00\x11", b"\x01\x01", packed(0x10, bytes(320)), "text"])
def test_what_is_no_audiosocket_is_refused_at_once(data: str | bytes) -> None:
    """The first byte that can't be tells, before any payload is waited for."""
    with pytest.raises(CarrierFault):
        AudioSocketCodec().receive(data)


def test_another_rate_than_the_lines_is_refused() -> None:
    """The reason names both; a rate that has no kind is refused from the start."""
    codec = AudioSocketCodec(rate=8000)
    codec.receive(BEGIN)
    with pytest.raises(CarrierFault, match="16000 samples a second, the line's rate is 8000"):
        codec.receive(packed(0x12, bytes(640)))
    with pytest.raises(CarrierFault, match="no 22050"):
        AudioSocketCodec(rate=22_050)

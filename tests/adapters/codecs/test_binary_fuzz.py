"""Whatever a peer sends, the binary codecs answer with events or CarrierFault, at once, and go on writing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.telephony.codecs.audiosocket import AudioSocketCodec
from orchestrator.adapters.telephony.codecs.chan_websocket import ChanWebSocketCodec
from orchestrator.adapters.telephony.codecs.generic import GenericCodec
from orchestrator.adapters.telephony.codecs.jambonz import JambonzCodec
from orchestrator.adapters.telephony.codecs.vonage import VonageCodec
from orchestrator.errors import CarrierFault
from orchestrator.ports import CarrierCodec, CarrierEvent, WireMessage
from tests.adapters.codecs.fuzz import conversations, survives

VONAGE: list[dict[str, Any]] = [
    {"event": "websocket:connected", "content-type": "audio/l16;rate=16000", "call": "c", "from": "1"},
    {"event": "websocket:dtmf", "digit": "5", "duration": 260},
    {"event": "websocket:dtmf", "dtmf": {"digit": "5"}},
    {"event": "websocket:notify", "payload": {"mark": "a-1"}},
    {"event": "websocket:cleared"},
]
JAMBONZ: list[dict[str, Any]] = [
    {"sampleRate": 8000, "mixType": "stereo", "callSid": "c", "from": "1", "to": "2"},
    {"event": "dtmf", "dtmf": "5", "duration": 1600},
    {"type": "mark", "data": {"name": "a-1", "event": "cleared"}},
    {"type": "playDone", "data": {"id": "1"}},
    {"type": "error", "error": "no"},
]
ASTERISK: list[dict[str, Any]] = [
    {
        "event": "MEDIA_START",
        "connection_id": "bot",
        "channel_id": "1.7",
        "format": "ulaw",
        "optimal_frame_size": 160,
        "channel_variables": {"from": "1"},
    },
    {"event": "DTMF_END", "channel_id": "1.7", "digit": "1"},
    {"event": "MEDIA_MARK_PROCESSED", "correlation_id": "a-1"},
    {"event": "MEDIA_XOFF"},
    {"event": "ERROR", "error_text": "no"},
]
GENERIC: list[dict[str, Any]] = [
    {"type": "start", "call": "c", "from": "1", "to": "2", "rate": 16000, "parameters": {"k": "v"}},
    {"type": "marked", "name": "a-1", "cleared": True},
    {"type": "dtmf", "digit": "5"},
    {"type": "error", "text": "no"},
    {"type": "hangup", "reason": "caller"},
]
CODECS: list[tuple[type[CarrierCodec], list[dict[str, Any]]]] = [
    (VonageCodec, VONAGE),
    (JambonzCodec, JAMBONZ),
    (ChanWebSocketCodec, ASTERISK),
    (GenericCodec, GENERIC),
]


@pytest.mark.parametrize(("codec", "samples"), CODECS, ids=lambda value: getattr(value, "name", ""))
@given(data=st.data())
def test_messages_of_any_kind_are_survived(
    codec: type[CarrierCodec], samples: Sequence[dict[str, Any]], data: st.DataObject
) -> None:
    """Honest, spoilt, cut, nested, binary: events that can be used, or the codecs' one error."""
    survives(codec(), data.draw(conversations(samples)))


_WORDS: tuple[str, ...] = (
    "MEDIA_START",
    "DTMF_END",
    "ERROR",
    "MEDIA_MARK_PROCESSED",
    "QUEUE_DRAINED",
    "format:ulaw",
    "format:slin16",
)
_WORDS += ("optimal_frame_size:160", "optimal_frame_size:-1", "digit:1", "digit:", ":", "::", "event:x", "error_text:")
PLAIN = st.lists(st.sampled_from(_WORDS) | st.text(max_size=10), max_size=8).map(" ".join)


@given(st.lists(PLAIN | st.binary(max_size=50), max_size=12))
def test_plain_text_of_any_kind_is_survived(messages: list[WireMessage]) -> None:
    """chan_websocket's other format."""
    survives(ChanWebSocketCodec(format="plain"), messages)


HONEST = [
    b"\x01\x00\x10" + bytes(range(16)),
    b"\x10\x01\x40" + bytes(320),
    b"\x12\x02\x80" + bytes(640),
    b"\x03\x00\x01#",
    b"\xff\x00\x01\x04",
    b"\x00\x00\x00",
    b"\x10\x00\x00",
]
STREAM = st.lists(st.sampled_from(HONEST) | st.binary(max_size=30), max_size=20).map(b"".join)


def _read(stream: bytes, sizes: Sequence[int]) -> tuple[list[CarrierEvent], str]:
    """Return what a stream means that comes in chunks of these sizes, the rest at once, and how it failed."""
    codec, events, at = AudioSocketCodec(), list[CarrierEvent](), 0
    try:
        for size in (*sizes, len(stream)):
            events += codec.receive(stream[at : at + size])
            at += size
    except CarrierFault as fault:
        return events, str(fault)
    return events, ""


@given(st.booleans(), STREAM, st.lists(st.integers(1, 400), max_size=30))
def test_a_stream_of_any_bytes_is_survived_in_any_chunks(begun: bool, stream: bytes, sizes: list[int]) -> None:
    """What came before a fault is told however it is cut; without one all of it is the same."""
    stream = HONEST[0] * begun + stream
    events, fault = _read(stream, sizes)
    bytewise, fault_bytewise = _read(stream, [1] * len(stream))
    assert bool(fault) == bool(fault_bytewise)
    assert events == bytewise[: len(events)]
    if not fault:
        assert events == bytewise
    survives(AudioSocketCodec(), [stream])


def test_what_waits_for_its_end_is_bounded() -> None:
    """The longest message is 65538 bytes; no header makes the codec keep more, or read the same bytes twice."""
    codec = AudioSocketCodec()
    codec.receive(HONEST[0])
    for _ in range(200):
        assert codec.receive(b"\x42\xff\xff") == []
        assert codec.receive(bytes(65_534)) == []
        assert codec.receive(b"\0\x03\x00\x01#") != []

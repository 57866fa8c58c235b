"""What codecs/exotel.py promises: Exotel's messages, read and written, in portions that it plays without gaps."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given

from orchestrator import g711
from orchestrator.adapters.telephony.codecs.exotel import ExotelCodec
from orchestrator.errors import CarrierFault
from orchestrator.ports import Answered, CallFacts, Ended, Key, MarkBack, MarksAfterClear, Media, WireMessage
from tests.adapters.codecs import fuzz

SOUND = bytes(range(160)) * 10
START: dict[str, Any] = {
    "event": "start",
    "sequence_number": "1",
    "stream_sid": "s-1",
    "start": {
        "stream_sid": "s-1",
        "call_sid": "c-1",
        "account_sid": "a-1",
        "from": "0155",
        "to": "0177",
        "custom_parameters": {"plan": "gold", "tries": 2, "vip": True, "nested": {}},
        "media_format": {"encoding": "audio/x-raw", "sample_rate": "8000", "bit_rate": "16"},
    },
}
MEDIA: dict[str, Any] = {
    "event": "media",
    "sequence_number": 3,
    "stream_sid": "s-1",
    "media": {"chunk": 2, "timestamp": "100", "payload": b64encode(SOUND).decode()},
}
DTMF = {"event": "dtmf", "sequence_number": "4", "stream_sid": "s-1", "dtmf": {"digit": "5", "duration": "100"}}
MARK = {"event": "mark", "sequence_number": "5", "stream_sid": "s-1", "mark": {"name": "g1-7"}}
STOP = {
    "event": "stop",
    "sequence_number": "6",
    "stream_sid": "s-1",
    "stop": {"call_sid": "c-1", "account_sid": "a-1", "reason": "callended"},
}


def start(**told: object) -> str:
    """The start of a stream of another format."""
    return json.dumps(START | {"start": START["start"] | {"media_format": told}})


def answered(**told: object) -> ExotelCodec:
    """A codec whose call has started."""
    codec = ExotelCodec()
    codec.receive(start(**told) if told else json.dumps(START))
    return codec


def payloads(messages: Any) -> list[bytes]:
    """The sound in messages."""
    return [b64decode(json.loads(message)["media"]["payload"]) for message in messages]


def test_a_call_is_read_from_start_to_stop() -> None:
    """Numbers are strings or numbers, parameters become texts, and why the call ended is told."""
    codec = ExotelCodec()
    given = {"plan": "gold", "tries": "2", "vip": "true"}
    assert list(codec.receive(json.dumps(START))) == [Answered(CallFacts("c-1", "0155", "0177", "exotel", given))]
    assert list(codec.receive(json.dumps(MEDIA))) == [Media(SOUND, 0.1)]
    assert list(codec.receive(json.dumps(DTMF))) == [Key("5")]
    assert list(codec.receive(json.dumps(MARK))) == [MarkBack("g1-7")]
    assert list(codec.receive(json.dumps(STOP))) == [Ended("callended")]
    assert codec.marks_after_clear is MarksAfterClear.UNKNOWN


@pytest.mark.parametrize(
    ("told", "rate", "mulaw"),
    [
        ({"encoding": "audio/x-raw", "sample_rate": "16000"}, 16000, False),
        ({"encoding": "base64", "sample_rate": 24000, "bit_rate": "128kbps"}, 24000, False),
        ({"encoding": "audio/x-mulaw;rate=8000"}, 8000, True),
        ({"encoding": "mulaw", "sample_rate": "8000"}, 8000, True),
        ({"encoding": "audio/L16;rate=8000", "sample_rate": "8000"}, 8000, False),
        ({"sample_rate": None}, 8000, False),
    ],
)
def test_the_format_of_the_start_is_obeyed(told: dict[str, Any], rate: int, mulaw: bool) -> None:
    """Their pages contradict each other; the start does not."""
    codec = answered(**told)
    assert codec.rate == rate
    [media] = codec.receive(json.dumps(MEDIA))
    assert isinstance(media, Media)
    assert media.pcm == (g711.decode(SOUND, "ulaw") if mulaw else SOUND)
    [sent] = payloads(codec.media(media.pcm * 8))
    assert (g711.decode(sent, "ulaw") if mulaw else sent) == media.pcm * 8


def test_other_formats_are_told() -> None:
    """Better no call than noise in the caller's ear."""
    with pytest.raises(CarrierFault, match="opus"):
        answered(encoding="opus")


def test_half_a_sample_is_dropped() -> None:
    """Everything behind it would be noise."""
    odd = MEDIA | {"media": {"payload": b64encode(b"\1\2\3").decode()}}
    assert list(answered().receive(json.dumps(odd))) == [Media(b"\1\2", None)]


def test_sound_goes_out_in_whole_portions() -> None:
    """At least 3200 bytes, a multiple of 320; the rest is kept, and filled up with silence at the end of a spurt."""
    codec = answered()
    assert list(codec.media(b"\1\0" * 1500)) == []
    [message] = [json.loads(text) for text in codec.media(b"\2\0" * 200)]
    assert b64decode(message["media"].pop("payload")) == b"\1\0" * 1500 + b"\2\0" * 100
    assert message == {"event": "media", "stream_sid": "s-1", "media": {}}
    assert payloads(codec.fill()) == [b"\2\0" * 100 + bytes(3000)]
    assert list(codec.fill()) == []


def test_a_mark_does_not_overtake_kept_sound() -> None:
    """It would tell that sound was heard which has not even been sent."""
    codec = answered()
    codec.media(bytes(320))
    assert list(codec.mark("a")) == []
    *sound, mark = codec.media(bytes(3200))
    assert len(sound) == 1
    assert json.loads(mark) == {"event": "mark", "stream_sid": "s-1", "mark": {"name": "a"}}


def test_a_clear_takes_the_rest_with_it() -> None:
    """A mark behind it goes out before the clear, as all that were sent did."""
    codec = answered()
    codec.media(bytes(320))
    codec.mark("a")
    assert [json.loads(text)["event"] for text in codec.clear()] == ["mark", "clear"]
    assert list(codec.fill()) == []


def test_filling_in_mulaw_is_silent() -> None:
    """Zero would be the loudest sample of mu-law."""
    codec = answered(encoding="mulaw")
    codec.media(b"\0\0")
    assert payloads(codec.fill()) == [b"\xff" * 3200]


@given(fuzz.conversations([START, MEDIA, DTMF, MARK, STOP, {"event": "connected"}]))
def test_whatever_comes_is_events_or_a_fault(received: list[WireMessage]) -> None:
    """No other exception, and nothing that the program could not use."""
    fuzz.survives(ExotelCodec(), received)


def test_it_says_how_much_it_may_keep() -> None:
    """3200 bytes: as long as the format of the start makes them."""
    assert answered().keeps == 0.2
    assert answered(encoding="audio/x-mulaw", sample_rate=8000).keeps == 0.4
    assert answered(encoding="audio/x-raw", sample_rate="16000").keeps == 0.1

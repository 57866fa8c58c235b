"""What codecs/twilio.py promises: Twilio's documented messages, read and written."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given

from orchestrator import g711
from orchestrator.adapters.telephony.codecs.json_media import keys_pressed
from orchestrator.adapters.telephony.codecs.twilio import TwilioCodec
from orchestrator.errors import CarrierFault
from orchestrator.ports import Answered, CallFacts, Ended, Key, MarkBack, MarksAfterClear, Media, WireMessage
from tests.adapters.codecs import fuzz

SOUND = bytes(range(160))
START: dict[str, Any] = {
    "event": "start",
    "sequenceNumber": "1",
    "start": {
        "accountSid": "AC1",
        "streamSid": "MZ1",
        "callSid": "CA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"caller": "+1555", "called": "+1777", "plan": "gold"},
    },
    "streamSid": "MZ1",
}
MEDIA: dict[str, Any] = {
    "event": "media",
    "sequenceNumber": "4",
    "media": {"track": "inbound", "chunk": "2", "timestamp": "5", "payload": b64encode(SOUND).decode()},
    "streamSid": "MZ1",
}
DTMF = {
    "event": "dtmf",
    "streamSid": "MZ1",
    "sequenceNumber": "5",
    "dtmf": {"track": "inbound_track", "digit": "1"},
}
MARK = {"event": "mark", "sequenceNumber": "4", "streamSid": "MZ1", "mark": {"name": "g1-7"}}
STOP = {"event": "stop", "sequenceNumber": "5", "stop": {"accountSid": "AC1", "callSid": "CA1"}, "streamSid": "MZ1"}
CONNECTED = {"event": "connected", "protocol": "Call", "version": "1.0.0"}


def answered() -> TwilioCodec:
    """A codec whose call has started."""
    codec = TwilioCodec()
    codec.receive(json.dumps(START))
    return codec


def test_a_call_is_read_from_start_to_stop() -> None:
    """Connected means nothing; start, media, keys, marks and stop are what the documentation says."""
    codec = TwilioCodec()
    facts = CallFacts("CA1", "+1555", "+1777", "twilio", {"caller": "+1555", "called": "+1777", "plan": "gold"})
    assert codec.receive(json.dumps(CONNECTED)) == ()
    assert list(codec.receive(json.dumps(START))) == [Answered(facts)]
    assert codec.rate == 8000
    assert list(codec.receive(json.dumps(MEDIA))) == [Media(g711.decode(SOUND, "ulaw"), 0.005)]
    assert list(codec.receive(json.dumps(DTMF))) == [Key("1")]
    assert list(codec.receive(json.dumps(MARK))) == [MarkBack("g1-7")]
    assert list(codec.receive(json.dumps(STOP))) == [Ended()]


def test_only_the_three_messages_are_written_exactly() -> None:
    """Anything else, or one field more, would be Twilio's error 31924."""
    codec = answered()
    pcm = g711.decode(SOUND, "ulaw")
    [sound] = codec.media(pcm)
    message = json.loads(sound)
    assert g711.decode(b64decode(message["media"].pop("payload")), "ulaw") == pcm
    assert message == {"event": "media", "streamSid": "MZ1", "media": {}}
    assert [json.loads(text) for text in codec.mark("g1-7")] == [
        {"event": "mark", "streamSid": "MZ1", "mark": {"name": "g1-7"}}
    ]
    assert [json.loads(text) for text in codec.clear()] == [{"event": "clear", "streamSid": "MZ1"}]
    assert list(codec.media(b"")) == list(codec.fill()) == list(codec.hang_up()) == []
    assert codec.transfer("+1") is None
    assert codec.marks_after_clear is MarksAfterClear.RETURNED


def test_names_are_escaped() -> None:
    """A stream whose name has quotes in it can't add fields to what we write."""
    codec = TwilioCodec()
    name = 'MZ","event":"x'
    codec.receive(json.dumps(START | {"start": START["start"] | {"streamSid": name}}))
    for text in (*codec.media(b"\0\0"), *codec.mark('a"b'), *codec.clear()):
        assert json.loads(text)["streamSid"] == name


def test_what_comes_before_the_start_or_starts_again_is_nothing() -> None:
    """Nobody's sound is heard before it is known who calls, and a second start can't make it another call."""
    codec = TwilioCodec()
    assert list(codec.receive(json.dumps(MEDIA))) == []
    codec.receive(json.dumps(START))
    other = START | {"start": START["start"] | {"callSid": "CA2", "streamSid": "MZ2"}}
    assert list(codec.receive(json.dumps(other))) == []
    assert json.loads(codec.clear()[0])["streamSid"] == "MZ1"


def test_what_goes_to_the_caller_is_not_heard() -> None:
    """A stream of both tracks carries the bot's own voice as well: it must not be taken for the caller's."""
    outbound = MEDIA | {"media": MEDIA["media"] | {"track": "outbound"}}
    assert list(answered().receive(json.dumps(outbound))) == []


@pytest.mark.parametrize("payload", ["!", "A", "", None, 7, [], {"a": 1}, "\ud800", "ünicode"])
def test_useless_payloads_are_nothing(payload: object) -> None:
    """One broken message costs its own sound only."""
    codec = answered()
    broken = MEDIA | {"media": MEDIA["media"] | {"payload": payload}}
    assert list(codec.receive(json.dumps(broken))) == []
    assert list(codec.receive(json.dumps(MEDIA))) != []


def test_missing_padding_is_forgiven() -> None:
    """Some write base64 without the = at its end."""
    short = MEDIA | {"media": {"payload": b64encode(b"\x00" * 160).decode().rstrip("=")}}
    assert list(answered().receive(json.dumps(short))) == [Media(g711.decode(b"\x00" * 160, "ulaw"), None)]


@pytest.mark.parametrize("message", ["", "{", "[]", "null", "7", b"{}", "[" * 100_000, "9" * 10_000])
def test_what_is_no_object_is_a_fault(message: WireMessage) -> None:
    """It never is another exception."""
    with pytest.raises(CarrierFault):
        TwilioCodec().receive(message)


@pytest.mark.parametrize("part", ["streamSid", "callSid"])
@pytest.mark.parametrize("value", [None, "", 7, "a\nb", "\ud800", "x" * 501, {}])
def test_a_start_without_usable_names_is_a_fault(part: str, value: object) -> None:
    """The call could neither be answered nor named."""
    with pytest.raises(CarrierFault, match=part):
        TwilioCodec().receive(json.dumps(START | {"start": START["start"] | {part: value}}))


@given(fuzz.conversations([START, MEDIA, DTMF, MARK, STOP, CONNECTED]))
def test_whatever_comes_is_events_or_a_fault(received: list[WireMessage]) -> None:
    """No other exception, and nothing that the program could not use."""
    fuzz.survives(TwilioCodec(), received)


@pytest.mark.parametrize("digit", [True, False, None, 5.0, 1e3, ["5"], {"5": 5}])
def test_what_is_neither_text_nor_whole_number_is_no_key(digit: object) -> None:
    """The A of `false` was taken for a key; a whole number is keys."""
    assert list(keys_pressed(digit)) == []
    assert [key.digit for key in keys_pressed(50)] == ["5", "0"]

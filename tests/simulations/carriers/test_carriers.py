"""Each carrier's messages, against the examples that its documents give, and what it does with the bot's."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from simulations.carriers.carrier import Call, Carrier, Message
from simulations.carriers.catalogue import CARRIERS, make_carrier
from simulations.carriers.exotel import FakeExotel
from simulations.carriers.generic import FakeGeneric
from simulations.carriers.plivo import FakePlivo
from simulations.carriers.telnyx import FakeTelnyx
from simulations.carriers.twilio import FakeTwilio, upgrade_signature
from simulations.carriers.vonage import FakeVonage

CALL = Call(call="c" * 32, stream="5" * 32, account="a" * 32, parameters={"k": "v"})
SILENCE = bytes(320)
SECOND = b64encode(bytes([0x10]) * 8000).decode()
S = f"MZ{CALL.stream}"


def told(messages: list[Message]) -> list[Any]:
    """Return what JSON messages say."""
    return [json.loads(message) for message in messages]


def say(carrier: Carrier, now: float, **what: Any) -> list[Any]:
    """Let the bot say something in JSON; return what the carrier says to it."""
    return told(carrier.receive(json.dumps(what), now))


# --- Twilio ---


def test_twilio_sends_what_its_documents_show() -> None:
    """Sequence number, chunk and timestamp are strings, rate and channels numbers; DTMF is of `inbound_track`."""
    carrier = FakeTwilio(CALL)
    connected, start = told(carrier.opening())
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start == {
        "event": "start",
        "sequenceNumber": "1",
        "start": {
            "accountSid": "AC" + "a" * 32,
            "streamSid": S,
            "callSid": "CA" + "c" * 32,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"k": "v"},
        },
        "streamSid": S,
    }
    payload = carrier.payload(SILENCE)
    carrier.media(payload)
    (media,) = told(carrier.media(payload))
    assert media == {
        "event": "media",
        "sequenceNumber": "3",
        "media": {"track": "inbound", "chunk": "2", "timestamp": "20", "payload": b64encode(b"\xff" * 160).decode()},
        "streamSid": S,
    }
    (key,) = told(carrier.press("1"))
    assert key == {
        "event": "dtmf",
        "streamSid": S,
        "sequenceNumber": "4",
        "dtmf": {"track": "inbound_track", "digit": "1"},
    }
    (stop,) = told(carrier.stop())
    assert stop["event"] == "stop"
    assert stop["stop"] == {"accountSid": "AC" + "a" * 32, "callSid": "CA" + "c" * 32}


def test_twilio_returns_marks_when_played_and_all_open_ones_on_clear() -> None:
    """With nothing buffered at once, else when played; a clear brings back the rest."""
    carrier = FakeTwilio(CALL)
    (back,) = say(carrier, 0.0, event="mark", streamSid=S, mark={"name": "now"})
    assert (back["event"], back["mark"]) == ("mark", {"name": "now"})
    say(carrier, 0.0, event="media", streamSid=S, media={"payload": SECOND})
    assert say(carrier, 0.0, event="mark", streamSid=S, mark={"name": "played"}) == []
    assert [each["mark"]["name"] for each in told(carrier.due(1.0))] == ["played"]
    say(carrier, 2.0, event="media", streamSid=S, media={"payload": SECOND})
    say(carrier, 2.0, event="mark", streamSid=S, mark={"name": "cut"})
    assert [each["mark"]["name"] for each in say(carrier, 2.5, event="clear", streamSid=S)] == ["cut"]
    assert carrier.playback.cleared == pytest.approx(0.5)
    assert not carrier.complaints


@pytest.mark.parametrize(
    "message",
    [
        "no json",
        "[]",
        b"\0" * 160,
        json.dumps({"event": "media", "media": {"payload": SECOND}}),
        json.dumps({"event": "media", "streamSid": S, "media": {"payload": "***"}}),
        json.dumps({"event": "stop", "streamSid": S}),
        json.dumps({"event": "mark", "streamSid": S, "mark": {"name": 7}}),
    ],
)
def test_twilio_complains_of_what_it_does_not_take(message: Message) -> None:
    """Anything but media, mark and clear of its own stream is error 31924; nothing of it is played."""
    carrier = FakeTwilio(CALL)
    assert carrier.receive(message, 0.0) == []
    assert carrier.complaints.total() == 1
    assert carrier.playback.received == 0


def test_twilio_signs_the_upgrade_by_its_url() -> None:
    """HMAC-SHA1 over the address alone: computed by hand with openssl for this pair."""
    signed = upgrade_signature("wss://bots.example.com/twilio", "12345")
    assert signed == "/jzKeQsRSBxtjXnk0XwwjnNZKdY="


# --- Telnyx, Plivo, Exotel ---


def test_telnyx_sends_what_its_documents_show() -> None:
    """Snake case, the stream's id at the top, who calls in `start`."""
    carrier = FakeTelnyx(CALL)
    connected, start = told(carrier.opening())
    assert connected == {"event": "connected", "version": "1.0.0"}
    assert (start["sequence_number"], start["stream_id"]) == ("1", CALL.stream)
    assert start["start"]["media_format"] == {"encoding": "PCMU", "sample_rate": 8000, "channels": 1}
    assert start["start"]["custom_parameters"] == {"k": "v"}
    (media,) = told(carrier.media(carrier.payload(SILENCE)))
    assert media["media"]["track"] == "inbound"
    assert (media["media"]["chunk"], media["media"]["timestamp"]) == ("1", "0")
    assert told(carrier.press("#"))[0]["dtmf"] == {"digit": "#"}


def test_telnyx_wants_no_stream_id_and_returns_marks_on_clear() -> None:
    """Marks of a cleared buffer come back; a message of less than 20 ms is against the documents."""
    carrier = FakeTelnyx(CALL)
    say(carrier, 0.0, event="media", media={"payload": SECOND})
    say(carrier, 0.0, event="mark", mark={"name": "m"})
    assert [each["mark"]["name"] for each in say(carrier, 0.1, event="clear")] == ["m"]
    assert not carrier.complaints
    say(carrier, 1.0, event="media", media={"payload": b64encode(b"\xff" * 80).decode()})
    assert carrier.complaints.total() == 1


def test_plivo_sends_numbers_and_no_connected() -> None:
    """`start` comes first; sequence number and chunk are numbers, the timestamp a string."""
    carrier = FakePlivo(CALL)
    (start,) = told(carrier.opening())
    assert start["start"]["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000}
    assert (start["sequenceNumber"], start["extra_headers"]) == (1, "k=v")
    (media,) = told(carrier.media(carrier.payload(SILENCE)))
    assert (media["sequenceNumber"], media["media"]["chunk"], media["media"]["timestamp"]) == (2, 1, "0")
    assert media["extra_headers"] == "k=v"
    assert carrier.stop() == []


def test_plivo_acknowledges_a_clear_and_drops_its_checkpoints() -> None:
    """playedStream only where the sound was played, clearedAudio for the clear."""
    carrier = FakePlivo(CALL)
    media = {"contentType": "audio/x-mulaw", "sampleRate": 8000, "payload": SECOND}
    say(carrier, 0.0, event="playAudio", media=media)
    say(carrier, 0.0, event="checkpoint", streamId=CALL.stream, name="one")
    (back,) = told(carrier.due(1.0))
    assert (back["event"], back["name"], back["streamId"]) == ("playedStream", "one", CALL.stream)
    say(carrier, 1.0, event="playAudio", media=media)
    say(carrier, 1.0, event="checkpoint", streamId=CALL.stream, name="two")
    assert [each["event"] for each in say(carrier, 1.2, event="clearAudio", streamId=CALL.stream)] == ["clearedAudio"]
    assert carrier.due(9.0) == []
    assert not carrier.complaints


def test_exotel_sends_raw_pcm_in_messages_of_100_ms() -> None:
    """Five frames make a message; the rate is a string; a chunk below 3200 bytes is complained of."""
    carrier = FakeExotel(CALL)
    _, start = told(carrier.opening())
    assert start["start"]["media_format"] == {"encoding": "audio/x-raw", "sample_rate": "8000", "bit_rate": "16"}
    assert [carrier.media(carrier.payload(SILENCE)) for _ in range(4)] == [[]] * 4
    (media,) = told(carrier.media(carrier.payload(SILENCE)))
    assert media["media"] == {"chunk": "1", "timestamp": "0", "payload": b64encode(bytes(1600)).decode()}
    good = b64encode(bytes(3200)).decode()
    say(carrier, 0.0, event="media", stream_sid=CALL.stream, media={"payload": good})
    assert not carrier.complaints
    say(carrier, 0.0, event="media", stream_sid=CALL.stream, media={"payload": b64encode(bytes(320)).decode()})
    assert carrier.complaints.total() == 1
    assert told(carrier.stop())[0]["stop"]["reason"] == "callended"


# --- Vonage, jambonz, generic ---


def test_vonage_speaks_frames_and_returns_notifies() -> None:
    """Parameters lie at the top of the first message; frames of 20 ms at 16 kHz; notify comes back when played."""
    carrier = FakeVonage(CALL)
    assert told(carrier.opening()) == [
        {"event": "websocket:connected", "content-type": "audio/l16;rate=16000", "k": "v"}
    ]
    assert carrier.media(carrier.payload(bytes(640))) == [bytes(640)]
    carrier.receive(bytes(640), 0.0)
    assert say(carrier, 0.0, action="notify", payload={"id": 3}) == []
    assert told(carrier.due(0.02)) == [{"event": "websocket:notify", "payload": {"id": 3}}]
    assert say(carrier, 0.1, action="clear") == [{"event": "websocket:cleared"}]
    assert not carrier.complaints
    carrier.receive(bytes(320), 0.2)
    assert carrier.complaints.total() == 1


def test_the_generic_leg_is_played_as_its_documentation_says() -> None:
    """start, binary sound, marked when played, marked as cleared before cleared, hangup from either side."""
    carrier = FakeGeneric(CALL, rate=16_000)
    assert told(carrier.opening()) == [
        {
            "type": "start",
            "call": CALL.call,
            "from": CALL.caller,
            "to": CALL.called,
            "rate": 16000,
            "parameters": {"k": "v"},
        }
    ]
    carrier.receive(bytes(32_000), 0.0)
    say(carrier, 0.0, type="mark", name="u1-4000")
    assert told(carrier.due(1.0)) == [{"type": "marked", "name": "u1-4000"}]
    carrier.receive(bytes(32_000), 1.0)
    say(carrier, 1.0, type="mark", name="u1-8000")
    assert say(carrier, 1.1, type="clear") == [
        {"type": "marked", "name": "u1-8000", "cleared": True},
        {"type": "cleared"},
    ]
    say(carrier, 2.0, type="hangup")
    assert carrier.hung_up
    assert not carrier.complaints


@pytest.mark.parametrize("name", CARRIERS)
def test_no_carrier_falls_over_what_a_bot_may_send(name: str) -> None:
    """Text, JSON of other shapes and bytes: a complaint or a dropped call, never an exception."""
    carrier = make_carrier(name, CALL)
    wrong: list[Message] = ["", "null", "{}", '{"event":{}}', '{"type":[]}', '{"command":{}}', "[" * 5000]
    for message in ([] if name == "audiosocket" else wrong) + [b"", b"\xff\0\0" * 333]:
        carrier.receive(message, 0.0)
    assert carrier.complaints or carrier.dropped

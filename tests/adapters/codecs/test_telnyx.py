"""What codecs/telnyx.py promises: Telnyx's messages, read and written, and sound put back in order."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import g711
from orchestrator.adapters.telephony.codecs.telnyx import ChunkOrder, TelnyxCodec
from orchestrator.errors import CarrierFault
from orchestrator.ports import Answered, CallFacts, Complaint, Ended, Key, MarkBack, Media, WireMessage
from tests.adapters.codecs import fuzz

SOUND = bytes(range(160))
START: dict[str, Any] = {
    "event": "start",
    "sequence_number": "1",
    "stream_id": "u-1",
    "start": {
        "user_id": "u",
        "call_control_id": "v3:abc",
        "call_session_id": "s",
        "from": "+1555",
        "to": "+1777",
        "tags": [],
        "client_state": "aGk=",
        "custom_parameters": {"plan": "gold"},
        "media_format": {"encoding": "PCMA", "sample_rate": 8000, "channels": 1},
    },
}
MEDIA: dict[str, Any] = {
    "event": "media",
    "sequence_number": "4",
    "media": {"track": "inbound", "chunk": "2", "timestamp": "20", "payload": b64encode(SOUND).decode()},
    "stream_id": "u-1",
}
DTMF = {"event": "dtmf", "stream_id": "u-1", "dtmf": {"digit": "#"}}
MARK = {"event": "mark", "stream_id": "u-1", "mark": {"name": "g1-7"}}
STOP = {"event": "stop", "stream_id": "u-1", "stop": {"user_id": "u", "call_control_id": "v3:abc"}}
ERROR = {"event": "error", "stream_id": "u-1", "payload": {"code": 100003, "title": "malformed_frame"}}


def start(**told: object) -> str:
    """The start of a stream of another format."""
    return json.dumps(START | {"start": START["start"] | {"media_format": told}})


def chunk(number: object, sound: bytes = SOUND) -> str:
    """One message of sound."""
    payload = b64encode(sound).decode()
    return json.dumps(MEDIA | {"media": {"track": "inbound", "chunk": number, "payload": payload}})


def answered(**told: object) -> TelnyxCodec:
    """A codec whose call has started."""
    codec = TelnyxCodec()
    codec.receive(start(**told) if told else json.dumps(START))
    return codec


def test_a_call_is_read_from_start_to_stop() -> None:
    """The id is that by which the REST API ends the call; the format of the start is obeyed, here A-law."""
    codec = TelnyxCodec()
    facts = CallFacts("v3:abc", "+1555", "+1777", "telnyx", {"plan": "gold"})
    assert list(codec.receive(json.dumps(START))) == [Answered(facts)]
    assert list(codec.receive(json.dumps(MEDIA))) == [Media(g711.decode(SOUND, "alaw"), 0.02)]
    assert list(codec.receive(json.dumps(DTMF))) == [Key("#")]
    assert list(codec.receive(json.dumps(MARK))) == [MarkBack("g1-7")]
    assert list(codec.receive(json.dumps(ERROR))) == [Complaint("100003; malformed_frame")]
    assert list(codec.receive(json.dumps(STOP))) == [Ended()]


def test_what_is_sent_is_as_documented() -> None:
    """No stream id, the same format as what comes."""
    codec = answered()
    pcm = g711.decode(SOUND, "alaw")
    [message] = [json.loads(text) for text in codec.media(pcm)]
    assert g711.decode(b64decode(message["media"].pop("payload")), "alaw") == pcm
    assert message == {"event": "media", "media": {}}
    assert [json.loads(text) for text in codec.mark("a")] == [{"event": "mark", "mark": {"name": "a"}}]
    assert [json.loads(text) for text in codec.clear()] == [{"event": "clear"}]


def test_sound_shorter_than_a_frame_is_kept_until_more_comes() -> None:
    """Telnyx takes no messages under 20 ms; filled up, the rest is a whole frame with silence."""
    codec = answered(encoding="L16", sample_rate=16000)
    assert codec.rate == 16_000
    assert list(codec.media(b"\1\0" * 319)) == []
    assert list(codec.mark("a")) == []
    sound, mark = [json.loads(text) for text in codec.fill()]
    assert b64decode(sound["media"]["payload"]) == b"\1\0" * 319 + b"\0\0"
    assert mark == {"event": "mark", "mark": {"name": "a"}}
    assert list(codec.fill()) == []


@pytest.mark.parametrize("encoding", ["G722", "OPUS", "AMR-WB", "\ud800"])
def test_formats_that_we_do_not_have_are_told(encoding: str) -> None:
    """The message says what to set instead."""
    with pytest.raises(CarrierFault, match="must be set to G"):
        answered(encoding=encoding)


@pytest.mark.parametrize("rate", [0, -8000, 7999, 10**9, "0", 48_001])
def test_useless_rates_are_a_fault(rate: object) -> None:
    """Nothing downstream must divide by them or reserve that much."""
    with pytest.raises(CarrierFault, match="samples a second"):
        answered(encoding="PCMU", sample_rate=rate)


def test_sound_in_the_wrong_order_is_put_right() -> None:
    """A chunk that is ahead waits for the one before; numbers may be strings or not."""
    codec = answered()
    sounds = {number: bytes([number]) * 160 for number in (1, 2, 3, 4)}
    heard: list[Any] = []
    for number in (1, 3, "4", 2):
        heard += codec.receive(chunk(number, sounds[int(number)]))
    assert [media.pcm for media in heard] == [g711.decode(sounds[number], "alaw") for number in (1, 2, 3, 4)]


def test_what_waits_is_heard_before_the_end() -> None:
    """A call that ends in the middle of a mess loses nothing that came."""
    codec = answered()
    codec.receive(chunk(1))
    assert list(codec.receive(chunk(4))) == list(codec.receive(chunk(3))) == []
    *rest, ended = codec.receive(json.dumps(STOP))
    assert len(rest) == 2
    assert ended == Ended()


def sound(number: int) -> Media:
    """Sound that can be told from others."""
    return Media(bytes([number % 256, 0]), float(number))


def test_a_missing_chunk_is_given_up_after_five() -> None:
    """0.1 s is what a hole costs; the late one is dropped when it comes after all."""
    order = ChunkOrder()
    heard = [media.at for number in (1, 3, 4, 5, 6, 7, 8, 2, 9) for media in order.take(number, sound(number))]
    assert heard == [1, 3, 4, 5, 6, 7, 8, 9]


def test_a_count_that_begins_anew_is_followed() -> None:
    """Otherwise a caller would never be heard again."""
    order = ChunkOrder()
    assert [media.at for number in (5000, 1, 2) for media in order.take(number, sound(number))] == [5000, 1, 2]


@given(st.integers(2, 60).flatmap(lambda count: st.permutations(range(count))))
def test_whatever_the_order_nothing_is_heard_backwards(numbers: list[int]) -> None:
    """What is heard is in order, nothing twice, and at most five wait."""
    order = ChunkOrder()
    heard = []
    for number in numbers:
        heard += order.take(number, sound(number))
    rest = order.rest()
    times = [media.at for media in [*heard, *rest] if media.at is not None]
    assert times == sorted(set(times))
    assert len(rest) <= 5


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40))
def test_small_disorder_loses_nothing(delays: list[int]) -> None:
    """Chunks that come at most four places late are all heard, from the first that came on."""
    numbers = [number for _, number in sorted((number + delay, number) for number, delay in enumerate(delays, 1))]
    order = ChunkOrder()
    heard = [media.at for number in [0, *numbers] for media in order.take(number, sound(number))]
    assert heard == list(range(len(delays) + 1))


@given(fuzz.conversations([START, MEDIA, DTMF, MARK, STOP, ERROR]))
def test_whatever_comes_is_events_or_a_fault(received: list[WireMessage]) -> None:
    """No other exception, and nothing that the program could not use."""
    fuzz.survives(TelnyxCodec(), received)


def test_a_chunk_without_sound_of_the_caller_delays_nothing() -> None:
    """The other track and empty payloads have their places in the count: what follows them does not wait."""
    codec = answered()
    heard = list(codec.receive(chunk(1)))
    payload = b64encode(SOUND).decode()
    assert not codec.receive(json.dumps(MEDIA | {"media": {"track": "outbound", "chunk": "2", "payload": payload}}))
    assert not codec.receive(chunk(3, b""))
    heard += codec.receive(chunk(4))
    assert len(heard) == 2


def test_tracks_that_are_counted_apart_lose_nothing() -> None:
    """The other track's numbers are those of the caller's sound then, or far from them."""
    for ahead in (0, 1, 7, 500):
        order = ChunkOrder()
        heard = []
        for number in range(1, 300):
            order.skip(number + ahead)
            heard += [media.at for media in order.take(number, sound(number))]
        assert heard == list(range(1, 300))

"""Asterisk's chan_websocket: both control formats, whole frames only, a flush that leaves nothing behind."""

from __future__ import annotations

import json
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import g711
from orchestrator.adapters.telephony.codecs.chan_websocket import MOST_MEDIA_BYTES, MOST_TEXT_BYTES, ChanWebSocketCodec
from orchestrator.errors import CarrierFault
from orchestrator.ports import (
    Answered,
    CarrierEvent,
    Complaint,
    Congested,
    Emptied,
    Key,
    MarkBack,
    MarksAfterClear,
    Media,
)

PLAIN_START = (
    "MEDIA_START connection_id:bot channel:WebSocket/bot/0x7f channel_id:1700000000.7 "
    "format:{} optimal_frame_size:{} ptime:20"
)
Written = Literal["json", "plain"]


def start(sound: str, size: int, *, written: Written) -> str:
    """Return MEDIA_START as Asterisk writes it."""
    if written == "plain":
        return PLAIN_START.format(sound, size)
    told = {"event": "MEDIA_START", "connection_id": "bot", "channel": "WebSocket/bot/0x7f", "format": sound}
    told |= {"channel_id": "1700000000.7"}
    variables = {"from": "+4930", "tier": "gold"}
    return json.dumps({**told, "optimal_frame_size": size, "ptime": 20, "channel_variables": variables})


def open_codec(sound: str = "slin16", size: int = 640, *, written: Written = "json") -> ChanWebSocketCodec:
    """Return a codec whose call has begun."""
    codec = ChanWebSocketCodec(format=written)
    [event] = codec.receive(start(sound, size, written=written))
    assert isinstance(event, Answered)
    return codec


def test_an_outgoing_call_is_known_from_variables_and_url() -> None:
    """Asterisk's connection id is the name of its configuration: the call is named by its channel."""
    codec = ChanWebSocketCodec(query={"to": "100", "tier": "silver", "token": "secret"})
    [event] = codec.receive(start("slin16", 640, written="json"))
    assert isinstance(event, Answered)
    facts = event.facts
    assert (facts.id, facts.caller, facts.called, facts.leg) == ("1700000000.7", "+4930", "100", "asterisk")
    assert facts.parameters["tier"] == "silver"
    assert facts.parameters["connection_id"] == "bot"
    assert "token" not in facts.parameters
    assert codec.rate == 16_000


@pytest.mark.parametrize("configured", ["json", "plain"])
@pytest.mark.parametrize("written", ["json", "plain"])
def test_we_write_as_asterisk_does(configured: Written, written: Written) -> None:
    """A command in the other format would be ignored without an answer, whatever our setting says."""
    codec = ChanWebSocketCodec(format=configured)
    codec.receive(start("slin", 320, written=written))
    wanted = {"json": '{"command":"HANGUP"}', "plain": "HANGUP"}
    assert codec.hang_up() == [wanted[written]]


@pytest.mark.parametrize(("written", "command"), [("json", '{"command":"ANSWER"}'), ("plain", "ANSWER")])
def test_a_channel_is_answered(written: Written, command: str) -> None:
    """In the format that Asterisk writes."""
    assert open_codec(written=written).answer() == [command]


CONTROL: list[tuple[str, str, CarrierEvent]] = [
    ("MEDIA_MARK_PROCESSED g1-2", '{"event":"MEDIA_MARK_PROCESSED","correlation_id":"g1-2"}', MarkBack("g1-2")),
    ("DTMF_END digit:# channel_id:17.7", '{"event":"DTMF_END","channel_id":"17.7","digit":"#"}', Key("#")),
    ("QUEUE_DRAINED", '{"event":"QUEUE_DRAINED","channel_id":"17.7"}', Emptied()),
    ("MEDIA_XOFF", '{"event":"MEDIA_XOFF","channel_id":"17.7"}', Congested(True)),
    ("MEDIA_XON", '{"event":"MEDIA_XON","channel_id":"17.7"}', Congested(False)),
    (
        "ERROR channel_id:17.7 error_text:no such: thing",
        '{"event":"ERROR","error_text":"no such: thing"}',
        Complaint("no such: thing"),
    ),
]


@pytest.mark.parametrize(("plain", "as_json", "event"), CONTROL)
def test_both_formats_mean_the_same(plain: str, as_json: str, event: CarrierEvent) -> None:
    """Marks, keys, the queue's levels, its end and errors."""
    assert list(open_codec(written="plain").receive(plain)) == [event]
    assert list(open_codec(written="json").receive(as_json)) == [event]


def test_unknown_messages_mean_nothing() -> None:
    """Status, completed buffering and what later versions invent."""
    codec = open_codec()
    for text in (
        "STATUS queue_length:3",
        '{"event":"MEDIA_BUFFERING_COMPLETED","correlation_id":"a"}',
        "",
        "NEWS",
        "{}",
    ):
        assert not codec.receive(text)


@pytest.mark.parametrize(("sound", "size", "rate"), [("ulaw", 160, 8000), ("alaw", 160, 8000), ("slin", 320, 8000)])
@pytest.mark.parametrize("written", ["json", "plain"])
def test_sound_is_in_the_format_of_the_start(sound: str, size: int, rate: int, written: Written) -> None:
    """Either law or linear PCM, both ways."""
    codec = open_codec(sound, size, written=written)
    pcm = b"\x10\x20" * (rate // 50)
    [sent] = codec.media(pcm)
    assert isinstance(sent, bytes)
    assert len(sent) == size
    heard = g711.decode(g711.encode(pcm, "ulaw" if sound == "ulaw" else "alaw"), "ulaw" if sound == "ulaw" else "alaw")
    assert list(codec.receive(sent)) == [Media(pcm if sound == "slin" else heard)]


@pytest.mark.parametrize(
    ("sound", "size"), [("opus", 0), ("g722", 160), ("slin16", 0), ("slin16", 641), ("ulaw", 99_999)]
)
def test_a_format_that_is_not_spoken_is_refused(sound: str, size: int) -> None:
    """Asterisk would pass it through without marks and without a flush."""
    with pytest.raises(CarrierFault):
        ChanWebSocketCodec().receive(start(sound, size, written="json"))


@given(
    st.sampled_from([("slin16", 640), ("ulaw", 160), ("slin48", 1920)]), st.lists(st.integers(0, 200_000), max_size=5)
)
def test_only_whole_frames_are_sent_and_none_too_long(sound: tuple[str, int], lengths: list[int]) -> None:
    """Asterisk drops what fills no frame, and hangs up on more than 65500 bytes."""
    codec = open_codec(*sound)
    sent = [message for length in lengths for message in codec.media(bytes(2 * length))] + list(codec.fill())
    assert all(len(message) % sound[1] == 0 and 0 < len(message) <= MOST_MEDIA_BYTES for message in sent)
    wire = 1 if sound[0] == "ulaw" else 2
    assert 0 <= sum(map(len, sent)) - wire * sum(lengths) < sound[1]


@pytest.mark.parametrize("written", ["json", "plain"])
def test_a_flush_asks_to_be_told_empties_and_goes_on(written: Written) -> None:
    """In this order; what was kept for a frame is gone; the marks in the queue are dropped by it."""
    codec = open_codec(written=written)
    codec.media(b"\1\0" * 10)
    commands = [json.loads(str(m))["command"] if written == "json" else m for m in codec.clear()]
    assert commands == ["REPORT_QUEUE_DRAINED", "FLUSH_MEDIA", "CONTINUE_MEDIA"]
    assert codec.fill() == []
    assert codec.marks_after_clear is MarksAfterClear.DROPPED


@pytest.mark.parametrize("written", ["json", "plain"])
def test_no_text_is_longer_than_asterisk_reads(written: Written) -> None:
    """Not with the longest name of a mark, either."""
    codec = open_codec(written=written)
    texts = [*codec.mark("x" * 40), *codec.clear(), *codec.hang_up()]
    assert all(isinstance(text, str) and len(text.encode()) <= MOST_TEXT_BYTES for text in texts)

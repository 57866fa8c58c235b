"""What codecs/plivo.py promises: Plivo's messages, read and written."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import g711
from orchestrator.adapters.telephony.codecs.plivo import PlivoCodec, extra_headers
from orchestrator.ports import Answered, CallFacts, Emptied, Ended, Key, MarkBack, MarksAfterClear, Media, WireMessage
from tests.adapters.codecs import fuzz

SOUND = bytes(range(160))
OURS = json.dumps({"caller": "+1555", "called": "+1777", "token": "a-b_c"}).encode().hex()
START: dict[str, Any] = {
    "sequenceNumber": 0,
    "event": "start",
    "start": {
        "callId": "c-1",
        "streamId": "s-1",
        "accountId": "MA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000},
    },
    "extra_headers": f"plan=gold;talkingstick={OURS}",
}
MEDIA: dict[str, Any] = {
    "sequenceNumber": 42,
    "streamId": "s-1",
    "event": "media",
    "media": {
        "track": "inbound",
        "timestamp": "1763000000020",
        "chunk": 41,
        "payload": b64encode(SOUND).decode(),
    },
    "extra_headers": "{}",
}
DTMF = {
    "event": "dtmf",
    "sequenceNumber": 43,
    "streamId": "s-1",
    "dtmf": {"track": "inbound", "digit": "*", "timestamp": "9"},
}
PLAYED = {"event": "playedStream", "sequenceNumber": 44, "streamId": "s-1", "name": "g1-7"}
CLEARED = {"event": "clearedAudio", "sequenceNumber": 45, "streamId": "s-1"}
STOP = {"event": "stop", "sequenceNumber": 46, "streamId": "s-1"}
"""Not in Plivo's own SDK, but in its clones."""


def answered(**told: object) -> PlivoCodec:
    """A codec whose call has started, with another format."""
    codec = PlivoCodec()
    codec.receive(json.dumps(START | {"start": START["start"] | {"mediaFormat": told}}))
    return codec


def test_a_call_is_read_from_start_to_stop() -> None:
    """There is no `connected`; times count from the first, since nobody knows what Plivo's count from."""
    codec = PlivoCodec()
    given = {"plan": "gold", "caller": "+1555", "called": "+1777", "token": "a-b_c"}
    assert list(codec.receive(json.dumps(START))) == [Answered(CallFacts("c-1", "+1555", "+1777", "plivo", given))]
    pcm = g711.decode(SOUND, "ulaw")
    assert list(codec.receive(json.dumps(MEDIA))) == [Media(pcm, 0.0)]
    later = MEDIA | {"media": MEDIA["media"] | {"timestamp": "1763000000060"}}
    [media] = codec.receive(json.dumps(later))
    assert isinstance(media, Media)
    assert media.at == pytest.approx(0.04)
    assert list(codec.receive(json.dumps(DTMF))) == [Key("*")]
    assert list(codec.receive(json.dumps(PLAYED))) == [MarkBack("g1-7")]
    assert list(codec.receive(json.dumps(CLEARED))) == [Emptied()]
    assert list(codec.receive(json.dumps(STOP))) == [Ended()]
    assert codec.marks_after_clear is MarksAfterClear.DROPPED


@pytest.mark.parametrize(
    ("encoding", "rate", "written"),
    [
        ("audio/x-mulaw", 8000, "audio/x-mulaw"),
        ("audio/x-l16", 16000, "audio/x-l16"),
        ("audio/x-l16", "8000", "audio/x-l16"),
    ],
)
def test_what_is_sent_is_in_the_format_of_the_start(encoding: str, rate: int | str, written: str) -> None:
    """Mu-law or L16, at its rate, and the message says which."""
    codec = answered(encoding=encoding, sampleRate=rate)
    assert codec.rate == int(rate)
    pcm = g711.decode(SOUND, "ulaw")
    [message] = [json.loads(text) for text in codec.media(pcm)]
    payload = b64decode(message["media"].pop("payload"))
    assert (g711.decode(payload, "ulaw") if "mulaw" in written else payload) == pcm
    media = {"contentType": written, "sampleRate": int(rate)}
    assert message == {"event": "playAudio", "streamId": "s-1", "media": media}


def test_checkpoints_and_clears_name_the_stream() -> None:
    """As documented."""
    codec = answered()
    assert [json.loads(text) for text in codec.mark("a")] == [{"event": "checkpoint", "streamId": "s-1", "name": "a"}]
    assert [json.loads(text) for text in codec.clear()] == [{"event": "clearAudio", "streamId": "s-1"}]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a=1;b=2", {"a": "1", "b": "2"}),
        ("a=1,b=2", {"a": "1", "b": "2"}),
        ("{a=1; b=2}", {"a": "1", "b": "2"}),
        ("{}", {}),
        ("", {}),
        (None, {}),
        ("talkingstick=zz;a=1", {"a": "1"}),
        ("talkingstick=5b5d", {}),
        (f"talkingstick={b'{}'.hex()}", {}),
    ],
)
def test_extra_headers_are_parameters(written: object, read: dict[str, str]) -> None:
    """However Plivo writes them; what is no header of ours is not believed to be one."""
    assert extra_headers(written) == read


@given(st.text() | fuzz.VALUES)
def test_any_extra_headers_are_harmless(written: object) -> None:
    """Texts come out, nothing else."""
    assert all(isinstance(part, str) for pair in extra_headers(written).items() for part in pair)


@given(fuzz.conversations([START, MEDIA, DTMF, PLAYED, CLEARED, STOP]))
def test_whatever_comes_is_events_or_a_fault(received: list[WireMessage]) -> None:
    """No other exception, and nothing that the program could not use."""
    fuzz.survives(PlivoCodec(), received)

"""Vonage: facts from flat headers, frames of exactly 20 ms, notify as mark, clear."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.telephony.codecs.vonage import VonageCodec
from orchestrator.errors import CarrierFault
from orchestrator.ports import Answered, CallFacts, Emptied, Key, MarkBack, Media


def answered(rate: int = 16_000, **headers: str) -> tuple[VonageCodec, CallFacts]:
    """Return a codec whose call has begun, and its facts."""
    codec = VonageCodec()
    told = {"event": "websocket:connected", "content-type": f"audio/l16;rate={rate}", **headers}
    [event] = codec.receive(json.dumps(told))
    assert isinstance(event, Answered)
    return codec, event.facts


def test_the_call_is_known_from_its_headers() -> None:
    """`call`, `from` and `to` have a meaning, all headers are parameters; the rate is that of the content type."""
    codec, facts = answered(24_000, call="u-1", **{"from": "4930", "to": "4940", "language": "en"})
    assert codec.rate == 24_000
    assert (facts.id, facts.caller, facts.called, facts.leg) == ("u-1", "4930", "4940", "vonage")
    assert facts.parameters == {"call": "u-1", "from": "4930", "to": "4940", "language": "en"}


@pytest.mark.parametrize(
    "kind", ["audio/l16;rate=7", "audio/l16;rate=x", "audio/opus;rate=16000", "audio/l16;rate=8001"]
)
def test_sound_that_nobody_reads_is_refused(kind: str) -> None:
    """Another encoding or an impossible rate ends the call with the reason."""
    with pytest.raises(CarrierFault):
        VonageCodec().receive(json.dumps({"event": "websocket:connected", "content-type": kind}))


def test_what_the_caller_does_becomes_events() -> None:
    """Sound, keys in both shapes that were seen, marks and the cleared buffer; what is unknown means nothing."""
    codec, _ = answered()
    assert codec.receive(b"\1\0" * 320) == [Media(b"\1\0" * 320)]
    assert list(codec.receive('{"event":"websocket:dtmf","digit":"5","duration":260}')) == [Key("5")]
    assert list(codec.receive('{"event":"websocket:dtmf","dtmf":{"digit":"#"}}')) == [Key("#")]
    assert list(codec.receive('{"event":"websocket:notify","payload":{"mark":"g1-7"}}')) == [MarkBack("g1-7")]
    assert list(codec.receive('{"event":"websocket:cleared"}')) == [Emptied()]
    for nothing in ('{"event":"websocket:notify","payload":7}', '{"event":"websocket:media"}', "{}"):
        assert not codec.receive(nothing)


@given(st.sampled_from([8000, 16_000, 24_000]), st.lists(st.binary(max_size=3000)))
def test_every_message_of_sound_is_one_frame(rate: int, pieces: list[bytes]) -> None:
    """320, 640 or 960 bytes each, the last one filled up with silence, nothing lost."""
    codec, _ = answered(rate)
    sent = [message for piece in pieces for message in codec.media(piece)] + list(codec.fill())
    assert all(isinstance(message, bytes) and len(message) == rate // 25 for message in sent)
    sound = b"".join(message for message in sent if isinstance(message, bytes))
    assert sound.startswith(b"".join(pieces))


def test_a_clear_throws_the_kept_rest_away() -> None:
    """What was too short for a frame must not sound with the next words."""
    codec, _ = answered()
    assert codec.media(b"\1\0" * 100) == []
    assert [json.loads(str(message)) for message in codec.clear()] == [{"action": "clear"}]
    assert codec.fill() == ()
    assert [json.loads(str(message)) for message in codec.mark("g2-1")] == [
        {"action": "notify", "payload": {"mark": "g2-1"}}
    ]
    assert codec.hang_up() == ()
    assert codec.transfer("4950") is None


@pytest.mark.parametrize(
    ("kind", "rate"),
    [("audio/l16; rate=24000", 24_000), ("Audio/L16 ;channels=1; Rate=8000", 8000), ("audio/l16; channels=1", 16_000)],
)
def test_a_content_type_may_have_spaces_and_other_parameters(kind: str, rate: int) -> None:
    """As the grammar of content types has it; without a rate the line's holds."""
    codec = VonageCodec()
    codec.receive(json.dumps({"event": "websocket:connected", "content-type": kind}))
    assert codec.rate == rate

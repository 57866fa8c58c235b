"""The generic leg does what its documentation promises to those who write a client."""

from __future__ import annotations

import json

import pytest

from orchestrator.adapters.telephony.codecs import generic
from orchestrator.adapters.telephony.codecs.generic import GenericCodec
from orchestrator.errors import CarrierFault
from orchestrator.ports import (
    Answered,
    CallFacts,
    CarrierEvent,
    Complaint,
    Emptied,
    Ended,
    Key,
    MarkBack,
    MarksAfterClear,
    Media,
)

START = {"type": "start", "call": "6f1c", "from": "+4930123", "to": "+4930456", "rate": 16000, "parameters": {"k": "v"}}
QUERY = {"call": "q1", "from": "+49", "rate": "24000", "k": "v", "token": "secret"}


def told(codec: GenericCodec, **message: object) -> list[CarrierEvent]:
    """Return what a JSON message means."""
    return list(codec.receive(json.dumps(message)))


def test_a_start_message_begins_the_call() -> None:
    """Facts, rate and parameters are those of the message."""
    codec = GenericCodec()
    facts = CallFacts("6f1c", "+4930123", "+4930456", leg="generic", parameters={"k": "v"})
    assert told(codec, **START) == [Answered(facts)]
    assert codec.rate == 16_000


def test_the_documentations_start_is_what_is_read() -> None:
    """The example in the documentation is this test's start message."""
    [example] = [line for line in (generic.__doc__ or "").splitlines() if '"type": "start"' in line]
    assert json.loads(example) == START


def test_all_but_the_type_may_be_left_out() -> None:
    """Then the rate is the line's, and the call has no id of its own."""
    codec = GenericCodec(rate=24_000)
    assert told(codec, type="start") == [Answered(CallFacts("", leg="generic"))]
    assert codec.rate == 24_000


def test_a_query_string_begins_the_call_with_the_first_sound() -> None:
    """Answered comes before the sound; the line's secret is no parameter."""
    codec = GenericCodec(query=QUERY)
    facts = CallFacts("q1", "+49", "", leg="generic", parameters={"k": "v"})
    assert list(codec.receive(b"\0\0")) == [Answered(facts), Media(b"\0\0")]
    assert codec.rate == 24_000


def test_a_start_message_counts_more_than_the_query_string() -> None:
    """What both say is that of the message, the rest of both counts."""
    codec = GenericCodec(query=QUERY)
    [event] = told(codec, type="start", call="m1", to="+50", parameters={"l": 3})
    assert event == Answered(CallFacts("m1", "+49", "+50", leg="generic", parameters={"k": "v", "l": "3"}))


@pytest.mark.parametrize(
    "first", [b"\0\0", '{"type":"dtmf","digit":"1"}', "hello", "[]", '{"type":"start","rate":8001}']
)
def test_another_beginning_is_refused(first: str | bytes) -> None:
    """With a reason, so that whoever writes a client sees what is missing."""
    with pytest.raises(CarrierFault):
        GenericCodec().receive(first)


def test_messages_become_events() -> None:
    """Marks played and thrown away, the cleared buffer, a key, a complaint, the end; nothing after the end."""
    codec = GenericCodec()
    told(codec, **START)
    assert told(codec, type="marked", name="a-1") == [MarkBack("a-1")]
    assert told(codec, type="marked", name="a-2", cleared=True) == [MarkBack("a-2", cleared=True)]
    assert told(codec, type="cleared") == [Emptied()]
    assert told(codec, type="dtmf", digit="d") == [Key("D")]
    assert told(codec, type="error", text="no trunk") == [Complaint("no trunk")]
    assert told(codec, type="news") == told(codec, **START) == []
    with pytest.raises(CarrierFault, match="3 bytes"):
        codec.receive(b"123")
    assert told(codec, type="hangup", reason="caller") == [Ended("caller")]
    assert codec.receive(b"\0\0") == ()


def test_what_we_send_is_what_the_documentation_says() -> None:
    """Sound as it is in parts of at most 32000 bytes, and the four commands."""
    codec = GenericCodec()
    assert [len(part) for part in codec.media(bytes(70_000))] == [32_000, 32_000, 6000]
    sent = [*codec.mark("u1-4000"), *codec.clear(), *codec.hang_up(), *codec.transfer("+4930789")]
    documented = generic.__doc__ or ""
    assert all(f"`{message!s}`" in documented for message in sent)
    assert codec.fill() == ()
    assert codec.marks_after_clear is MarksAfterClear.RETURNED

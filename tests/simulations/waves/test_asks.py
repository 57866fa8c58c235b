"""Reading a client's message: the defaults of the specification, and what counts as wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.waves.asks import _FIELDS, BadRequest, read_ask

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(sorted(_FIELDS))


def test_defaults_are_those_of_the_specification() -> None:
    """44100 samples, normal speed, 4 s of back-off, 3 s of buffering, nothing more to come."""
    ask = read_ask('{"text": "Hello.", "voice_id": "magnus"}', per_model=False)
    assert (ask.text, ask.voice, ask.rate, ask.speed) == ("Hello.", "magnus", 44100, 1.0)
    assert (ask.complete_backoff, ask.buffer_delay) == (4.0, 3.0)
    assert not any((ask.word_timestamps, ask.more, ask.close, ask.cancel, ask.context))


@pytest.mark.parametrize(
    "frame",
    [
        {"voice_id": "emily", "text": "a", "language": "en", "sample_rate": 24000, "speed": 1, "continue": False,
         "flush": False, "max_buffer_flush_ms": 100, "consistency": 0.5, "similarity": 0, "enhancement": 1},
        {"model": "lightning_v3.1", "voice_id": "sophia", "sample_rate": 24000, "speed": 1.0, "language": "en",
         "context_id": "c", "max_buffer_delay_ms": 3000, "text": "tok", "continue": True},
        {"model": "lightning_v3.1", "voice_id": "sophia", "context_id": "c", "cancel_request": True},
        {"text": "a", "voice_id": "magnus", "model": "lightning_v3.1_pro", "language": "hi", "sample_rate": 16000,
         "context_id": "c", "continue": True, "word_timestamps": True, "output_format": "pcm"},
        {"text": " ", "voice_id": "magnus", "model": "lightning_v3.1", "language": "en"},
        {"text": " "},
        {"context_id": "c", "context_close": True},
    ],
)  # fmt: skip
def test_frames_that_clients_were_seen_to_send_are_read(frame: dict[str, Any]) -> None:
    """What the SDKs and plugins send is right, on either path."""
    for per_model in (False, True):
        assert read_ask(json.dumps(frame), per_model=per_model).text == frame.get("text", "")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": 5}, "text"),
        ({"voice_id": ""}, "voice_id"),
        ({"model": "lightning"}, "model"),
        ({"sample_rate": 22050}, "sample_rate"),
        ({"sample_rate": True}, "sample_rate"),
        ({"speed": 2.1}, "speed"),
        ({"speed": float("nan")}, "speed"),
        ({"continue": "yes"}, "continue"),
        ({"request_id": "a b"}, "request_id"),
        ({"session_id": "x" * 129}, "session_id"),
        ({"complete_backoff_ms": 10001}, "complete_backoff_ms"),
        ({"context_id": "c", "max_buffer_flush_ms": 10}, "context_id"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], field: str) -> None:
    """Each issue has a code, the path of the field and a message."""
    body = {"text": "Hello.", "voice_id": "magnus", **change}
    with pytest.raises(BadRequest) as wrong:
        read_ask(json.dumps(body), per_model=False)
    assert [issue["path"] for issue in wrong.value.issues] == [[field]]
    assert wrong.value.issues[0].keys() == {"code", "path", "message"}


def test_the_older_path_takes_any_rate_and_model() -> None:
    """Older models spoke at any rate between 8000 and 24000."""
    body = '{"text": "a", "voice_id": "emily", "model": "lightning-v2", "sample_rate": 11025}'
    assert read_ask(body, per_model=True).rate == 11025


@given(st.dictionaries(NAMES, JSON) | JSON, st.booleans())
def test_any_json_is_read_or_refused(body: Any, per_model: bool) -> None:
    """Nothing but BadRequest comes out, and what passes has the right types."""
    try:
        ask = read_ask(json.dumps(body), per_model=per_model)
    except BadRequest as bad:
        said = json.dumps(bad.issues)
    else:
        said = repr(ask)
        assert 8000 <= ask.rate <= 44100
        assert 0 <= ask.complete_backoff <= 10
    assert said


@pytest.mark.parametrize("message", ["", "[1", "[" * 100_000, "9" * 5000, "\ud800", b"{}"])
def test_what_is_no_json_object_is_refused(message: str | bytes) -> None:
    """Rubbish, endless nesting and binary frames are wrong requests and nothing worse."""
    with pytest.raises(BadRequest):
        read_ask(message, per_model=False)

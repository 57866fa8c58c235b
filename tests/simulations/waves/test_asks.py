"""Reading a client's request, by WebSocket or HTTP: the defaults of the specification, and what counts as wrong."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.waves.asks import BadRequest, read_ask, read_body
from simulations.waves.checks import WEBSOCKET

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(sorted(WEBSOCKET))


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
    assert wrong.value.issues[0].keys() >= {"code", "path", "message"}


@pytest.mark.parametrize("wanted", [{"text": "And this."}, {"text": "And this.", "continue": True}])
def test_the_last_words_of_a_context_have_a_voice(wanted: dict[str, Any]) -> None:
    """Only an end without words needs none: else they would be spoken by nobody, unknown to the pools."""
    with pytest.raises(BadRequest) as wrong:
        read_ask(json.dumps({"context_id": "c", "context_close": True, **wanted}), per_model=False)
    assert [issue["path"] for issue in wrong.value.issues] == [["voice_id"]]
    assert read_ask('{"context_id": "c", "context_close": true, "text": " "}', per_model=False).close
    assert read_ask('{"context_id": "c", "cancel_request": true, "text": "Not this."}', per_model=False).cancel


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


# --- bodies of HTTP requests ---

HELLO = {"text": "Hello.", "voice_id": "magnus"}


def body_of(**fields: Any) -> bytes:
    """Return the body of a request."""
    return json.dumps({**HELLO, **fields}).encode()


@pytest.mark.parametrize(
    ("path", "model", "rate"),
    [
        (None, "lightning_v3.1", 44100),
        ("lightning-v3.1", "lightning_v3.1", 44100),
        ("lightning-v3.1-pro", "lightning_v3.1_pro", 44100),
        ("lightning-v2", "lightning_v2", 24000),
        ("lightning-large", "lightning_large", 24000),
        ("lightning", "lightning", 24000),
    ],
)
def test_the_defaults_of_a_body_are_those_of_its_model(path: str | None, model: str, rate: int) -> None:
    """PCM at normal speed; the rate is the model's, whichever the body may name beside the path."""
    ask = read_body(body_of(), model_of_path=path)
    assert (ask.text, ask.voice, ask.speed, ask.output_format, ask.language) == ("Hello.", "magnus", 1.0, "pcm", None)
    assert (ask.model, ask.rate) == (model, rate)
    assert (ask.complete_backoff, ask.more, ask.context) == (0.0, False, None)
    if path is not None:
        assert read_body(body_of(model="any"), model_of_path=path).model == model


def test_a_body_says_what_it_wants() -> None:
    """Every field that matters arrives; what older clients send beside them does no harm."""
    body = body_of(
        model="lightning_v3.1_pro", sample_rate=16000, speed=1.5, language="hi", output_format="wav", session_id="s",
        request_id="r", consistency=0.5, similarity=0, enhancement=1, add_wav_header=False,
        content_filter={"enabled": True},
    )  # fmt: skip
    ask = read_body(body, model_of_path=None)
    assert (ask.model, ask.rate, ask.speed, ask.language) == ("lightning_v3.1_pro", 16000, 1.5, "hi")
    assert (ask.output_format, ask.session, ask.request) == ("wav", "s", "r")


def test_all_that_is_wrong_with_a_body_is_told() -> None:
    """What is missing and what is wrong, at once; null is nothing, too."""
    with pytest.raises(BadRequest) as wrong:
        read_body(b'{"text": null, "speed": 9, "output_format": "mulaw"}', model_of_path=None)
    assert [issue["path"] for issue in wrong.value.issues] == [["text"], ["voice_id"], ["speed"], ["output_format"]]


@pytest.mark.parametrize("path", ["lightning", "lightning-large", "lightning-v2"])
def test_older_models_know_mu_law_by_its_old_name(path: str) -> None:
    """As the official SDK 4.3 spells it for them; the current models refuse it."""
    assert read_body(body_of(output_format="mulaw"), model_of_path=path).output_format == "ulaw"
    for current in (None, "lightning-v3.1"):
        with pytest.raises(BadRequest):
            read_body(body_of(output_format="mulaw"), model_of_path=current)


@pytest.mark.parametrize(
    ("change", "path"),
    [({"sample_rate": 44100}, "lightning-v2"), ({"sample_rate": 11025}, None), ({"model": "lightning-v3.1"}, None)],
)
def test_limits_are_those_of_the_path(change: dict[str, Any], path: str | None) -> None:
    """What is right for one model is wrong for another."""
    with pytest.raises(BadRequest):
        read_body(body_of(**change), model_of_path=path)


@pytest.mark.parametrize(
    "read",
    [partial(read_body, model_of_path=None), lambda body, **more: read_ask(body.decode(), per_model=False, **more)],
)
def test_voices_may_have_to_be_known(read: Any) -> None:
    """By default every name is taken; whoever is told which there are refuses the others."""
    assert read(body_of(voice_id="en-gb+f2")).voice == "en-gb+f2"
    assert read(body_of(), knows_voice=lambda name: name == "magnus").voice == "magnus"
    with pytest.raises(BadRequest) as wrong:
        read(body_of(voice_id="nobody"), knows_voice=lambda name: name == "magnus")
    assert wrong.value.issues == [{"code": "custom", "path": ["voice_id"], "message": "Invalid Voice ID"}]


@pytest.mark.parametrize("body", [b"", b"[1", b"[" * 100_000, b"9" * 5000, b"\xff\xfe\x00", b"[]", b"null", b'"text"'])
def test_what_is_no_json_object_is_a_wrong_body(body: bytes) -> None:
    """Rubbish of all kinds is a wrong request with one issue, and nothing worse."""
    with pytest.raises(BadRequest) as wrong:
        read_body(body, model_of_path=None)
    assert [issue["code"] for issue in wrong.value.issues] == ["invalid_type"]
    assert json.dumps(wrong.value.issues)

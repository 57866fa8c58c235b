"""The Waves wire format against the shapes that were seen: what we send, what we read, what garbage gets."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.voices.waves import WavesCodec
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Complete, Failed, Sound, SpeechRequest, WordTime
from orchestrator.settings import ProviderSettings
from simulations.waves.asks import read_ask

KEY = "sk_secret_of_the_account"
REQUEST = SpeechRequest(id="c1-2-3", text="Hello \ud83d there.", rate=8000, voice="avery", language="hi", speed=1.2)
NAMES = {"session_id": "ws_1", "request_id": "task_1", "external_request_id": "c1-2-3"}


def codec(**settings: Any) -> WavesCodec:
    """Return a codec with a key."""
    return WavesCodec(ProviderSettings(**settings), KEY)


def decoded(**body: Any) -> Any:
    """Return what an object says."""
    return codec().decode(json.dumps(body))


def fault(**body: Any) -> ProviderFault:
    """Return the fault that an error frame stands for."""
    frame = decoded(**body)
    assert isinstance(frame, Failed)
    return frame.fault


def test_the_address_is_the_current_one_or_has_the_model_in_it() -> None:
    """Hyphenated in the path, as the older generation wants it."""
    assert codec().address() == "wss://api.smallest.ai/waves/v1/tts/live"
    older = codec(api="per_model", address="ws://127.0.0.1:8000", model="lightning_v3.1")
    assert older.address() == "ws://127.0.0.1:8000/waves/v1/lightning-v3.1/get_speech/stream"


def test_the_key_is_in_the_headers_and_nowhere_else() -> None:
    """As a bearer token; no repr, no message shows it."""
    assert codec().headers()["Authorization"] == f"Bearer {KEY}"
    assert KEY not in repr(codec()) + str(codec()) + codec().encode(REQUEST) + codec().address()


@pytest.mark.parametrize("per_model", [False, True])
def test_a_request_says_all_that_is_asked_for(per_model: bool) -> None:
    """One text frame with the published fields; no back-off after the last chunk, for it would hold the slot."""
    message = codec(api="per_model" if per_model else "unified").encode(REQUEST)
    assert json.loads(message) == {
        "text": REQUEST.text,
        "voice_id": "avery",
        "language": "hi",
        "sample_rate": 8000,
        "speed": 1.2,
        "request_id": "c1-2-3",
        "complete_backoff_ms": 0,
        "word_timestamps": True,
    } | ({} if per_model else {"model": "lightning_v3.1"})
    assert message.isascii()
    ask = read_ask(message, per_model=per_model)
    assert (ask.text, ask.request, ask.rate, ask.complete_backoff) == (REQUEST.text, "c1-2-3", 8000, 0)


def test_word_times_are_asked_for_by_setting() -> None:
    """Where they are off the field is not sent."""
    assert "word_timestamps" not in json.loads(codec(word_timestamps=False).encode(REQUEST))


def test_dictionaries_go_with_every_request() -> None:
    """By their ids; without any the field is not there."""
    assert json.loads(codec(dictionaries=("d1", "d2")).encode(REQUEST))["pronunciation_dicts"] == ["d1", "d2"]
    assert "pronunciation_dicts" not in json.loads(codec().encode(REQUEST))


def test_chunks_words_and_ends_are_read() -> None:
    """With our id on each."""
    audio = base64.b64encode(b"\1\0\2\0").decode()
    assert decoded(**NAMES, status="chunk", data={"audio": audio}) == Sound("c1-2-3", b"\1\0\2\0")
    word = {"id": 2, "word": "$100", "start": 1.12, "end": 1.92}
    assert decoded(**NAMES, status="word_timestamp", data=word) == WordTime("c1-2-3", 2, "$100", 1.12, 1.92)
    assert decoded(**NAMES, status="complete") == Complete("c1-2-3")


def test_the_older_generations_frames_are_read() -> None:
    """Its `complete` has a message and `done`; frames without our id come with an empty one."""
    older = {"request_id": "x", "status": "complete", "message": "All chunks sent", "done": True}
    assert decoded(**older) == Complete("")
    assert decoded(status="chunk", data={"audio": ""}, external_request_id=7) == Sound("", b"")


@pytest.mark.parametrize("body", [{}, {"status": "206"}, {"status": None}, {"status": ["chunk"]}, {"type": "ping"}])
def test_what_says_nothing_to_us_is_passed_over(body: dict[str, Any]) -> None:
    """A status that does not exist yet is no error."""
    assert decoded(**body) is None


FAULTS: list[tuple[dict[str, Any], FaultKind]] = [
    ({"status": "error", "message": "Concurrency limit reached"}, FaultKind.CONCURRENCY),
    ({"error": {"message": "Concurrency limit reached", "type": "x", "request_id": "y"}}, FaultKind.CONCURRENCY),
    ({"error": "Rate limit exceeded. Please retry after a short backoff.", "request_id": "1"}, FaultKind.CONCURRENCY),
    ({"status": "error", "message": "429 Too Many Requests"}, FaultKind.CONCURRENCY),
    ({"error": "Rate limit exceeded", "code": "RATE_LIMIT_EXCEEDED", "retry_after": 60}, FaultKind.RATE),
    ({"status": "error", "message": "Limit of 100 requests per minute"}, FaultKind.RATE),
    ({"status": "error", "message": "Concurrency limit reached for this api key"}, FaultKind.CONCURRENCY),
    ({"error": "Rate limit exceeded for API key", "code": "forbidden"}, FaultKind.CONCURRENCY),
    ({"error": "This API key has a limit of 100 requests per minute"}, FaultKind.RATE),
    ({"status": "error", "message": "Limit of 5 concurrent connections reached for this api key"}, FaultKind.LINKS),
    ({"type": "error", "error": "Too many connections"}, FaultKind.LINKS),
    ({"status": "error", "message": "Try again later", "code": "server_full"}, FaultKind.LINKS),
    ({"status": "error", "data": {"error": "Concurrency limit reached"}}, FaultKind.CONCURRENCY),
    ({"data": {"error": {"message": "Invalid API key", "code": "unauthorized"}}}, FaultKind.FINAL),
    ({"status": "error", "message": "Invalid API key 74290"}, FaultKind.FINAL),
    ({"status": "error", "error_code": "MODEL_DEPRECATED", "message": "Please migrate."}, FaultKind.FINAL),
    ({"error": "Unauthorized", "message": "Bearer token is missing or invalid."}, FaultKind.FINAL),
    ({"status": "error", "message": "Invalid API key"}, FaultKind.FINAL),
    ({"status": "error", "message": "Invalid input data", "errors": [{"path": ["voice_id"]}]}, FaultKind.REQUEST),
    ({"error": [{"code": "custom", "path": ["voice_id"], "message": "Invalid Voice ID"}]}, FaultKind.REQUEST),
    ({"error": "InvalidRequest", "message": "The 'text' field is required."}, FaultKind.REQUEST),
    ({"status": "error", "message": "CONTENT_FILTER_BLOCKED"}, FaultKind.REQUEST),
    ({"error": "InternalServerError", "message": "An unexpected error occurred."}, FaultKind.RETRY),
    ({"status": "error", "message": "Connection timed out after 60 seconds of inactivity"}, FaultKind.RETRY),
    ({"status": "error"}, FaultKind.RETRY),
]


@pytest.mark.parametrize(("body", "kind"), FAULTS)
def test_errors_of_every_shape_have_the_kind_that_their_words_mean(body: dict[str, Any], kind: FaultKind) -> None:
    """With `status` and without; the words stay readable in the fault."""
    read = fault(**body)
    assert read.kind is kind
    assert read.message


def test_a_faults_message_names_what_is_wrong() -> None:
    """Issues and codes are shown, for "Invalid input data" alone tells nobody anything."""
    body = {"message": "Invalid input data", "errors": [{"path": ["voice_id"], "message": "Invalid Voice ID"}]}
    assert "Invalid Voice ID" in fault(status="error", **body).message
    assert len(fault(status="error", message="x" * 5000).message) <= 300


@pytest.mark.parametrize("wait", [6, 0.5, 0])
def test_a_wait_is_taken_from_either_place(wait: float) -> None:
    """Beside the error or inside it."""
    for body in ({"error": "busy", "retry_after": wait}, {"error": {"message": "busy", "retry_after": wait}}):
        assert fault(**body).retry_after == wait
        assert fault(**body).kind is FaultKind.RATE


@pytest.mark.parametrize("wait", [float("inf"), float("nan"), -1, 10**400, True, "soon", None, [1]])
def test_a_wait_that_is_none_stops_nobody(wait: Any) -> None:
    """Nobody sleeps for ever, or less than nothing, because a provider said so."""
    assert fault(status="error", message="Concurrency limit reached", retry_after=wait).retry_after is None


def test_an_errors_id_is_kept_where_it_has_one() -> None:
    """Errors that name no request have an empty id."""
    assert decoded(**NAMES, status="error", message="no").id == "c1-2-3"
    assert decoded(status="error", message="no").id == ""


GARBAGE: list[str | bytes] = [
    "",
    "nonsense",
    b"\xff\xfe",
    "null",
    "[1]",
    "[" * 100_000,
    '{"status": "chunk"}',
    '{"status": "chunk", "data": {"audio": 1}}',
    '{"status": "chunk", "data": {"audio": "abc"}}',
    '{"status": "chunk", "data": {"audio": "\u00e9\u00e9\u00e9\u00e9"}}',
    '{"status": "word_timestamp", "data": {"id": 1, "word": "a", "start": 0}}',
    '{"status": "word_timestamp", "data": {"id": Infinity, "word": "a", "start": 0, "end": 1}}',
    '{"status": "word_timestamp", "data": {"id": 1, "word": "a", "start": NaN, "end": 1}}',
    '{"status": "word_timestamp", "data": {"id": 1, "word": "a", "start": 0, "end": 1' + "0" * 400 + "}}",
]


@pytest.mark.parametrize("message", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_a_fault_worth_retrying(message: str | bytes) -> None:
    """Never another exception: it would end every call."""
    with pytest.raises(ProviderFault) as caught:
        codec().decode(message)
    assert caught.value.kind is FaultKind.RETRY
    assert len(str(caught.value)) < 300


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
NAMES_OF_FIELDS = ("status", "data", "error", "errors", "message", "code", "retry_after", "external_request_id")
bodies = st.dictionaries(
    st.sampled_from(NAMES_OF_FIELDS),
    values
    | st.sampled_from(("chunk", "word_timestamp", "complete", "error"))
    | st.fixed_dictionaries({}, optional=dict.fromkeys(("audio", "id", "word", "start", "end", "message"), values)),
)


@given(st.text() | st.binary() | bodies.map(json.dumps))
def test_whatever_comes_is_a_frame_nothing_or_a_fault(message: str | bytes) -> None:
    """Texts, bytes, and objects with the right names and anything in them."""
    try:
        frame = codec().decode(message)
    except ProviderFault:
        return
    assert frame is None or isinstance(frame.id, str)

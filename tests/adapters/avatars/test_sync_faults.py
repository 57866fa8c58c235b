"""Refusals of the service: each means one thing, by its code first; no message holds a key or a signature."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.avatars.sync_faults import fault_of, storage_fault_of
from orchestrator.errors import AvatarFault, FaultKind
from tests.adapters.avatars.sync_api import KEY

RATE, CONCURRENCY, RETRY = FaultKind.RATE, FaultKind.CONCURRENCY, FaultKind.RETRY
REQUEST, FINAL = FaultKind.REQUEST, FaultKind.FINAL
BATCH_WORDS = "Batch concurrency limit reached. Please wait for an existing batch to complete or upgrade your plan..."


def refused(
    status: int, body: Any = None, *, creates: bool = True, headers: Mapping[str, str] | None = None
) -> AvatarFault:
    """Return what a refusal means; a body that is not bytes is JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    return fault_of(status, raw, headers=headers or {}, creates=creates, secret=KEY)


@pytest.mark.parametrize(
    ("status", "code", "kind", "uncertain"),
    [
        (429, "rate_limit_exceeded", RATE, False),
        (429, "concurrency_limit_reached", CONCURRENCY, False),
        (403, "concurrency_limit_reached", CONCURRENCY, False),
        (503, "IDEMPOTENCY_OUTCOME_UNKNOWN", RETRY, True),
        (400, "INVALID_IDEMPOTENCY_KEY", REQUEST, False),
        (409, "IDEMPOTENCY_IN_PROGRESS", RETRY, True),
        (409, "IDEMPOTENCY_KEY_REUSED", REQUEST, False),
        (409, "IDEMPOTENCY_KEY_CONFLICT", REQUEST, False),
        (422, "IDEMPOTENCY_PAYLOAD_MISMATCH", REQUEST, False),
        (503, "elevenlabs_service_unavailable", RETRY, False),
        (504, "elevenlabs_service_unavailable", RETRY, False),
        (422, "file_size_exceeds_plan_limit", REQUEST, False),
        (413, "generation_input_validation_failed", REQUEST, False),
        (402, "generation_audio_length_exceeded", REQUEST, False),
        (500, "generation_database_error", RETRY, True),
        (500, "internal_error", RETRY, True),
        (400, "", REQUEST, False),
        (401, "", FINAL, False),
        (402, "", FINAL, False),
        (403, "", FINAL, False),
        (404, "", REQUEST, False),
        (409, "", RETRY, True),
        (413, "", REQUEST, False),
        (415, "", REQUEST, False),
        (422, "", REQUEST, False),
        (429, "", RATE, False),
        (429, "plan_concurrency", CONCURRENCY, False),
        (408, "", RETRY, True),
        (418, "", RETRY, False),
        (302, "", RETRY, False),
        (500, "", RETRY, True),
        (502, "", RETRY, True),
        (503, "", RETRY, True),
        (504, "", RETRY, True),
        (599, "", RETRY, True),
    ],
)
def test_each_refusal_of_a_create_has_its_answer(status: int, code: str, kind: FaultKind, uncertain: bool) -> None:
    """The code says it, else the status; only what may hide a video in the making is uncertain."""
    fault = refused(
        status, {"statusCode": status, "errorCode": code, "message": "Words"} if code else {"message": "Words"}
    )
    assert (fault.kind, fault.uncertain, fault.code) == (kind, uncertain, code)
    assert fault.message == f"Words [{status}]"


@pytest.mark.parametrize(("status", "kind"), [(500, RETRY), (503, RETRY), (408, RETRY), (409, REQUEST)])
def test_a_question_is_never_uncertain(status: int, kind: FaultKind) -> None:
    """What begins nothing can be asked again without a look at the list."""
    fault = refused(status, creates=False)
    assert (fault.kind, fault.uncertain) == (kind, False)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (BATCH_WORDS, CONCURRENCY),
        (["Too many CONCURRENT generations"], CONCURRENCY),
        ("Rate limit exceeded. Please try again later.", RATE),
        ("", RATE),
    ],
)
def test_a_429_without_a_code_is_told_by_its_words(message: Any, kind: FaultKind) -> None:
    """The two limits share a status; old answers have no code."""
    assert refused(429, {"statusCode": 429, "message": message}).kind is kind


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": ["model must be one of", "input is empty"]}, "model must be one of; input is empty [400]"),
        ({"error": "Bad Request"}, "Bad Request [400]"),
        ({"error": {"message": "nested", "code": "x"}}, "nested [400]"),
        (b"plain words\r\n of a proxy", "plain words of a proxy [400]"),
        (b"<html><h1>Bad</h1></html>", "the video service answered Bad Request [400]"),
        (b"", "the video service answered Bad Request [400]"),
        (b"[1, 2", "the video service answered Bad Request [400]"),
        (b"[" * 20_000, "the video service answered Bad Request [400]"),
        ({"message": 7}, "the video service answered Bad Request [400]"),
        ({"message": "\x1b[31mred\x07\u2028next\ud800"}, "[31mred next? [400]"),
        ({"message": "x" * 1000}, "x" * 397 + "... [400]"),
    ],
)
def test_messages_are_words_for_people(body: Any, words: str) -> None:
    """A string, a list, a nested one or none: one bounded line without control characters."""
    assert refused(400, body).message == words


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"bad key {KEY}", "bad key ***"),
        (
            "can't read https://s3.example/v.mp4?X-Amz-Signature=abc&b=1 sorry",
            "can't read https://s3.example/v.mp4?... sorry",
        ),
        ("(https://a.example/v#token)", "(https://a.example/v?...)"),
        ("https://user:word@a.example/v?x=1", "https://a.example/v?..."),
        ("https://user:word@a.example/v", "https://a.example/v"),
        ("https://a.example/v.mp4", "https://a.example/v.mp4"),
    ],
)
def test_no_message_shows_a_key_or_a_signature(said: str, shown: str) -> None:
    """Wherever the service repeats them, in its words or its code."""
    fault = refused(400, {"message": said, "errorCode": KEY})
    assert fault.message == f"{shown} [400]"
    assert fault.code == "***"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("2", 2.0), ("0.5", 0.5), ("0", 0.0), ("99999", 3600.0), ("-1", None), ("nan", None), ("inf", None), ("", None)],
)
def test_retry_after_is_believed_in_seconds(header: str, seconds: float | None) -> None:
    """Bounded by an hour; a date would need the service's clock."""
    assert refused(429, headers={"retry-after": header}).retry_after == seconds


def test_an_unknown_outcome_names_the_generation() -> None:
    """So that people find it, too."""
    fault = refused(503, {"errorCode": "IDEMPOTENCY_OUTCOME_UNKNOWN", "message": "Unknown", "generationId": "g7"})
    assert fault.message == "Unknown (it may be generation g7) [503]"


def test_a_redirect_names_the_setting() -> None:
    """An address with the wrong scheme is found by what the service answers."""
    fault = refused(301, headers={"location": "https://a.example/v2?a=1"})
    words = "the video service answered Moved Permanently, and names https://a.example/v2: see lipsync.address [301]"
    assert fault.message == words


@pytest.mark.parametrize(("status", "kind"), [(400, REQUEST), (403, RETRY), (404, REQUEST), (429, RETRY), (503, RETRY)])
def test_the_storage_has_its_own_meanings(status: int, kind: FaultKind) -> None:
    """A signature that ran out (403) says nothing of our key; the XML's other fields repeat the signature."""
    body = b"<Error><Code>AccessDenied</Code><StringToSign>secret</StringToSign></Error>"
    fault = storage_fault_of(status, body, what="the upload of a.wav")
    assert (fault.kind, fault.code, fault.uncertain) == (kind, "AccessDenied", False)
    assert fault.message == f"the storage refused the upload of a.wav: AccessDenied [{status}]"


@pytest.mark.parametrize(
    ("body", "words", "code"),
    [
        ({"statusCode": 404, "message": "There are no results"}, "There are no results", ""),
        ({"errorCode": "gone_for_good", "message": ["Too", "late"]}, "Too; late", "gone_for_good"),
        ({"error": {"code": "gone"}}, "gone", "gone"),
        ({"message": "see https://s3.example/v?sig=secret"}, "see https://s3.example/v?...", ""),
        ([], "no reason", ""),
    ],
)
def test_the_service_refuses_a_url_of_its_own_in_json(body: Any, words: str, code: str) -> None:
    """As the API does, whose words are shown."""
    fault = storage_fault_of(404, json.dumps(body).encode(), what="the results of a batch")
    assert (fault.message, fault.code) == (f"the storage refused the results of a batch: {words} [404]", code)


@given(status=st.integers(300, 599), body=st.binary(max_size=300), creates=st.booleans())
def test_any_answer_is_a_fault(status: int, body: bytes, creates: bool) -> None:
    """Whatever is said, it is mapped, and its message is one bounded line."""
    fault = fault_of(status, body, headers={}, creates=creates)
    assert len(fault.message) < 450
    assert fault.message.isprintable()

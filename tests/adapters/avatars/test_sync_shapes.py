"""The JSON of the service: read in all its spellings, and refused where it is something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.avatars.sync_batches import batch_file, batch_of, batches_of, results_of
from orchestrator.adapters.avatars.sync_shapes import (
    Cost,
    WrongShapeError,
    cost_of,
    count_of,
    create_fields,
    generation_of,
    generations_of,
    json_bytes,
    media_type,
    models_of,
    upload_place_of,
)
from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.ports import Batch, BatchLine, BatchResult, Generation, VideoRequest
from tests.adapters.avatars.sync_api import GENERATION, REQUEST

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from([*GENERATION, "error", "errorCode", "outputDuration", "metrics", "count", "url"])


def test_a_generation_is_read() -> None:
    """Times become Unix seconds, null becomes empty."""
    assert generation_of(GENERATION) == Generation(
        id="0b7e-1",
        status="PENDING",
        model="lipsync-2",
        input=REQUEST.input,
        created_at=1767323045.5,
        webhook_url=REQUEST.webhook_url,
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"outputUrl": "https://a/1?sig=2"}, {"output_url": "https://a/1?sig=2"}),
        ({"outputMediaUrl": "https://a/1"}, {"output_url": "https://a/1"}),
        ({"outputDuration": 12}, {"output_duration": 12.0}),
        ({"outputDuration": float("nan")}, {"output_duration": None}),
        ({"outputDuration": 10**400}, {"output_duration": None}),
        ({"error": "no face", "error_code": "generation_x"}, {"error": "no face", "error_code": "generation_x"}),
        ({"error": "no face", "errorCode": "generation_x"}, {"error": "no face", "error_code": "generation_x"}),
        ({"error": {"message": ["a", "b"], "code": "c"}}, {"error": "a; b", "error_code": "c"}),
        ({"status": "completed"}, {"status": "COMPLETED"}),
        ({"status": "TIMED_OUT"}, {"status": "FAILED", "error_code": "timed_out"}),
        ({"status": "CANCELED"}, {"status": "FAILED", "error_code": "canceled"}),
        ({"status": "QUEUED"}, {"status": "PROCESSING"}),
        ({"createdAt": None, "created_at": "2026-01-02T03:04:05"}, {"created_at": 1767323045.0}),
        ({"createdAt": 1767323045000}, {"created_at": 1767323045.0}),
        ({"createdAt": "yesterday"}, {"created_at": None}),
        ({"input": "nothing"}, {"input": ()}),
        ({"input": [1, {"type": "video"}]}, {"input": ({"type": "video"},)}),
        ({"webhookUrl": {}}, {"webhook_url": ""}),
        ({"model": "\ud800"}, {"model": "?"}),
    ],
)
def test_both_spellings_and_odd_values(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    """Fields were renamed, and states came and went; one that nobody told us of still holds its place."""
    usual = generation_of({**GENERATION, "outputUrl": None, "webhookUrl": None})
    assert generation_of({**GENERATION, "webhookUrl": None, **fields}) == evolve(usual, **expected)


@pytest.mark.parametrize(
    "value", [None, 7, [], "x", {}, {"id": "a"}, {"status": "PENDING"}, {"id": 7, "status": "PENDING"}]
)
def test_what_is_no_generation_is_refused(value: Any) -> None:
    """An id and a state are the least."""
    with pytest.raises(WrongShapeError):
        generation_of(value)
    with pytest.raises(WrongShapeError):
        generations_of([GENERATION, value])


def test_answers_of_the_command_line_are_read() -> None:
    """Costs of both endpoints, counts, models, places of uploads."""
    assert cost_of([{"estimatedFrameCount": 123, "estimatedGenerationCost": 0.12}]) == Cost(frames=123, dollars=0.12)
    newer = {"estimatedFrameCount": 30, "estimatedGenerationCost": 0, "estimatedCredits": 5}
    assert cost_of(newer) == Cost(frames=30, dollars=0, credits=5)
    assert count_of({"count": 3}) == 3
    assert [model.name for model in models_of([{"id": "1", "name": "lipsync-2"}, {"id": "sync-3"}, {}])] == [
        "lipsync-2",
        "sync-3",
    ]
    assert upload_place_of({"uploadUrl": "https://s3/x?sig", "url": "https://a/x", "expiresIn": 1}).url == "https://a/x"
    wrongs: list[tuple[Callable[[object], object], Any]] = [(cost_of, []), (cost_of, [{}]), (count_of, {"count": "3"})]
    for read, wrong in [*wrongs, (upload_place_of, {"url": "x"})]:
        with pytest.raises(WrongShapeError):
            read(wrong)


def test_a_batch_is_read() -> None:
    """Its own fields are in snake case, some of them."""
    metrics = {"total_generations": 20, "success_count": 18, "failed_count": 2, "pending_count": 0}
    fields = {"id": "b1", "created_at": "2026-01-02T03:04:05Z", "status": "COMPLETED", "metrics": metrics}
    expected = Batch(id="b1", status="COMPLETED", created_at=1767323045.0, total=20, succeeded=18, failed=2)
    assert batches_of([{**fields, "outputUrl": None, "webhookUrl": "https://h"}]) == (
        evolve(expected, webhook_url="https://h"),
    )
    assert batch_of({"status": "VALIDATED"}) == Batch(id="", status="VALIDATED")
    assert batch_of({"id": "b", "status": "SORTING", "metrics": 7}).live
    wrongs: list[object] = [{"status": "PENDING"}, {"id": "b"}, []]
    for wrong in wrongs:
        with pytest.raises(WrongShapeError):
            batch_of(wrong)


def lines(count: int, request: VideoRequest = REQUEST) -> list[BatchLine]:
    """Return the lines of a batch."""
    return [BatchLine(request_id=f"job-{index}", request=request) for index in range(count)]


def test_a_batch_s_file_has_a_line_for_each_job() -> None:
    """As the service documents it."""
    written = [json.loads(line) for line in batch_file(lines(20)).splitlines()]
    assert len(written) == 20
    assert written[3] == {"request_id": "job-3", "endpoint": "/v2/generate", "payload": create_fields(REQUEST)}


@pytest.mark.parametrize(
    "wrong",
    [
        lines(19),
        lines(501),
        [*lines(20), *lines(1)],
        lines(500, evolve(REQUEST, options={"prompt": "x" * 11_000})),
        lines(20, evolve(REQUEST, options={"temperature": float("inf")})),
        lines(20, evolve(REQUEST, input=({"type": "video", "url": "file:///a/v.mp4"},))),
    ],
)
def test_a_batch_that_would_be_refused_is_not_sent(wrong: list[BatchLine]) -> None:
    """Too few, too many, the same id twice, too large, no JSON, a file of ours."""
    with pytest.raises(AvatarFault) as refused:
        batch_file(wrong)
    assert refused.value.kind is FaultKind.REQUEST


def test_results_are_read_line_by_line_in_any_shape() -> None:
    """What is published nowhere is read as it may come; a line of nonsense costs itself only."""
    said: list[Any] = [
        {"requestId": "1", "status": "COMPLETED", "generationId": "g1", "outputMediaUrl": "https://a/1?s"},
        {"request_id": "2", "status": "FAILED", "error": "no face", "errorCode": "generation_x", "generation_id": "g2"},
        {"request_id": "3", "generation": {"id": "g3", "status": "REJECTED", "error": {"message": "m", "code": "c"}}},
        {"request_id": "4", "response": {"id": "g4", "outputUrl": "https://a/4"}},
        {"requestId": "5", "error": "bad line"},
        {"requestId": "6", "status": "TIMED_OUT"},
        {"status": "COMPLETED"},
        [1],
    ]
    file = b"\r\n".join([json.dumps(line).encode() for line in said] + [b"{half a li", b"", b"\xff"])
    assert results_of(file) == (
        BatchResult(request_id="1", status="COMPLETED", generation_id="g1", output_url="https://a/1?s"),
        BatchResult(request_id="2", status="FAILED", generation_id="g2", error="no face", error_code="generation_x"),
        BatchResult(request_id="3", status="REJECTED", generation_id="g3", error="m", error_code="c"),
        BatchResult(request_id="4", status="COMPLETED", generation_id="g4", output_url="https://a/4"),
        BatchResult(request_id="5", status="FAILED", error="bad line"),
        BatchResult(request_id="6", status="FAILED", error_code="timed_out"),
    )
    assert results_of(b"\n") == ()
    with pytest.raises(WrongShapeError):
        results_of(b"<html>gone</html>\n{}")


@given(value=JSON | st.dictionaries(FIELDS, JSON), line=st.binary(max_size=80))
def test_whatever_comes_is_read_or_refused(value: Any, line: bytes) -> None:
    """No JSON makes a reader fail in a way of its own, and what is read can be stored as UTF-8."""
    for read in (generation_of, generations_of, batch_of, batches_of, cost_of, count_of, models_of, upload_place_of):
        for shape in (value, [value]):
            try:
                repr(read(shape)).encode()
            except WrongShapeError as error:
                assert str(error)  # noqa: PT017 - either way is right
    try:
        results_of(json.dumps(value).encode() + b"\n" + line)
    except WrongShapeError as error:
        assert "request" in str(error)  # noqa: PT017 - either way is right


def test_a_request_says_only_what_it_says() -> None:
    """Empty fields are left out, and what JSON can't hold is refused."""
    bare = VideoRequest(model="m", input=({"type": "video", "url": "u"},))
    assert create_fields(bare) == {"model": "m", "input": [{"type": "video", "url": "u"}]}
    assert json_bytes({"a": "é"}) == '{"a":"é"}'.encode()
    for wrong in (float("nan"), object(), "\ud800"):
        with pytest.raises(AvatarFault, match="can't be written as JSON"):
            json_bytes(wrong)


def test_a_file_s_type_is_told_by_its_name() -> None:
    """As the storage's signature will hold it; the message names what would do."""
    assert media_type(PurePath("a/B.MP4")) == "video/mp4"
    with pytest.raises(AvatarFault, match=r"x\.txt: no video, sound or picture by its name; expected one of \.aac"):
        media_type(PurePath("x.txt"))

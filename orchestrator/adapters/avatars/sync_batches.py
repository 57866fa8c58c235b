"""The JSON and JSON lines of Sync's batches as our values; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.adapters.avatars.sync_shapes import (
    WrongShapeError,
    create_fields,
    either,
    error_of,
    json_bytes,
    number_of,
    rows,
    status_of,
    table,
    text_of,
    time_of,
)
from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.ports import FEWEST_IN_BATCH, MOST_IN_BATCH, Batch, BatchLine, BatchResult, BatchStatus

LARGEST = 5_000_000
"""Bytes of a batch's file (published: 5 MB)."""
_STATUSES: tuple[BatchStatus, ...] = ("PENDING", "JOBS_CREATED", "PROCESSING", "COMPLETED", "FAILED", "VALIDATED")
_NESTED = ("generation", "response", "result", "body")
"""Where a line of the results may hold the generation: its shape is published nowhere."""


def batch_file(lines: Sequence[BatchLine]) -> bytes:
    """Return the file of a batch, a line each. Raises AvatarFault (REQUEST) for one that the service would refuse."""
    if not FEWEST_IN_BATCH <= len(lines) <= MOST_IN_BATCH:
        raise _wrong(f"a batch has {FEWEST_IN_BATCH} to {MOST_IN_BATCH} lines, not {len(lines)}")
    if len({line.request_id for line in lines}) < len(lines):
        raise _wrong("the lines of a batch have different ids")
    file = b"".join(json_bytes(_line(line)) + b"\n" for line in lines)
    if len(file) > LARGEST:
        raise _wrong(f"a batch has at most {LARGEST} bytes, not {len(file)}")
    return file


def _line(line: BatchLine) -> Mapping[str, Any]:
    return {"request_id": line.request_id, "endpoint": "/v2/generate", "payload": create_fields(line.request)}


def _wrong(words: str) -> AvatarFault:
    return AvatarFault(FaultKind.REQUEST, words, code="invalid_batch")


def batch_of(value: object) -> Batch:
    """Return a batch, from an answer or a webhook's body. Raises WrongShapeError."""
    fields = table(value, "a batch")
    said = text_of(fields.get("status")).upper()
    status = next((status for status in _STATUSES if said == status), "PROCESSING" if said else None)
    name = text_of(fields.get("id"))
    if status is None or not (name or status == "VALIDATED"):
        raise WrongShapeError("a batch has no id or no status")
    metrics = fields.get("metrics")
    return Batch(
        id=name,
        status=status,
        created_at=time_of(either(fields, "created_at", "createdAt")),
        total=_counted(metrics, "total_generations", "totalGenerations"),
        succeeded=_counted(metrics, "success_count", "successCount"),
        failed=_counted(metrics, "failed_count", "failedCount"),
        output_url=text_of(either(fields, "outputUrl", "output_url")),
        webhook_url=text_of(either(fields, "webhookUrl", "webhook_url")),
    )


def _counted(metrics: object, *names: str) -> int:
    count = number_of(either(metrics, *names)) if isinstance(metrics, Mapping) else None
    return int(count) if count and count > 0 else 0


def batches_of(value: object) -> tuple[Batch, ...]:
    """Return a list of batches, in its order. Raises WrongShapeError."""
    return tuple(batch_of(item) for item in rows(value, "the list of batches"))


def results_of(file: bytes) -> tuple[BatchResult, ...]:
    """Return what became of a batch's lines; a line that says nothing of a request is left out.

    Raises WrongShapeError where no line says anything, though there are some.
    """
    lines = [line for line in file.splitlines() if line.strip()]
    results = [result for line in lines if (result := _result(line)) is not None]
    if lines and not results:
        raise WrongShapeError("the results of a batch name no request")
    return tuple(results)


def _result(line: bytes) -> BatchResult | None:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, Mapping):
        return None
    nested: Mapping[str, Any] = next((said[name] for name in _NESTED if isinstance(said.get(name), Mapping)), {})
    request_id = text_of(either(said, "requestId", "request_id") or either(nested, "requestId", "request_id"))
    fields = {**said, **{name: value for name, value in nested.items() if value is not None}}
    return _read(request_id, fields) if request_id else None


def _read(request_id: str, fields: Mapping[str, Any]) -> BatchResult:
    output_url = text_of(either(fields, "outputUrl", "outputMediaUrl", "output_url"))
    error, code = error_of(fields)
    try:
        status, stands_for = status_of(fields.get("status"))
    except WrongShapeError:  # without a word it is what it came with
        status, stands_for = ("COMPLETED" if output_url and not error else "FAILED"), ""
    return BatchResult(
        request_id=request_id,
        status=status,
        generation_id=text_of(either(fields, "generationId", "generation_id", "id")),
        output_url=output_url,
        error=error,
        error_code=code or stands_for,
    )

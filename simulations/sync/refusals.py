"""What the service refuses with: statuses, error codes and bodies in the published shapes; pure."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

CONCURRENCY = (
    "Concurrency limit reached. Please wait for an existing generation to complete or upgrade your plan for higher "
    "limits."
)
"""The wording is not known; that of batches is."""
BATCH_CONCURRENCY = (
    "Batch concurrency limit reached. Please wait for an existing batch to complete or upgrade your plan for higher "
    "limits."
)
RATE = "Rate limit exceeded. Please try again later."


class Refusal(Exception):
    """A request is answered with an error: `body` is what it says."""

    def __init__(self, status: int, message: str | Sequence[str], *, code: str = "", more: Any = None) -> None:
        super().__init__(status, message, code)
        self.status = status
        self.body: dict[str, Any] = {"statusCode": status}
        if code:
            self.body["errorCode"] = code
        self.body["message"] = message if isinstance(message, str) else list(message)
        self.body["error"] = HTTPStatus(status).phrase
        self.body.update(more or {})


def rate_refusal() -> Refusal:
    """Return the 429 of a rate limit (published)."""
    return Refusal(429, RATE, code="rate_limit_exceeded")


def concurrency_refusal() -> Refusal:
    """Return the 429 of the plan's generations."""
    return Refusal(429, CONCURRENCY, code="concurrency_limit_reached")


def batch_refusal() -> Refusal:
    """Return the 429 of the plan's batches."""
    return Refusal(429, BATCH_CONCURRENCY, code="concurrency_limit_reached")


def conflict_refusal(status: int) -> Refusal:
    """Return what the same Idempotency-Key with another body gets; neither status nor code are published."""
    return Refusal(status, "Idempotency-Key was used with another request", code="IDEMPOTENCY_KEY_CONFLICT")


def server_error(status: int, *, request_id: str) -> Refusal:
    """Return a 500 (published) or 503."""
    if status == 500:
        return Refusal(500, "Internal server error", code="internal_error", more={"requestId": request_id})
    return Refusal(status, "Service temporarily unavailable", more={"requestId": request_id})


def unknown_outcome(generation: str) -> Refusal:
    """Return the 503 of an uncertain outcome (published), which may name the generation."""
    more = {"generationId": generation} if generation else {}
    return Refusal(503, "The outcome of this request is unknown", code="IDEMPOTENCY_OUTCOME_UNKNOWN", more=more)


CODES = {
    "generation_unsupported_model": "The model is not supported.",
    "generation_media_metadata_missing": "The metadata of a media file is missing.",
    "generation_audio_length_exceeded": "The audio is too long.",
    "generation_audio_missing": "There is no audio.",
    "generation_video_missing": "There is no video.",
    "generation_timeout": "The generation took too long.",
    "generation_pipeline_failed": "The generation failed.",
    "generation_database_error": "The generation could not be kept.",
    "generation_internal_auth": "An internal service refused the generation.",
    "generation_unhandled_error": "The generation failed for an unknown reason.",
    "generation_input_video_inaccessible": "The video could not be fetched.",
    "generation_input_validation_failed": "The request is not valid.",
    "rate_limit_exceeded": RATE,
    "concurrency_limit_reached": CONCURRENCY,
    "file_size_exceeds_plan_limit": "The file is larger than the plan allows.",
    "cost_estimate_unavailable": "There is no estimate for this model.",
    "INVALID_IDEMPOTENCY_KEY": "The Idempotency-Key is not valid.",
    "IDEMPOTENCY_OUTCOME_UNKNOWN": "The outcome of this request is unknown.",
    "internal_error": "Internal server error.",
}
"""The error codes that are published, in words of ours."""

"""Says what a refusal or failure of Sync means: its answers, and its storage's, as AvatarFault; pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from orchestrator.adapters.avatars.sync_shapes import either, text_of
from orchestrator.adapters.avatars.sync_words import plain_words
from orchestrator.errors import AvatarFault, FaultKind

OUTCOME_UNKNOWN = "idempotency_outcome_unknown"
_BY_CODE: Mapping[str, FaultKind] = {
    "rate_limit_exceeded": FaultKind.RATE,
    "concurrency_limit_reached": FaultKind.CONCURRENCY,
    "elevenlabs_service_unavailable": FaultKind.RETRY,
    "file_size_exceeds_plan_limit": FaultKind.REQUEST,
    "invalid_idempotency_key": FaultKind.REQUEST,
    OUTCOME_UNKNOWN: FaultKind.RETRY,
}
"""Codes that say it all, whatever the status (published), in lower case: the service writes some in upper."""
_BY_STATUS: Mapping[int, FaultKind] = {
    **dict.fromkeys((400, 404, 409, 413, 415, 422), FaultKind.REQUEST),
    **dict.fromkeys((401, 402, 403), FaultKind.FINAL),
}
_OF_ANOTHER_REQUEST = re.compile(r"idempotency.*(conflict|mismatch|reuse|payload)")
"""An Idempotency-Key that stands for another request already (the codes are not published)."""
_LONGEST_WAIT = 3600.0
"""Seconds of Retry-After that are believed."""
_STORAGE_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
"""What went wrong, in the XML of S3; the rest of it repeats the signature."""
_STORAGE_REFUSES = (400, 404, 410, 411, 413, 415)


def fault_of(
    status: int, body: bytes, *, headers: Mapping[str, str], creates: bool = False, secret: str = ""
) -> AvatarFault:
    """Return what an answer that is no success means.

    `headers` have names in lower case, or know them in any; `creates` says that the request was to begin a generation
    or a batch, which a 5xx may hide; `secret` is the key, which no message shows.
    """
    fields = _fields(body)
    code, words = _told(fields)
    words = words or ("" if body.lstrip()[:1] in (b"<", b"{", b"[") else body.decode("utf-8", "replace"))
    kind, uncertain = _meaning(status, code.lower(), words=words.lower(), creates=creates)
    said = plain_words(words, secret) or plain_words(_answered(status, headers), secret)
    made = text_of(either(fields, "generationId", "generation_id"))
    if made and uncertain:
        said += f" (it may be generation {plain_words(made, secret)})"
    return AvatarFault(
        kind,
        f"{said} [{status}]",
        code=plain_words(code, secret),
        uncertain=uncertain,
        retry_after=_retry_after(headers),
        problems=[plain_words(each, secret) for each in _several(fields)],
    )


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, Mapping) else {}


def _several(fields: Mapping[str, Any]) -> list[str]:
    """Return the messages of a refusal that has a list of them."""
    words = fields.get("message")
    return list(filter(None, map(text_of, words))) if isinstance(words, list) else []


def _told(fields: Mapping[str, Any]) -> tuple[str, str]:
    """Return the code and the words of a refusal in JSON, empty where there are none."""
    inner = fields.get("error")
    nested: Mapping[str, Any] = inner if isinstance(inner, Mapping) else {}
    code = text_of(either(fields, "errorCode", "error_code", "code") or either(nested, "errorCode", "code"))
    words = either(fields, "message") or either(nested, "message") or fields.get("error")
    if isinstance(words, list):
        return code, "; ".join(filter(None, map(text_of, words)))
    return code, text_of(words)


def _meaning(status: int, code: str, *, words: str, creates: bool) -> tuple[FaultKind, bool]:
    """Return what a refusal asks for, and whether the request may have been carried out all the same."""
    if code in _BY_CODE:
        kind = _BY_CODE[code]
        return kind, code == OUTCOME_UNKNOWN
    if status < 500 and (code.startswith("generation_") or _OF_ANOTHER_REQUEST.search(code)):
        return FaultKind.REQUEST, False
    if status == 409 and creates:  # the request of this Idempotency-Key is still under way: it may yet become a video
        return FaultKind.RETRY, True
    if status == 429:
        crowded = "concurren" in words or "concurren" in code
        return FaultKind.CONCURRENCY if crowded else FaultKind.RATE, False
    return _BY_STATUS.get(status, FaultKind.RETRY), creates and (status >= 500 or status == 408)


def _answered(status: int, headers: Mapping[str, str]) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "an unknown status"
    to = headers.get("location", "").partition("?")[0]
    return f"the video service answered {phrase}" + (f", and names {to}: see lipsync.address" if to else "")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of Retry-After; a date is left aside: only the service's clock would tell how far it is."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(seconds, _LONGEST_WAIT) if math.isfinite(seconds) and seconds >= 0 else None


def storage_fault_of(status: int, body: bytes, *, what: str) -> AvatarFault:
    """Return what the refusal of a signed URL means; `what` was asked of it, such as "the upload of a.wav".

    A signature that is not taken (403) has run out: the next try gets a new one. The reason is in XML, or in JSON where
    the URL is one of the service itself.
    """
    found = _STORAGE_CODE.search(body.decode("utf-8", "replace"))
    code, words = (found[1], "") if found else map(plain_words, _told(_fields(body)))
    kind = FaultKind.REQUEST if status in _STORAGE_REFUSES else FaultKind.RETRY
    return AvatarFault(kind, f"the storage refused {what}: {words or code or 'no reason'} [{status}]", code=code)

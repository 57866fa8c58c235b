"""The JSON of Sync's API v2 as our values, in all spellings of its fields that were seen; pure.

What a refusal means is sync_faults.py's, batches are sync_batches.py's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, get_args

from attrs import frozen

from orchestrator.adapters.avatars.sync_words import plain_words
from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.ports import Generation, GenerationStatus, VideoRequest

MEDIA_TYPES: Mapping[str, str] = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".avi": "video/x-msvideo",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
"""What a file is, by the end of its name."""
_ENDED_BADLY = ("CANCELED", "CANCELLED", "TIMED_OUT", "ERROR")
"""States of older documentation; a generation in one of them yields no video."""
_ENDED_WELL = ("SUCCESS", "SUCCEEDED")
_MILLISECONDS = 1e11
"""Unix times above are in milliseconds."""


class WrongShapeError(ValueError):
    """An answer that is not what the service is known to send."""


@frozen(kw_only=True)
class Cost:
    """What a video would cost: `dollars`, or `credits` where the account is billed in those."""

    frames: float
    dollars: float
    credits: float | None = None


@frozen(kw_only=True)
class Model:
    """A model of the service; `name` is what a request asks for."""

    id: str
    name: str
    type: str = ""
    version: str = ""
    description: str = ""


@frozen(kw_only=True)
class UploadPlace:
    """Where a file's bytes are put (`put_to`, signed), and the URL under which it then is."""

    put_to: str
    url: str


def table(value: object, what: str) -> Mapping[str, Any]:
    """Return `value` if it is a JSON object. Raises WrongShapeError."""
    if not isinstance(value, Mapping):
        raise WrongShapeError(f"{what} is no JSON object")
    return value


def rows(value: object, what: str) -> Sequence[Any]:
    """Return `value` if it is a JSON array. Raises WrongShapeError."""
    if not isinstance(value, list):
        raise WrongShapeError(f"{what} is no JSON array")
    return value


def either(fields: Mapping[str, Any], *names: str) -> Any:
    """Return the first of some spellings of a field that holds something, else None."""
    return next((fields[name] for name in names if fields.get(name) not in (None, "")), None)


def text_of(value: object) -> str:
    """Return a string that can be stored and shown: half a surrogate pair, which JSON may hold, is replaced."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def number_of(value: object) -> float | None:
    """Return a finite number, else None."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return float(value) if number and math.isfinite(float(value)) else None  # type: ignore[arg-type]  # a number
    except OverflowError:  # JSON's integers are as long as they like
        return None


def time_of(value: object) -> float | None:
    """Return Unix seconds of ISO 8601 (UTC where it names no zone) or of a number, else None."""
    number = number_of(value)
    if number is not None:
        return number / 1000 if number > _MILLISECONDS else number
    try:
        moment = datetime.fromisoformat(text_of(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def status_of(value: object) -> tuple[GenerationStatus, str]:
    """Return a state as we know it, and a code for one that stands for it. Raises WrongShapeError for no string.

    One that nobody told us of counts as PROCESSING: it holds a place until it is known to have ended.
    """
    if not isinstance(value, str) or not value:
        raise WrongShapeError("a generation has no status")
    said = value.upper()
    known: tuple[GenerationStatus, ...] = get_args(GenerationStatus)
    for status in known:
        if said == status:
            return status, ""
    if said in _ENDED_BADLY:
        return "FAILED", said.lower()
    return ("COMPLETED" if said in _ENDED_WELL else "PROCESSING"), ""


def error_of(fields: Mapping[str, Any]) -> tuple[str, str]:
    """Return words and code of what went wrong with a generation, both empty where nothing did."""
    error = fields.get("error")
    inner: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
    words = either(inner, "message", "error") if inner else error
    if isinstance(words, list):
        words = "; ".join(map(text_of, words))
    code = either(fields, "errorCode", "error_code") or either(inner, "errorCode", "error_code", "code")
    return plain_words(text_of(words)), plain_words(text_of(code))


def generation_of(value: object) -> Generation:
    """Return a generation, from an answer or a webhook's body. Raises WrongShapeError."""
    fields = table(value, "a generation")
    name = text_of(fields.get("id"))
    if not name:
        raise WrongShapeError("a generation has no id")
    status, code = status_of(fields.get("status"))
    error, error_code = error_of(fields)
    items = fields.get("input")
    return Generation(
        id=name,
        status=status,
        model=text_of(fields.get("model")),
        input=tuple(item for item in items if isinstance(item, Mapping)) if isinstance(items, list) else (),
        created_at=time_of(either(fields, "createdAt", "created_at")),
        webhook_url=text_of(either(fields, "webhookUrl", "webhook_url")),
        output_url=text_of(either(fields, "outputUrl", "outputMediaUrl", "output_url")),
        output_duration=number_of(either(fields, "outputDuration", "output_duration")),
        error=error,
        error_code=error_code or code,
    )


def generations_of(value: object) -> tuple[Generation, ...]:
    """Return a list of generations, in its order. Raises WrongShapeError."""
    return tuple(generation_of(item) for item in rows(value, "the list of generations"))


def count_of(value: object) -> int:
    """Return the answer to a count. Raises WrongShapeError."""
    count = number_of(table(value, "a count").get("count"))
    if count is None or count < 0:
        raise WrongShapeError("a count has no number")
    return int(count)


def cost_of(value: object) -> Cost:
    """Return an estimate: an object, or an older endpoint's array, whose items are added. Raises WrongShapeError."""
    items = [table(item, "an estimate") for item in (value if isinstance(value, list) else [value])]
    frames = [number_of(item.get("estimatedFrameCount")) for item in items]
    dollars = [number_of(item.get("estimatedGenerationCost")) for item in items]
    in_credits = [amount for item in items if (amount := number_of(item.get("estimatedCredits"))) is not None]
    if not items or None in dollars:
        raise WrongShapeError("an estimate names no cost")
    return Cost(
        frames=sum(filter(None, frames)),
        dollars=sum(filter(None, dollars)),
        credits=sum(in_credits) if in_credits else None,
    )


def models_of(value: object) -> tuple[Model, ...]:
    """Return the service's models. Raises WrongShapeError."""
    tables = [table(item, "a model") for item in rows(value, "the list of models")]
    named = [
        Model(
            id=text_of(item.get("id")),
            name=text_of(either(item, "name", "id")),
            type=text_of(item.get("type")),
            version=text_of(item.get("version")),
            description=plain_words(text_of(item.get("description"))),
        )
        for item in tables
    ]
    return tuple(model for model in named if model.name)


def upload_place_of(value: object) -> UploadPlace:
    """Return where a file may be put. Raises WrongShapeError."""
    fields = table(value, "the place of an upload")
    put_to, url = text_of(either(fields, "uploadUrl", "upload_url")), text_of(fields.get("url"))
    if not (put_to and url):
        raise WrongShapeError("the place of an upload has no uploadUrl or no url")
    return UploadPlace(put_to=put_to, url=url)


def asset_url_of(value: object) -> str:
    """Return the URL of a registered file; empty where the answer names none. Raises WrongShapeError."""
    return text_of(table(value, "an asset").get("url"))


def media_type(path: PurePath) -> str:
    """Return what a file of ours is, by its name. Raises AvatarFault (REQUEST) where the service would not know."""
    try:
        return MEDIA_TYPES[path.suffix.lower()]
    except KeyError:
        known = " ".join(sorted(MEDIA_TYPES))
        words = f"{plain_words(path.name)}: no video, sound or picture by its name; expected one of {known}"
        raise AvatarFault(FaultKind.REQUEST, words, code="unknown_media_type") from None


def json_bytes(value: object) -> bytes:
    """Return `value` as JSON. Raises AvatarFault (REQUEST) for what JSON can't hold, such as infinity."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        words = f"the request can't be written as JSON ({plain_words(str(error))})"
        raise AvatarFault(FaultKind.REQUEST, words, code="invalid_request") from None


def is_file(item: Mapping[str, Any]) -> bool:
    """Say whether an item of a request's input is a file of ours."""
    return str(item.get("url", "")).startswith("file:")


def request_fields(request: VideoRequest) -> dict[str, Any]:
    """Return the fields of a create request; those that say nothing are left out."""
    fields: dict[str, Any] = {"model": request.model, "input": [dict(item) for item in request.input]}
    options = {
        "options": dict(request.options),
        "segments": [dict(segment) for segment in request.segments],
        "webhookUrl": request.webhook_url,
        "outputFileName": request.output_file_name,
    }
    return fields | {name: value for name, value in options.items() if value}


def create_fields(request: VideoRequest) -> dict[str, Any]:
    """Return the body of a create request. Raises AvatarFault (REQUEST) where a file of ours is yet to be uploaded."""
    if request.files:
        raise AvatarFault(
            FaultKind.REQUEST, f"{plain_words(request.files[0])} has to be uploaded first", code="file_not_uploaded"
        )
    return request_fields(request)

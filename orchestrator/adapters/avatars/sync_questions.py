"""What Sync's API v2 is asked for: methods, paths and fields, as values; pure.

What its answers hold is sync_shapes.py's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import Factory, frozen

from orchestrator.adapters.avatars.sync_batches import batch_file
from orchestrator.adapters.avatars.sync_shapes import UploadPlace, create_fields, is_file, json_bytes, request_fields
from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.ports import BatchLine, GenerationStatus, VideoRequest

FILE_FIELDS = ("video", "audio", "image")
"""What may go along with a create request, one of each."""
_ID = re.compile(r"(?!\.+$)[A-Za-z0-9_.:~-]{1,200}")
"""What an id is made of; it came over a wire, so that nothing else may get into a path."""
_LONGEST_POLL = 10
"""Seconds that the service waits for an end at most (published)."""
_JSON = {"content-type": "application/json"}


@frozen(kw_only=True)
class Question:
    """One request to the API. `creates`: it begins a generation or a batch; `waits`: seconds that it may take longer.

    A body is `content` (JSON), or `form` with `files`, by field: name, what is in it and its type.
    """

    method: str
    path: str
    params: Sequence[tuple[str, str]] = ()
    content: bytes | None = None
    form: Mapping[str, str] | None = None
    files: Mapping[str, tuple[str, Any, str]] | None = None
    headers: Mapping[str, str] = Factory(dict)
    creates: bool = False
    waits: float = 0.0


def creation(request: VideoRequest, key: str) -> Question:
    """Ask for a video; `key` is the Idempotency-Key."""
    headers = {**_JSON, "idempotency-key": key}
    content = json_bytes(create_fields(request))
    return Question(method="POST", path="/v2/generate", content=content, headers=headers, creates=True)


def files_of(request: VideoRequest) -> Mapping[str, str]:
    """Return the `file:` URLs that would go along with a request, by field. Raises AvatarFault (REQUEST)."""
    files = {str(item.get("type")): str(item["url"]) for item in request.input if is_file(item)}
    if not files or len(files) != len(request.files) or not files.keys() <= set(FILE_FIELDS):
        words = f"expected one to three files, each of another type: {', '.join(FILE_FIELDS)}"
        raise AvatarFault(FaultKind.REQUEST, words, code="invalid_request")
    return files


def creation_with_files(request: VideoRequest, files: Mapping[str, tuple[str, Any, str]], *, key: str) -> Question:
    """Ask for a video of `files` (Question.files); what else is in the request goes along as JSON in a form."""
    fields = request_fields(request)
    fields["input"] = [item for item in fields["input"] if not is_file(item)]
    form = {
        name: value if isinstance(value, str) else json_bytes(value).decode()
        for name, value in fields.items()
        if value or name == "model"
    }
    headers = {"idempotency-key": key}
    return Question(method="POST", path="/v2/generate", form=form, files=files, headers=headers, creates=True)


def generation(generation_id: str, wait: int) -> Question:
    """Ask for a generation, at its end or after `wait` seconds."""
    waits = max(0, min(wait, _LONGEST_POLL))
    params = (("wait", "true"), ("timeout", str(waits))) if waits else ()
    return Question(method="GET", path=f"/v2/generate/{_in_path(generation_id)}", params=params, waits=waits)


def generations(statuses: Collection[GenerationStatus], *, limit: int, cursor: str) -> Question:
    """Ask for a page of the list; without a limit it would have no order."""
    params = [("status", status) for status in statuses] + [("limit", str(limit))]
    return Question(method="GET", path="/v2/generations", params=params + ([("cursor", cursor)] if cursor else []))


def counting(statuses: Collection[GenerationStatus]) -> Question:
    """Ask how many generations are in one of the states."""
    return Question(method="GET", path="/v2/generations/count", params=[("status", status) for status in statuses])


def costing(request: VideoRequest) -> Question:
    """Ask what a request would cost, by its input."""
    return _posting("/v2/analyze/cost", create_fields(request))


def estimation(model: str, duration: float, *, fps: float | None) -> Question:
    """Ask what a video would cost, by its length."""
    fields = {"model": model, "duration": duration} | ({} if fps is None else {"fps": fps})
    return _posting("/v2/generations/estimate", fields)


def model_list() -> Question:
    """Ask for the models."""
    return Question(method="GET", path="/v2/models")


def upload_place(name: str, media: str, *, size: int) -> Question:
    """Ask where a file may be put; `media` is its type, such as audio/wav."""
    return _posting("/v2/assets/upload", {"fileName": name, "contentType": media, "size": size})


def asset(name: str, media: str, *, place: UploadPlace) -> Question:
    """Have a file registered that was put in its place."""
    return _posting("/v2/assets", {"url": place.url, "type": media.partition("/")[0].upper(), "name": name})


def batch_creation(lines: Sequence[BatchLine], *, webhook_url: str, key: str, dry_run: bool) -> Question:
    """Ask for a batch; the service promises to look at an Idempotency-Key for single videos only."""
    form = {"webhook_url": webhook_url} if webhook_url else {}
    return Question(
        method="POST",
        path="/v2/batch",
        form=form | ({"dry_run": "true"} if dry_run else {}),
        files={"input": ("batch.jsonl", batch_file(lines), "application/jsonl")},
        headers={"idempotency-key": key} if key else {},
        creates=not dry_run,
    )


def batch(batch_id: str) -> Question:
    """Ask for a batch."""
    return Question(method="GET", path=f"/v2/batch/{_in_path(batch_id)}")


def batches(created_after: float | None) -> Question:
    """Ask for the batches, those since a moment (Unix seconds) if one is given."""
    if created_after is None:
        return Question(method="GET", path="/v2/batch")
    moment = datetime.fromtimestamp(created_after, UTC).isoformat().replace("+00:00", "Z")
    return Question(method="GET", path="/v2/batch", params=[("created_after", moment)])


def _posting(path: str, fields: Mapping[str, Any]) -> Question:
    return Question(method="POST", path=path, content=json_bytes(fields), headers=_JSON)


def _in_path(name: str) -> str:
    """Return an id as it may stand in a path. Raises AvatarFault (REQUEST) for one that the service never gave."""
    if not _ID.fullmatch(name):
        raise AvatarFault(FaultKind.REQUEST, "no id that the service would know", code="invalid_id")
    return name

"""Reads the body of a request to create, JSON or a form with files, as one JSON object; what it asks for is
wanted.py's."""

from __future__ import annotations

import hashlib
from typing import Any

from starlette.requests import Request

from simulations.sync.account import Account
from simulations.sync.media import StoredFile
from simulations.sync.refusals import Refusal
from simulations.sync.service import Service
from simulations.sync.wanted import INVALID, BadInput, Wanted, read_json, read_wanted
from simulations.waves.http.forms import BadForm, FormLimits, Parts, SentFile, is_form, read_parts
from simulations.waves.http.pages import read_body

MEGABYTE = 1_000_000
_JSON_BYTES = 1024 * 1024
_LIMITS = FormLimits(files=3, fields=32, field_bytes=1024 * 1024)
"""Published, but for how many parts there may be: 35 are these together."""
_FILES = ("video", "image", "audio")
_AS_JSON = ("options", "segments")


async def read_create(service: Service, request: Request, *, account: Account) -> Wanted:
    """Return what is asked for, with the files of a form kept. Raises BadInput, BodyTooLarge, Refusal."""
    if not is_form(request):
        body = read_json(await read_body(request, largest=_JSON_BYTES), what="body")
        return _with_assets(service, read_wanted(body), account=account)
    largest = round(3 * service.options.file_mb * MEGABYTE) + 33 * _JSON_BYTES
    parts = await read_form_parts(request, largest=largest, limits=_LIMITS)
    repeated = [kind for kind in _FILES if kind in parts.repeated]
    if repeated:
        raise BadInput([f"{kind} must be one file" for kind in repeated])
    files = {kind: _stored(service, parts.files[kind], account=account) for kind in _FILES if kind in parts.files}
    wanted = _with_assets(service, read_wanted(_body_of(service, parts, files=files)), account=account)
    for file in files.values():
        if service.files.get(file.id) is None:
            service.files.add(file)
    return wanted


async def read_form_parts(request: Request, *, largest: int, limits: FormLimits) -> Parts:
    """Return a form's parts. Raises Refusal: 413 for too many or too large ones, 400 for no form."""
    try:
        return await read_parts(request, largest=largest, limits=limits)
    except BadForm as bad:
        too_much = "Too many" in str(bad) or "exceeded" in str(bad)
        raise Refusal(413 if too_much else 400, str(bad), code=INVALID) from None


def check_size(service: Service, size: int, *, account: Account) -> None:
    """Raises Refusal for a file that is larger than the plan takes."""
    most = service.options.plan_file_mb
    if most is not None and size > most * MEGABYTE:
        account.books.refused["too_large"] += 1
        message = f"The file is larger than the plan allows ({most:g} MB)"
        raise Refusal(422, message, code="file_size_exceeds_plan_limit")


def _stored(service: Service, sent: SentFile, *, account: Account) -> StoredFile:
    """Return a file of a form as it will be kept: the same file is the same again."""
    if len(sent.content) > service.options.file_mb * MEGABYTE:
        account.books.refused["too_large"] += 1
        raise Refusal(413, f"A file is larger than {service.options.file_mb:g} MB", code=INVALID)
    check_size(service, len(sent.content), account=account)
    named = f"{account.name}\n{sent.name}\n{sent.kind}\n".encode(errors="backslashreplace")
    return StoredFile(
        id=hashlib.sha256(named + sent.content).hexdigest()[:32],
        owner=account.name,
        name=safe_name(sent.name),
        kind=sent.kind,
        created=service.wall(),
        size=len(sent.content),
        content=sent.content,
    )


def safe_name(name: str) -> str:
    """Return a file's name as it may stand in an address."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    return kept[-100:].lstrip(".") or "file"


def _body_of(service: Service, parts: Parts, *, files: dict[str, StoredFile]) -> dict[str, Any]:
    """Return a form as the JSON body that it stands for."""
    body: dict[str, Any] = {name: values[-1] for name, values in parts.fields.items()}
    for name in _AS_JSON:
        if name in body:
            body[name] = read_json(body[name], what=name)
    items = []
    for text in parts.fields.get("input", ()):  # one array, or as the npm SDK sends it an object each
        item = read_json(text, what="input")
        items += item if isinstance(item, list) else [item]
    for kind, file in files.items():
        items.append({"type": kind, "url": service.address + file.path})
    return {**body, "input": items}


def _with_assets(service: Service, wanted: Wanted, *, account: Account) -> Wanted:
    """Return what is wanted if the assets that it names are the account's. Raises BadInput."""
    for item in wanted.input:
        asset = item.get("assetId")
        file = None if asset is None else service.files.get(asset)
        if asset is not None and (file is None or file.owner != account.name or not file.is_asset):
            raise BadInput([f"asset {asset} not found"])
    return wanted

"""Answers voice cloning: `{base}/voice-cloning` and the older paths under lightning-large; a clone is ready at once.

The recording is looked at (is it there, is it sound, is it too large) and thrown away: whoever speaks decides what a
cloned voice sounds like. Error texts are those of the vendor's guide, where it has them.
"""

from __future__ import annotations

import hashlib
import json
import string
from collections.abc import Mapping
from typing import Any

import trio
from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orchestrator.settings import LANGUAGES
from simulations.waves.accounts import Account
from simulations.waves.checks import Issue, missing, one_of
from simulations.waves.http.clones import Clone, CloneLimit, Clones
from simulations.waves.http.forms import BadForm, Form, SentFile, read_form
from simulations.waves.http.pages import BodyTooLarge, account_routes, object_id, read_body, stamp
from simulations.waves.http.refusals import Json, model_refusal, refused, retired
from simulations.waves.provider import Provider

LARGEST_FILE = 5 * 1024 * 1024
"""Bytes of a recording (published)."""

_CREATED = "Voice clone created successfully"
_LARGE = "lightning-large"
_MODELS = ("lightning-v3.1", "lightning-v3.1-pro")
_LANGUAGES = (*(code for code in LANGUAGES if code != "auto"), "multi")
_LONGEST_NAME = 500
_FIELDS_BYTES = 256 * 1024
_VOICE_LETTERS = string.ascii_letters + string.digits
_SOUND = {f"audio/{kind}" for kind in ("mpeg", "mpeg-3", "wav", "wave", "webm", "mp4")} | {"video/webm", "video/mp4"}
_SOUND |= {"audio/mp3", "audio/x-wav", "audio/vnd.wave", "audio/x-mpeg-3"}
"""The published content types, and what clients call the same files."""
_UNDECLARED = {"", "application/octet-stream"}
_ENDINGS = {"", "wav", "mp3", "mpeg", "webm", "mp4"}
_SAMPLES = "https://samples.waves.invalid"
"""A host that cannot exist: samples are linked, but nobody speaks them."""
_SAMPLE_TEXT = "Hello, this is how I sound."


class _Refused(Exception):
    """The form cannot be served: what is wrong with it, and the issues with its fields."""

    def __init__(self, message: str, issues: list[Issue] | None = None) -> None:
        super().__init__(message)
        self.issues = issues or []

    @property
    def body(self) -> dict[str, Any]:
        """What the current page answers."""
        return {"error": str(self), **({"details": self.issues} if self.issues else {})}


def routes(provider: Provider, clones: Clones | None = None) -> list[Route]:
    """Return the pages' routes. They keep the clones in `clones`: whoever checks voices asks it."""
    pages = _Cloning(provider, Clones() if clones is None else clones)

    async def gone(_request: Request, _account: Account) -> Response:
        return retired()

    return [
        *account_routes(provider, "/voice-cloning", POST=pages.create, GET=pages.show),
        *account_routes(provider, f"/{_LARGE}/add_voice", POST=pages.add_voice),
        *account_routes(provider, f"/{_LARGE}/get_cloned_voices", GET=pages.get_cloned_voices),
        *account_routes(provider, f"/{_LARGE}", DELETE=pages.delete),
        *account_routes(provider, "/prof-voice-cloning{rest:path}", GET=gone, POST=gone, PUT=gone, DELETE=gone),
    ]


@frozen
class _Cloning:
    """The pages, which know the provider and its clones."""

    provider: Provider
    clones: Clones

    async def create(self, request: Request, account: Account) -> Response:
        """Clone a voice."""
        try:
            clone = await self._clone(request, account)
        except _Refused as refusal:
            return Json(refusal.body, 400)
        data = {
            "voiceId": clone.voice,
            "displayName": clone.name,
            "model": clone.model,
            "status": "completed",
            "language": clone.language,
            "audioFileNames": [clone.file_name],
            "createdAt": clone.created,
            "organizationId": hashlib.sha256(account.name.encode()).hexdigest()[:24],
            "samples": [{"text": _SAMPLE_TEXT, "audioUrl": f"{_SAMPLES}/{clone.voice}.wav"}],
        }
        return Json({"message": _CREATED, "data": data})

    async def show(self, _request: Request, account: Account) -> Response:
        """List the account's clones."""
        return Json({"data": [_entry(clone) for clone in self.clones.of(account)]})

    # --- the older pages: those of a retired model answer 410 ---

    async def add_voice(self, request: Request, account: Account) -> Response:
        """Clone a voice for lightning-large."""
        if gone := model_refusal(self.provider, _LARGE):
            return gone
        try:
            clone = await self._clone(request, account, model=_LARGE)
        except _Refused as refusal:
            return refused(400, "InvalidRequest", message=str(refusal))
        return Json(
            {"message": _CREATED, "data": {"voiceId": clone.voice, "model": clone.model, "status": "completed"}}
        )

    async def get_cloned_voices(self, _request: Request, account: Account) -> Response:
        """List the account's clones, of whichever model."""
        voices = [_older_entry(clone) for clone in self.clones.of(account)]
        return model_refusal(self.provider, _LARGE) or Json({"voices": voices})

    async def delete(self, request: Request, account: Account) -> Response:
        """Delete a clone, of whichever model."""
        if gone := model_refusal(self.provider, _LARGE):
            return gone
        try:
            body = json.loads(await read_body(request, largest=_FIELDS_BYTES))
        except (ValueError, RecursionError, BodyTooLarge):
            body = None
        voice = body.get("voiceId") if isinstance(body, dict) else None
        if not isinstance(voice, str) or not self.clones.remove(account, voice):
            return refused(400, "InvalidRequest", message="Invalid Voice ID")
        return Json({"success": True, "voiceId": voice})

    # --- ---

    async def _clone(self, request: Request, account: Account, *, model: str | None = None) -> Clone:
        """Return the new clone that a form asks for; `model` is the path's. Raises _Refused."""
        try:
            form = await read_form(request, largest=LARGEST_FILE + _FIELDS_BYTES)
            clone = self._new(form.fields, _recording(form), model=model or _model(form.fields))
            self.clones.add(account, clone)
        except BodyTooLarge:
            raise _Refused("File too large") from None
        except BadForm as problem:
            raise _Refused(str(problem)) from problem
        except CloneLimit:
            raise _Refused("clone limit exceeded, consider upgrading") from None
        return clone

    def _new(self, fields: Mapping[str, str], file: SentFile, *, model: str) -> Clone:
        ids = self.provider.ids
        tags = (tag.strip() for tag in fields.get("tags", "").split(","))
        return Clone(
            id=object_id(ids),
            voice="voice_" + "".join(ids.choices(_VOICE_LETTERS, k=10)),
            name=_display_name(fields),
            model=model,
            language=_language(fields),
            description=fields.get("description", ""),
            accent=fields.get("accent", ""),
            tags=tuple(tag for tag in tags if tag),
            file_name=file.name,
            created=stamp(trio.current_time()),
        )


# --- what a form must hold ---


def _recording(form: Form) -> SentFile:
    file = form.file
    if file is None or not file.content:
        raise _Refused("No file provided")
    if file.kind not in _SOUND and not (file.kind in _UNDECLARED and file.ending in _ENDINGS):
        raise _Refused("Invalid file type. Only audio files (mp3, wav, webm, mp4) are allowed")
    if len(file.content) > LARGEST_FILE:
        raise _Refused("File too large")
    return file


def _display_name(fields: Mapping[str, str]) -> str:
    name = fields.get("displayName")
    if name is None:
        raise _invalid(missing("displayName"))
    if 1 <= len(name) <= _LONGEST_NAME:
        return name
    code, bound, least = ("too_big", _LONGEST_NAME, "most") if name else ("too_small", 1, "least")
    issue = {"code": code, "maximum" if name else "minimum": bound, "type": "string", "inclusive": True, "exact": False}
    raise _invalid(
        {**issue, "message": f"String must contain at {least} {bound} character(s)", "path": ["displayName"]}
    )


def _model(fields: Mapping[str, str]) -> str:
    model = fields.get("model") or _MODELS[0]
    if model == "lightning-v2":
        raise _Refused("Voice cloning for lightning-v2 is deprecated. Please use lightning-v3.1")
    if issue := one_of(_MODELS)("model", model):
        raise _invalid(issue)
    return model


def _language(fields: Mapping[str, str]) -> str:
    language = fields.get("language") or "en"
    if language not in _LANGUAGES:
        raise _Refused(f"Invalid language. Supported: {', '.join(_LANGUAGES)}")
    return language


def _invalid(issue: Issue) -> _Refused:
    return _Refused("Invalid request body", [issue])


# --- how clones are listed ---


def _entry(clone: Clone) -> dict[str, Any]:
    return {
        "_id": clone.id,
        "voiceId": clone.voice,
        "displayName": clone.name,
        "description": clone.description,
        "accent": clone.accent,
        "tags": list(clone.tags),
        "language": clone.language,
        "status": "completed",
        "cloningType": "instant",
        "modelIds": [clone.model],
        "createdAt": clone.created,
    }


def _older_entry(clone: Clone) -> dict[str, Any]:
    shown = ("displayName", "accent", "tags", "voiceId", "status", "createdAt")
    entry = _entry(clone)
    return {**{name: entry[name] for name in shown}, "model": clone.model}

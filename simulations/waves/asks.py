"""What a client's message to the Waves WebSocket asks for, or what is wrong with it; pure, and unknown fields pass."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from typing import Any

from attrs import frozen

from orchestrator.settings import LANGUAGES

Issue = dict[str, Any]
"""One thing that is wrong, in the shape seen live: `code`, `path`, `message`."""

_RATES = (8000, 16000, 24000, 44100)
_MODELS = ("lightning_v3.1", "lightning_v3.1_pro")
_ID = re.compile(r"[A-Za-z0-9_.\-]{1,128}")


class BadRequest(Exception):
    """The message cannot be served; `issues` say why."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__(issues)
        self.issues = issues


@frozen(kw_only=True)
class Ask:
    """One message, read: what to speak, how, and what it means for its context. Times in seconds."""

    text: str
    voice: str
    rate: int
    speed: float = 1.0
    word_timestamps: bool = False
    complete_backoff: float = 0.0
    context: str | None = None
    more: bool = False
    """More fragments follow: of the context, or of the legacy buffer."""
    flush: bool = False
    """Speak what the legacy buffer holds."""
    flush_after: float = 0.0
    """How long the legacy buffer waits at most; 0: for the next flush."""
    close: bool = False
    cancel: bool = False
    buffer_delay: float = 0.0
    session: str | None = None
    request: str | None = None

    @property
    def blank(self) -> bool:
        """Nothing to speak: clients send such texts to keep the socket alive."""
        return not self.text.strip()


def read_ask(message: str | bytes, *, per_model: bool) -> Ask:
    """Return what `message` asks for; `per_model` names the older path. Raises BadRequest."""
    body = _read_object(message)
    issues = [
        {"code": "custom", "path": [name], "message": problem}
        for name, check in _checks(per_model).items()
        if name in body and (problem := check(body[name]))
    ]
    issues += _missing(body)
    if "context_id" in body and (body.get("flush") or body.get("max_buffer_flush_ms")):
        issues.append(_issue("context_id", "context_id cannot be combined with flush or max_buffer_flush_ms"))
    if issues:
        raise BadRequest(issues)
    return _to_ask(body)


def _read_object(message: str | bytes) -> dict[str, Any]:
    """Return the message's fields; null stands for a field that is not there."""
    try:
        body = json.loads(message) if isinstance(message, str) else None
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise BadRequest([{"code": "invalid_type", "path": [], "message": "Expected a JSON object in a text frame"}])
    return {name: value for name, value in body.items() if value is not None}


def _to_ask(body: dict[str, Any]) -> Ask:
    return Ask(
        text=body.get("text", ""),
        voice=body.get("voice_id", ""),
        rate=int(body.get("sample_rate", 44100)),
        speed=float(body.get("speed", 1.0)),
        word_timestamps=body.get("word_timestamps", False),
        complete_backoff=body.get("complete_backoff_ms", 4000) / 1000,
        context=body.get("context_id"),
        more=body.get("continue", False),
        flush=body.get("flush", False),
        flush_after=body.get("max_buffer_flush_ms", 0) / 1000,
        close=body.get("context_close", False),
        cancel=body.get("cancel_request", False),
        buffer_delay=body.get("max_buffer_delay_ms", 3000) / 1000,
        session=body.get("session_id"),
        request=body.get("request_id"),
    )


def _missing(body: dict[str, Any]) -> list[Issue]:
    if "context_id" in body and (body.get("context_close") or body.get("cancel_request")):
        return []
    text = body.get("text")
    keep_alive = isinstance(text, str) and not text.strip()
    needed = ("text",) if keep_alive else ("text", "voice_id")
    return [_issue(name, "Required", code="invalid_type") for name in needed if name not in body]


def _issue(name: str, message: str, *, code: str = "custom") -> Issue:
    return {"code": code, "path": [name], "message": message}


# --- one check a field: None, or what is wrong with the value ---

_Check = Callable[[Any], str | None]


def _string(value: Any) -> str | None:
    return None if isinstance(value, str) else f"Expected string, received {type(value).__name__}"


def _name(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "Invalid Voice ID"


def _id(value: Any) -> str | None:
    fits = isinstance(value, str) and _ID.fullmatch(value)
    return None if fits else "Expected 1 to 128 of the characters A-Z a-z 0-9 _ . -"


def _switch(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"Expected boolean, received {type(value).__name__}"


def _number(low: float, high: float) -> _Check:
    def check(value: Any) -> str | None:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
        return None if fits else f"Expected a number between {low:g} and {high:g}"

    return check


def _one_of(options: Collection[Any]) -> _Check:
    def check(value: Any) -> str | None:
        fits = not isinstance(value, bool | list | dict) and value in options
        return None if fits else "Invalid enum value. Expected " + " | ".join(f"'{option}'" for option in options)

    return check


def _checks(per_model: bool) -> dict[str, _Check]:
    return _OLDER_FIELDS if per_model else _FIELDS


_FIELDS: dict[str, _Check] = {
    "text": _string,
    "voice_id": _name,
    "model": _one_of(_MODELS),
    "sample_rate": _one_of(_RATES),
    "language": _one_of(LANGUAGES),
    "speed": _number(0.5, 2.0),
    "word_timestamps": _switch,
    "session_id": _id,
    "request_id": _id,
    "continue": _switch,
    "flush": _switch,
    "max_buffer_flush_ms": _number(0, 5000),
    "complete_backoff_ms": _number(0, 10000),
    "context_id": _id,
    "max_buffer_delay_ms": _number(0, 5000),
    "context_close": _switch,
    "cancel_request": _switch,
}
_OLDER_FIELDS = _FIELDS | {
    "model": _string,
    "language": _string,
    "sample_rate": _number(8000, 44100),
    "speed": _number(0.1, 5.0),
}

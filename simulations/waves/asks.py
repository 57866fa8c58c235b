"""What a client's request to speak asks for, or what is wrong with it; pure, and unknown fields pass.

Messages to the WebSocket and bodies of HTTP requests are read here; what a field may be is checks.py's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen

from simulations.waves.checks import (
    OLD_ULAW,
    OLDER_WEBSOCKET,
    WEBSOCKET,
    Checks,
    Issue,
    custom,
    find_issues,
    http_checks,
    knows,
    missing,
    type_name,
)

__all__ = ["DEFAULT_MODEL", "Ask", "BadRequest", "Issue", "Knows", "any_voice", "read_ask", "read_body"]

Knows = Callable[[str], bool]
"""Says whether there is a voice of a name."""

DEFAULT_MODEL = "lightning_v3.1"
_RATE = 44100
_OLDER_RATE = 24000
"""What a sample rate is where none is asked for: of the current models, and of those before them."""


class BadRequest(Exception):
    """The request cannot be served; `issues` say why."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__(issues)
        self.issues = issues


@frozen(kw_only=True)
class Ask:
    """One request, read: what to speak, how, and what it means for its context. Times in seconds."""

    text: str
    voice: str
    rate: int
    speed: float = 1.0
    model: str = DEFAULT_MODEL
    language: str | None = None
    output_format: str = "pcm"
    """Of plain HTTP; all other links carry PCM."""
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


def any_voice(_name: str) -> bool:
    """Know every voice."""
    return True


def read_ask(message: str | bytes, *, per_model: bool, knows_voice: Knows = any_voice) -> Ask:
    """Return what a WebSocket's message asks for; `per_model` names the older path. Raises BadRequest."""
    body = _read_object(message if isinstance(message, str) else "", "a JSON object in a text frame")
    issues = _issues(body, OLDER_WEBSOCKET if per_model else WEBSOCKET, knows_voice=knows_voice)
    issues += [missing(name) for name in _needed(body) if name not in body]
    if "context_id" in body and (body.get("flush") or body.get("max_buffer_flush_ms")):
        issues.append(custom("context_id", "context_id cannot be combined with flush or max_buffer_flush_ms"))
    if issues:
        raise BadRequest(issues)
    return evolve(
        _to_ask(body, rate=_RATE),
        complete_backoff=body.get("complete_backoff_ms", 4000) / 1000,
        context=body.get("context_id"),
        more=body.get("continue", False),
        flush=body.get("flush", False),
        flush_after=body.get("max_buffer_flush_ms", 0) / 1000,
        close=body.get("context_close", False),
        cancel=body.get("cancel_request", False),
        buffer_delay=body.get("max_buffer_delay_ms", 3000) / 1000,
    )


def read_body(body: bytes, *, model_of_path: str | None, knows_voice: Knows = any_voice) -> Ask:
    """Return what the body of an HTTP request asks for. Raises BadRequest.

    `model_of_path` is the model that its path names ("lightning-v2"), None where the body does.
    """
    fields = _read_object(body, "a JSON object")
    of_path = model_of_path is not None
    model = (model_of_path or DEFAULT_MODEL).replace("-", "_")
    checks = http_checks(model, of_path=of_path)
    issues = [missing(name) for name in ("text", "voice_id") if name not in fields]
    issues += _issues(fields, checks, knows_voice=knows_voice)
    if issues:
        raise BadRequest(issues)
    ask = _to_ask(fields, rate=_RATE if "v3" in model else _OLDER_RATE)
    output_format = fields.get("output_format", ask.output_format)
    output_format = "ulaw" if output_format == OLD_ULAW else output_format
    return evolve(ask, output_format=output_format, model=model if of_path else ask.model)


def _read_object(message: str | bytes, expected: str) -> dict[str, Any]:
    """Return the request's fields; null stands for a field that is not there."""
    try:
        body = json.loads(message)
    except (ValueError, RecursionError):
        received = "no JSON"
    else:
        if isinstance(body, dict):
            return {name: value for name, value in body.items() if value is not None}
        received = type_name(body)
    message = f"Expected {expected}, received {received}"
    raise BadRequest(
        [{"code": "invalid_type", "expected": "object", "received": received, "path": [], "message": message}]
    )


def _issues(body: dict[str, Any], checks: Checks, *, knows_voice: Knows) -> list[Issue]:
    return list(find_issues(body, {**checks, "voice_id": knows(knows_voice)}))


def _to_ask(body: dict[str, Any], *, rate: int) -> Ask:
    """Return what every kind of request has; `rate` where it names none."""
    return Ask(
        text=body.get("text", ""),
        voice=body.get("voice_id", ""),
        rate=int(body.get("sample_rate", rate)),
        speed=float(body.get("speed", 1.0)),
        model=body.get("model", DEFAULT_MODEL),
        language=body.get("language"),
        word_timestamps=body.get("word_timestamps", False),
        session=body.get("session_id"),
        request=body.get("request_id"),
    )


def _needed(body: dict[str, Any]) -> tuple[str, ...]:
    """Return the fields that a WebSocket's message must have: a keep-alive has no voice, a context's end nothing.

    Whatever is to be spoken has a voice, be it the last fragment of a context.
    """
    text, in_context = body.get("text"), "context_id" in body
    says_nothing = text is None or (isinstance(text, str) and not text.strip())
    if in_context and (body.get("cancel_request") or (body.get("context_close") and says_nothing)):
        return ()
    return ("text",) if "text" in body and says_nothing else ("text", "voice_id")

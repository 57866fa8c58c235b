"""What a field of a request may be, and the issue with a value that is wrong, in the shapes seen live (Zod's); pure.

Which fields a request of which model has is told by tables of checks; reading a whole request is asks.py's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from orchestrator.settings import LANGUAGES

Issue = dict[str, Any]
"""One thing that is wrong: `code`, `path`, `message` and what else belongs to its code."""

Check = Callable[[str, Any], Issue | None]
"""Say what is wrong with the value of the field that is named, None if nothing is."""

Checks = Mapping[str, Check]
"""One check a field; a field without one is not looked at."""

OUTPUT_FORMATS = ("wav", "ulaw", "alaw", "pcm", "mp3")
"""In the order that was seen live."""
OLD_ULAW = "mulaw"
"""What the older models call `ulaw` (the official SDK 4.3); on the current ones it is refused (seen live)."""
RATES = (8000, 16000, 24000, 44100)
_MODELS = ("lightning_v3.1", "lightning_v3.1_pro")
_V2 = "en hi ta kn mr bn gu ar he fr de pl ru it nl es sv ml te"
_V2_LANGUAGES = tuple(_V2.split(" "))
_OLDEST_LANGUAGES = ("en", "hi")
_ID = re.compile(r"[A-Za-z0-9_.\-]{1,128}")
_TYPES = {bool: "boolean", str: "string", int: "number", float: "number", list: "array", dict: "object"}


def find_issues(body: Mapping[str, Any], checks: Checks) -> Iterator[Issue]:
    """Yield what is wrong with the fields that are there."""
    for name, check in checks.items():
        if name in body and (issue := check(name, body[name])):
            yield issue


def missing(name: str, expected: str = "string") -> Issue:
    """Return the issue of a field that is not there."""
    return _wrong_type(name, expected, received="undefined", message="Required")


def custom(name: str | None, message: str) -> Issue:
    """Return an issue that has no code of its own, with a field or (None) with the whole request."""
    return {"code": "custom", "path": [] if name is None else [name], "message": message}


def type_name(value: Any) -> str:
    """Return what JavaScript, and so an issue, calls the type of a value out of JSON."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan"
    return "null" if value is None else _TYPES[type(value)]


def _wrong_type(name: str, expected: str, *, received: str, message: str = "") -> Issue:
    return {
        "code": "invalid_type",
        "expected": expected,
        "received": received,
        "path": [name],
        "message": message or f"Expected {expected}, received {received}",
    }


# --- the kinds of checks ---


def _typed(expected: str) -> Check:
    def check(name: str, value: Any) -> Issue | None:
        received = type_name(value)
        return None if received == expected else _wrong_type(name, expected, received=received)

    return check


_string, _switch = _typed("string"), _typed("boolean")


def _filled(name: str, value: Any) -> Issue | None:
    return _string(name, value) or (None if value else _out_of_bounds(name, "too_small", bound=1, what="string"))


def _voice(name: str, value: Any) -> Issue | None:
    return None if isinstance(value, str) and value else custom(name, "Invalid Voice ID")


def _id(name: str, value: Any) -> Issue | None:
    issue = _string(name, value)
    if issue is None and not _ID.fullmatch(value):
        issue = {"validation": "regex", "code": "invalid_string", "path": [name]}
        issue["message"] = "Expected 1 to 128 of the characters A-Z a-z 0-9 _ . -"
    return issue


def _names(name: str, value: Any) -> Issue | None:
    """Check a list of ids."""
    if not isinstance(value, list):
        return _wrong_type(name, "array", received=type_name(value))
    wrong = ((number, issue) for number, item in enumerate(value) if (issue := _string(name, item)))
    return next(({**issue, "path": [name, number]} for number, issue in wrong), None)


def _number(low: float, high: float) -> Check:
    def check(name: str, value: Any) -> Issue | None:
        received = type_name(value)
        if received != "number":
            return _wrong_type(name, "number", received=received)
        if value < low:
            return _out_of_bounds(name, "too_small", bound=low)
        return _out_of_bounds(name, "too_big", bound=high) if value > high else None

    return check


def _out_of_bounds(name: str, code: str, *, bound: float, what: str = "number") -> Issue:
    least = code == "too_small"
    message = f"Number must be {'greater' if least else 'less'} than or equal to {bound:g}"
    return {
        "code": code,
        "minimum" if least else "maximum": int(bound) if bound == int(bound) else bound,
        "type": what,
        "inclusive": True,
        "exact": False,
        "message": message if what == "number" else f"String must contain at least {bound:g} character(s)",
        "path": [name],
    }


def one_of(options: Sequence[Any]) -> Check:
    """Return the check that a value is one of `options`, which are strings or numbers."""
    expected = " | ".join(f"'{option}'" if isinstance(option, str) else str(option) for option in options)
    kind = type_name(options[0])

    def check(name: str, value: Any) -> Issue | None:
        received = type_name(value)
        if received != kind:
            return _wrong_type(name, expected, received=received)
        if value in options:
            return None
        return {
            "received": value,
            "code": "invalid_enum_value",
            "options": list(options),
            "path": [name],
            "message": f"Invalid enum value. Expected {expected}, received '{value}'",
        }

    return check


def _language(model: str, languages: Sequence[str]) -> Check:
    known = ", ".join(language for language in languages if language != "auto")

    def check(name: str, value: Any) -> Issue | None:
        if issue := _string(name, value):
            return issue
        message = f"Language '{value}' is not supported on the {model} model. Supported languages: {known}"
        return None if value in languages else custom(name, message)

    return check


def knows(voices: Callable[[str], bool]) -> Check:
    """Return the check that a voice has one of the names that `voices` knows."""

    def check(name: str, value: Any) -> Issue | None:
        return _voice(name, value) or (None if voices(value) else custom(name, "Invalid Voice ID"))

    return check


# --- which fields there are ---

_COMMON: Checks = {
    "text": _string,
    "voice_id": _voice,
    "speed": _number(0.5, 2.0),
    "word_timestamps": _switch,
    "session_id": _id,
    "request_id": _id,
}
WEBSOCKET: Checks = {
    **_COMMON,
    "model": one_of(_MODELS),
    "sample_rate": one_of(RATES),
    "language": _language(_MODELS[0], LANGUAGES),
    "continue": _switch,
    "flush": _switch,
    "max_buffer_flush_ms": _number(0, 5000),
    "complete_backoff_ms": _number(0, 10000),
    "context_id": _id,
    "max_buffer_delay_ms": _number(0, 5000),
    "context_close": _switch,
    "cancel_request": _switch,
}
"""Of messages to the current WebSocket: of its output format, which it ignores, nothing is asked."""
OLDER_WEBSOCKET: Checks = {
    **WEBSOCKET,
    "model": _string,
    "language": _string,
    "sample_rate": _number(8000, 44100),
    "speed": _number(0.1, 5.0),
}
"""Of messages to a model's own path."""
_HTTP: Checks = {**_COMMON, "text": _filled, "output_format": one_of(OUTPUT_FORMATS)}


def http_checks(model: str, *, of_path: bool) -> Checks:
    """Return the checks of a request over HTTP to `model` (as in a body: `lightning_v3.1`); `of_path`: to its own path,
    where the body names no model."""
    if model not in _MODELS and of_path:
        languages = _V2_LANGUAGES if model == "lightning_v2" else _OLDEST_LANGUAGES
        return {
            **_HTTP,
            "output_format": one_of((*OUTPUT_FORMATS, OLD_ULAW)),
            "sample_rate": _number(8000, 24000),
            "language": _language(model, languages),
        }
    return {
        **_HTTP,
        **({} if of_path else {"model": one_of(_MODELS)}),
        "sample_rate": one_of(RATES),
        "language": _language(model if model in _MODELS else _MODELS[0], LANGUAGES),
        "number_pronunciation_language": one_of(LANGUAGES),
        "math_notation": _switch,
        "pronunciation_dicts": _names,
    }

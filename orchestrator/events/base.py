"""What every event is, the words they share, and their JSON."""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar

import attrs
from attrs import frozen

from orchestrator.redaction import redacted


class CallState(Enum):
    """What a call is doing, as the live table shows it."""

    LISTENING = "listening"
    THINKING = "thinking"
    WAITING = "waiting"
    SPEAKING = "speaking"
    HELD = "held"
    ENDED = "ended"


class GapCause(Enum):
    """Why the playout ran dry inside a reply."""

    SLOT = "slot"
    PROVIDER = "provider"
    TEXT = "text"


class Outcome(Enum):
    """How a reply ended."""

    HEARD = "heard"
    CUT = "cut"
    UNSPOKEN = "unspoken"
    EMPTY = "empty"


@frozen(kw_only=True)
class Event:
    """Anything that happened. `level` is the log level at which it is worth a line."""

    level: ClassVar[str] = "debug"
    at: float


@frozen(kw_only=True)
class CallEvent(Event):
    """Something that happened in one call."""

    call: str


@frozen(kw_only=True)
class ReplyEvent(CallEvent):
    """Something that happened to one reply of a call (numbered from 1 within the call)."""

    reply: int


def to_json(event: Event) -> dict[str, Any]:
    """Return the event as one JSON object: its name under "event", times rounded to the microsecond."""
    body: dict[str, Any] = {"at": round(event.at, 6), "event": type(event).__name__}
    for field in attrs.fields(type(event)):
        if field.name != "at":
            body[field.name] = _plain(getattr(event, field.name))
    return body


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return redacted(value)  # a vendor's message and a bot's traceback may hold anything
    return round(value, 6) if isinstance(value, float) else value

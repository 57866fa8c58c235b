"""Events of the port: who was turned away there, whether calls can be answered, what became of a stream."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from orchestrator.events.base import CallEvent, Event


@frozen(kw_only=True)
class PortsOpened(Event):
    """Calls can come: `port` is the one port, `audiosocket` AudioSocket's (None without one)."""

    level: ClassVar[str] = "info"
    port: int
    audiosocket: int | None
    lines: int


@frozen(kw_only=True)
class RequestRefused(Event):
    """A webhook or a stream was turned away: `status` 401 or 403 for one that shows no right to call, or to tell of
    videos, 400 or 413 for one that can't be read, 503 for one too many, or that can't be stored. `line` is a line's
    path, or the video service's, `address` who asked."""

    level: ClassVar[str] = "warning"
    line: str
    address: str
    status: int
    reason: str


@frozen(kw_only=True)
class StreamFailed(Event):
    """A stream ended before or without a call, or against its carrier's wire format."""

    level: ClassVar[str] = "warning"
    line: str
    address: str
    error: str


@frozen(kw_only=True)
class ReadinessChanged(Event):
    """Calls can be answered from now on (`ready`), or can't, and why."""

    level: ClassVar[str] = "info"
    ready: bool
    reason: str = ""


@frozen(kw_only=True)
class RecordingFailed(CallEvent):
    """A recording or a transcript could not be written; the call went on."""

    level: ClassVar[str] = "warning"
    error: str


@frozen(kw_only=True)
class RecordingsDeleted(Event):
    """So many files were older than they are kept."""

    level: ClassVar[str] = "info"
    files: int

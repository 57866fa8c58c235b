"""Events of a whole run, and of the loop it runs in."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from orchestrator.events.base import Event


@frozen(kw_only=True)
class RunStarted(Event):
    """The run began; `wall` is the one wall-clock stamp (ISO 8601, UTC), the rest is what was asked for."""

    level: ClassVar[str] = "info"
    wall: str
    seed: int | None
    calls: int
    profile: str | None


@frozen(kw_only=True)
class RunEnded(Event):
    """The run ended: `reason` is "finished" or "interrupted"."""

    level: ClassVar[str] = "info"
    reason: str


@frozen(kw_only=True)
class LoopLag(Event):
    """A sleep of the loop ended this much late: what every task of the process felt just then."""

    seconds: float


@frozen(kw_only=True)
class TaskBlocked(Event):
    """One task kept the loop for itself for too long; `call` and `bot` are None where no bot was running."""

    level: ClassVar[str] = "warning"
    seconds: float
    task: str
    call: str | None
    bot: str | None
    stack: str


@frozen(kw_only=True)
class DrainStarted(Event):
    """No new calls are taken; the `calls` that run have `within` seconds to end."""

    level: ClassVar[str] = "info"
    calls: int
    within: float


@frozen(kw_only=True)
class SettingsReloaded(Event):
    """The configuration was read again: settings that hold from now on, and those that need a restart, by key."""

    level: ClassVar[str] = "info"
    changed: str
    need_restart: str

"""Events of the links to the provider."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from orchestrator.events.base import Event


@frozen(kw_only=True)
class LinkOpened(Event):
    """A WebSocket to the provider is open."""

    link: int
    after: float


@frozen(kw_only=True)
class LinkClosed(Event):
    """A WebSocket to the provider is gone, its close complete."""

    link: int
    reason: str


@frozen(kw_only=True)
class LinkFailed(Event):
    """A WebSocket to the provider could not be opened or not be kept; `kind` is "bug" for a fault of our own."""

    level: ClassVar[str] = "warning"
    kind: str
    error: str
    traceback: str = ""


@frozen(kw_only=True)
class LinkReuseLearned(Event):
    """The provider closes (`reusable` False) or keeps (True) a socket after its `complete`."""

    level: ClassVar[str] = "info"
    reusable: bool


@frozen(kw_only=True)
class ProviderRefused(Event):
    """The provider refused or failed a request or a socket."""

    level: ClassVar[str] = "warning"
    kind: str
    error: str
    call: str | None = None


@frozen(kw_only=True)
class StandingChanged(Event):
    """The provider is "up", "doubtful", "out" or "final" (ports.Standing) from now on; `error` says why."""

    level: ClassVar[str] = "warning"
    standing: str
    error: str = ""


@frozen(kw_only=True)
class SlotFreedByChanged(Event):
    """`provider.slot_freed_by` is taken to be `by` ("quiet"), since `complete` came `trailed` seconds after the sound.

    Set it so in the configuration to have it from the start.
    """

    level: ClassVar[str] = "warning"
    by: str
    trailed: float

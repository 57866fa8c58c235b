"""Events that only a simulated world can tell: what truly sounded on a line, and what was left when all had ended."""

from __future__ import annotations

from attrs import frozen

from orchestrator.events import CallEvent, Event


@frozen(kw_only=True)
class SoundPlayed(CallEvent):
    """A run of sound that the caller heard, from `began` to `ended` (run clock), without a pause.

    `of` is the call whose request the provider made it for ("" where the sound bears no call's mark).
    """

    began: float
    ended: float
    of: str


@frozen(kw_only=True)
class FaultStruck(Event):
    """A fault of the provider struck; `fault` is its name."""

    fault: str


@frozen(kw_only=True)
class WorldClosed(Event):
    """The very last event: what the provider's books say, and what is left of the run.

    `tasks` counts Trio tasks that outlived the run, `sockets` WebSockets that the provider still holds open.
    """

    slots: int
    links: int
    max_in_flight: int
    max_open: int
    in_flight: int
    sockets: int
    tasks: int
    requests: int
    refused_concurrency: int
    refused_links: int
    refused_rate: int
    errors: int

"""Events of one call: how it began and ended, and what the caller did."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from orchestrator.events.base import CallEvent, CallState, Event


@frozen(kw_only=True)
class CallStarted(CallEvent):
    """A leg was answered and its bot made."""

    level: ClassVar[str] = "info"
    bot: str
    leg: str
    group: str | None = None


@frozen(kw_only=True)
class CallEnded(CallEvent):
    """The call is over, everything of it closed.

    `reason` is "caller", "bot", "run", "failure", "refused" or "drained".
    """

    level: ClassVar[str] = "info"
    reason: str
    seconds: float


@frozen(kw_only=True)
class CallFailed(CallEvent):
    """The call could not go on; no other call felt it."""

    level: ClassVar[str] = "error"
    error: str
    traceback: str


@frozen(kw_only=True)
class CallStateChanged(CallEvent):
    """The call entered `state`."""

    state: CallState


@frozen(kw_only=True)
class BotFailed(CallEvent):
    """A bot raised, yielded the wrong thing or took too long in `hook`; for one that speaks the caller gets an apology.

    `call` is empty for the hook "shared", which belongs to no call; failing to open it fails the calls instead.
    """

    level: ClassVar[str] = "error"
    bot: str
    hook: str
    error: str
    traceback: str


@frozen(kw_only=True)
class CallerSpeechStarted(CallEvent):
    """The caller began to make a sound."""


@frozen(kw_only=True)
class CallerTurnEnded(CallEvent):
    """The caller's turn is over; `spoke` seconds long, `characters` of text."""

    level: ClassVar[str] = "info"
    turn: int
    spoke: float
    characters: int


@frozen(kw_only=True)
class CallerDigits(CallEvent):
    """The caller pressed this many keys (the keys themselves may be secret)."""

    count: int


@frozen(kw_only=True)
class CallerHungUp(CallEvent):
    """The caller ended the call."""

    level: ClassVar[str] = "info"


@frozen(kw_only=True)
class CallRefused(CallEvent):
    """There was no place for the call: it was told so and ended. `reason` is "full", "waited" or "draining"."""

    level: ClassVar[str] = "info"
    reason: str
    calls: int
    places: int


@frozen(kw_only=True)
class CallQueued(CallEvent):
    """The call waits for a place, as one of `waiting`."""

    level: ClassVar[str] = "info"
    waiting: int


@frozen(kw_only=True)
class PlacesChanged(Event):
    """So many calls fit from now on: as the table says (`fitting`), less what the measured wait asks for."""

    level: ClassVar[str] = "info"
    places: int
    fitting: int
    p95_wait: float | None

"""A telephony leg: how a call's sound gets out, and what the caller does gets in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from attrs import Factory, frozen


@frozen
class CallFacts:
    """What is known of a call when it is answered."""

    id: str
    caller: str = ""
    called: str = ""
    leg: str = ""
    parameters: Mapping[str, str] = Factory(dict)


@frozen
class SpeechStarted:
    """The caller began to make a sound at `at` (run clock)."""

    at: float


@frozen
class UserTurn:
    """The caller's turn is over: what was said, and from when to when (run clock)."""

    text: str
    started: float
    ended: float


@frozen
class Digits:
    """The caller pressed keys: 0-9, *, #, A-D."""

    digits: str


@frozen
class MarkPlayed:
    """Everything written before the mark `name` has sounded to the caller, as of `at` (run clock)."""

    name: str
    at: float


@frozen
class HungUp:
    """The caller ended the call at `at` (run clock)."""

    at: float


LegEvent = SpeechStarted | UserTurn | Digits | MarkPlayed | HungUp


class Leg(Protocol):
    """One telephony leg: how a call's sound gets out, and what the caller does gets in.

    `rate` is the PCM rate in samples a second, `latency` how long a mark takes from the caller's ear to us, in seconds
    (0 where our own clock paces the leg). `stride` is how many seconds of sound it is handed at most between two marks:
    so exact is the heard position where the clock is not ours.
    """

    facts: CallFacts
    rate: int
    latency: float
    stride: float

    async def write(self, pcm: bytes) -> None:
        """Hand sound over, mono PCM; wait while the leg holds as much as it wants ahead. Raises LegClosed.

        A cut clears the leg and cancels the write in one step: after a wait the leg must look for that cancel
        (`trio.lowlevel.checkpoint_if_cancelled`) before it takes the sound, or it would sound after the cut.
        """

    def mark(self, name: str) -> None:
        """Ask for MarkPlayed(name) when all that was written before has sounded (at once if nothing is waiting)."""

    def clear(self) -> None:
        """Throw away what has not sounded. Marks before it no longer count, wherever they still turn up."""

    def events(self) -> AsyncIterator[LegEvent]:
        """What the caller's side does, in order; ends after HungUp or our own hang-up."""

    async def hang_up(self) -> None:
        """End the call from our side; harmless when it is over already."""

    async def transfer(self, to: str) -> None:
        """Hand the caller over to another number or address and leave the call."""


class Tap(Protocol):
    """What a leg tells about the sound on it, on the run clock: for recordings."""

    def from_caller(self, at: float, pcm: bytes) -> None:
        """`pcm` of the caller began at `at`."""

    def to_caller(self, at: float, pcm: bytes) -> None:
        """`pcm` of the bot began to sound to the caller at `at`."""

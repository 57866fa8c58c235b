"""Says which refusals for concurrency a program that knew what it had been told would not have met; pure."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

_EDGE = 1e-6
"""Seconds that count as none: sums of floats."""


@frozen
class Span:
    """From when to when a generation counted against the plan (run clock)."""

    begun: float
    ends: float


@frozen
class Look:
    """A list of what is live: when the service wrote it at the earliest, and when it was heard."""

    shown: float
    heard: float


@frozen
class Refused:
    """A create request that was refused for concurrency: when the program sent it, and when the service read it."""

    sent: float
    read: float


@frozen(kw_only=True)
class Told:
    """What there was to know. `births` are the times at which the program was started: it knows nothing then."""

    limit: int
    ours: Sequence[Span]
    others: Sequence[Span]
    looks: Sequence[Look]
    births: Sequence[float]

    def is_full(self, at: float) -> bool:
        """Say whether all places were taken."""
        live = sum(each.begun <= at + _EDGE and at - _EDGE < each.ends for each in (*self.ours, *self.others))
        return live >= self.limit

    def knew(self, refused: Refused) -> bool:
        """Say whether, since the others' last change, the program had heard a list that showed it."""
        changes = [time for each in self.others for time in (each.begun, each.ends) if time <= refused.read + _EDGE]
        since = max(max(changes, default=0.0), max(birth for birth in self.births if birth <= refused.sent))
        return any(since <= look.shown and look.heard <= refused.sent for look in self.looks)


def needless(refusals: Sequence[Refused], told: Told) -> list[Refused]:
    """Return the refusals that came of nothing but ignorance: the service was full, as the program had been told.

    What a fault refused while there was room is none of them.
    """
    return [each for each in refusals if told.is_full(each.read) and told.knew(each)]

"""One thing that goes wrong, as a value: its name, its figures, when it strikes. Which there are is catalogue.py's."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators

LEAST_BETWEEN = 0.1
"""Seconds: what recurs more often than that is no fault but a state."""


@frozen(kw_only=True)
class Fault:
    """A fault as somebody ordered it; times in seconds, `at` from the start of the provider (or of the order).

    It strikes `count` times from `at` on (what strikes requests: the next ones), and again whenever a Poisson process
    with a mean of `every` says so. `seconds` is how long it lasts, where it lasts.
    """

    name: str
    at: float = field(default=0.0, validator=validators.ge(0.0))
    count: int = field(default=1, validator=[validators.ge(0), validators.le(1000)])
    every: float | None = field(default=None, validator=validators.optional(validators.ge(LEAST_BETWEEN)))
    seconds: float = field(default=0.0, validator=validators.ge(0.0))
    after: float = field(default=0.5, validator=validators.ge(0.0))
    """Of faults in the middle of the sound: seconds of sound that are sent before."""
    share: float | None = field(default=None, validator=validators.optional([validators.gt(0.0), validators.lt(1.0)]))
    """Of another user of the account: the part of the time in which it holds the slot."""
    random: bool = False
    """Of another user: each hold has a length of its own, memoryless (exponential), with `seconds` as the mean."""
    megabytes: float = field(default=10.0, validator=[validators.gt(0.0), validators.le(100.0)])
    """Of an oversized message."""
    of: Literal["any", "create", "other"] = "any"
    """At the lip-sync service: which requests it strikes, those that create a generation, or all others."""
    status: int = field(default=500, validator=validators.in_((500, 503)))
    """There: the HTTP status of an error."""
    accepted: bool = True
    """There, of an outcome that is unknown: whether the generation was begun."""
    tells_id: bool = False
    """There: whether the answer names that generation."""
    rejected: bool = False
    """There: whether a job that fails ends REJECTED, not FAILED."""
    noise: str = ""
    """What its random bytes and ids are drawn from (a seed): another with each strike."""

    def __attrs_post_init__(self) -> None:
        if self.random and not self.seconds:
            raise ValueError("holds of random length need seconds: how long one is on the average")
        if self.share is not None and not self.seconds:
            raise ValueError("a share of the time needs seconds: how long a slot is held at a time")

"""Decides how many links there should be, from what those there are do, and when idle ones are replaced; pure.

When one is dialled is redial.py's.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from orchestrator.ports import Standing
from orchestrator.speech.links import IN_USE, TO_COME, LinkState

_REPLACED_APART = 5.0
"""Seconds between the replacements of two idle links: longer than a dial may take."""


@frozen(kw_only=True)
class Quota:
    """What the account allows: `slots` requests and `links` sockets at a time. One place stays free."""

    slots: int
    links: int

    def room(self, states: Sequence[LinkState]) -> int:
        """How many more sockets there may be, less than none if there are too many: one that closes counts."""
        return max(1, self.links - 1) - len(states)

    def missing(self, states: Sequence[LinkState], *, reused: bool | None, standing: Standing) -> int:
        """How many links are missing: one more than slots should be there; `reused` says if those in use come back."""
        in_use = sum(state in IN_USE for state in states)
        coming = sum(state in TO_COME for state in states)
        if reused is None:
            coming += max(0, in_use - 1)  # one may have to be replaced before it is known whether all have
        elif reused:
            coming += in_use
        # Who is refused for good asks again with one.
        wanted = 1 if standing is Standing.FINAL else self.slots + 1
        return min(wanted - coming, self.room(states))


def apart_from(others: Sequence[float], *, now: float, idle: float) -> float:
    """Return when a link that is idle from now on is to be replaced: apart from all others, in `idle` seconds at most.

    In half of them at least, however many others there are: a link whose time were up at once would be dialled again
    for ever.
    """
    apart, time = 2 * _REPLACED_APART, now
    while time < now + idle / 2:
        apart, time = apart / 2, now + idle
        for other in sorted(others, reverse=True):
            if abs(time - other) < apart:
                time = other - apart
    return time

"""Decides when something that takes minutes is asked about again: often at first, then ever more seldom; pure."""

from __future__ import annotations

_FIRST = 1.0
"""Seconds from its beginning to the first poll, and the least between two."""
_PART = 1.0 / 20.0
"""The pause between two polls as a part of the age, and at most of the usual duration: nothing is noticed later than
by a twentieth of the time that it took."""
_MOST_OF_BATCH = 60.0


def poll_at(begun: float, last: float | None, *, usual: float) -> float:
    """Return when to ask again about what `begun` then, was asked about `last`, and usually takes so long."""
    return _next(begun, last, most=usual * _PART)


def batch_poll_at(begun: float, last: float | None) -> float:
    """Return when to ask again about a batch, that has a day: at most a minute after the last time."""
    return _next(begun, last, most=_MOST_OF_BATCH)


def _next(begun: float, last: float | None, *, most: float) -> float:
    since = begun if last is None else max(begun, last)
    return since + max(_FIRST, min(most, (since - begun) * _PART))

"""Decides when a scenario's calls arrive, and on which line; pure. Starting them is calls.py's."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import count
from operator import attrgetter
from random import Random

from attrs import frozen

from simulations.scenario import Group

SPREAD = 10.0
"""Seconds over which calls with "spread" arrivals begin."""


@frozen
class Arrival:
    """A call begins at `at` (run clock): the `nth` of the `line` of the group with that index, both counted from 1.

    `line_stays` says that another follows on its line when it is over; else calls come by the clock alone.
    """

    at: float
    group: int
    line: int
    nth: int
    line_stays: bool


def arrivals(groups: tuple[Group, ...], *, seed: int) -> Iterator[Arrival]:
    """Yield the calls in the order in which they arrive; without end where some come by the clock.

    Raises ValueError for endless calls that come by the clock if `per_hour` does not say how often.
    """
    streams = [iter(_first_calls(groups))]
    for index, group in enumerate(groups):
        if group.arrivals in ("regular", "poisson"):
            streams += [_stream(group, seed, index=index, line=line) for line in range(1, group.calls + 1)]
    return merge(*streams, key=attrgetter("at"))


def _first_calls(groups: tuple[Group, ...]) -> list[Arrival]:
    """Return the first calls of the lines that stay: spread ones evenly, those of each group among all the others."""
    found = [
        Arrival(0.0, index, line, 1, line_stays=True)
        for index, group in enumerate(groups)
        if group.arrivals == "at once"
        for line in range(1, group.calls + 1)
    ]
    places = sorted(
        ((line - 0.5) / group.calls, index, line)
        for index, group in enumerate(groups)
        if group.arrivals == "spread"
        for line in range(1, group.calls + 1)
    )
    for number, (_, index, line) in enumerate(places):
        found.append(Arrival(SPREAD * number / len(places), index, line, 1, line_stays=True))
    return found


def _stream(group: Group, seed: int, *, index: int, line: int) -> Iterator[Arrival]:
    """Yield one line's calls, as many as arrive on it."""
    per_hour = group.per_hour
    if per_hour is None:
        if not group.traits.minutes:
            raise ValueError(f"{group.arrivals} arrivals of endless calls: per_hour must say how often they come")
        per_hour = 60 / group.traits.minutes
    return _times(group, per_hour, rng=Random(f"{seed}:{group.name or ''}:{line}:arrivals"), place=(index, line))


def _times(group: Group, per_hour: float, *, rng: Random, place: tuple[int, int]) -> Iterator[Arrival]:
    regular = group.arrivals == "regular"
    every = 3600 / per_hour
    at = every * rng.random() if regular else rng.expovariate(1 / every)
    for nth in count(1):
        yield Arrival(at, *place, nth, line_stays=False)
        at += every if regular else rng.expovariate(1 / every)

"""Decides how many of a scenario's calls arrive, when, and on which line; pure. Starting them is calls.py's."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import count
from operator import attrgetter
from random import Random

import attrs
from attrs import frozen

from orchestrator.slot.capacity import CapacityTable
from simulations.scenario import Group, Scenario
from simulations.workload import talk_share

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


def under_load(scenario: Scenario, table: CapacityTable) -> tuple[Group, ...]:
    """Return the groups of a scenario with a `load` as their calls arrive: as one stream for each group.

    All together bring `load` times the calls that fit at the provider's speed by `table`, each by its own talk share as
    much as its part of the scenario's lines. Raises ValueError where no call fits, or nobody knows how many.
    """
    return tuple(_stream_of(group, scenario, table=table) for group in scenario.groups)


def _stream_of(group: Group, scenario: Scenario, *, table: CapacityTable) -> Group:
    server, share = scenario.server, talk_share(group.traits)
    fitting = table.fit(ttfb=server.ttfb, rtf=server.rtf, talk_share=share, slots=server.slots)
    if not fitting:
        raise ValueError(f"no call fits at ttfb {server.ttfb:g}, rtf {server.rtf:g} and a talk share of {share:.2f}")
    if not group.calls:
        return group
    at_a_time = scenario.load * fitting * group.calls / scenario.calls
    return attrs.evolve(group, calls=1, per_hour=at_a_time * 60 / group.traits.minutes)


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

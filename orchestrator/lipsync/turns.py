"""Decides in which order waiting jobs go: by priority, then owner after owner, then by deadline; pure.

How many of them go is plan.py's.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from orchestrator.lipsync.job import Job

_LATEST = float("inf")


class _Turn(NamedTuple):
    """An owner who waits for a turn: the least goes first."""

    live: int
    since: float
    """Since when it waits for this turn: its last one, or, if it came later, the acceptance of its oldest job."""
    serial: int
    """Of its next job: no tie is left."""
    owner: str


def in_turn(jobs: Iterable[Job], *, live: Mapping[str, int], served: Mapping[str, float]) -> Iterator[Job]:
    """Yield the jobs in the order in which they are to be begun, each as if those before it had been.

    The highest priority first. Within it the owner goes first with the fewest generations live, and of such the one
    that waits longest for its turn (`served`: when the service last took a job of an owner's), so that newcomers,
    however many, pass nobody by who was there before them. An owner's earliest deadline goes first, then the earliest
    accepted.
    """
    live, served = dict(live), dict(served)
    levels = defaultdict[int, defaultdict[str, list[Job]]](lambda: defaultdict(list))
    for job in jobs:
        levels[job.priority][job.owner].append(job)
    for priority in sorted(levels, reverse=True):
        yield from _owner_after_owner(levels[priority], live=live, served=served)


def _owner_after_owner(
    owners: dict[str, list[Job]], *, live: dict[str, int], served: dict[str, float]
) -> Iterator[Job]:
    queues, turns = dict[str, list[Job]](), list[_Turn]()
    for owner, jobs in owners.items():
        since = max(served.get(owner, -_LATEST), min(job.accepted_at for job in jobs))
        queues[owner] = sorted(jobs, key=_within_owner, reverse=True)
        turns.append(_Turn(live.get(owner, 0), since, queues[owner][-1].serial, owner))
    heapq.heapify(turns)
    while turns:
        turn = turns[0]
        queue = queues[turn.owner]
        live[turn.owner], served[turn.owner] = turn.live + 1, _LATEST
        yield queue.pop()
        if queue:
            heapq.heapreplace(turns, _Turn(turn.live + 1, _LATEST, queue[-1].serial, turn.owner))
        else:
            heapq.heappop(turns)


def _within_owner(job: Job) -> tuple[float, int]:
    return _LATEST if job.deadline is None else job.deadline, job.serial

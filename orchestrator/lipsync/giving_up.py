"""Decides which waiting jobs will never become videos: too late, or refused again and again while others pass; pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from orchestrator.lipsync.backoff import Held
from orchestrator.lipsync.job import Job
from orchestrator.lipsync.steps import GiveUp

TRIES = 20
"""A job is given up after so many failures of its own (Held.own): about ten minutes of a busy queue. If requests fail
by chance, however probably, that hits less than one job in a million; a service that fails as a whole hits none."""


def hopeless(
    waiting: Iterable[Job], *, held: Mapping[str, Held], now: float, usually: Callable[[Job], float]
) -> tuple[list[GiveUp], float]:
    """Return which jobs are given up, and when the next deadline passes (infinite: never).

    `held` is Account.held, `usually` says how many seconds a job usually takes.
    """
    refused = {name: each for name, each in held.items() if each.own >= TRIES}
    ends, following = defaultdict[tuple[str, str], list[str]](list), math.inf
    for job in waiting:
        if known := refused.get(job.id):
            ends[f"given up after {TRIES} failures while others passed: {known.error}", known.code].append(job.id)
        elif job.deadline is not None:
            usual = usually(job)
            latest = job.deadline - usual
            if now <= latest:
                following = min(following, latest)
                continue
            reason = f"can't be ready by its deadline: {job.request.model} usually takes {usual:.0f} s"
            ends[reason, "deadline_passed"].append(job.id)
    return [GiveUp(tuple(jobs), *why) for why, jobs in ends.items()], math.nextafter(following, math.inf)

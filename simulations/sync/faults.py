"""Every fault of the simulated lip-sync service by its name; values only. When they strike is said elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from simulations.waves.faults.catalogue import PLAIN, Entry
from simulations.waves.faults.parsing import FaultReader

_LINKS = (PLAIN,)
_OF = {"of": "any"}

CATALOGUE: Mapping[str, Entry] = {
    "rate_429": Entry(
        does="the next request (`of`: any, create or other) is refused with rate_limit_exceeded",
        strikes="request",
        figures=_OF,
        links=_LINKS,
    ),
    "concurrency_429": Entry(
        does="the next generation is refused with concurrency_limit_reached", strikes="request", links=_LINKS
    ),
    "error_before": Entry(
        does="the next request (`of`: any, create or other) is answered with `status` 500 or 503, and nothing is done",
        strikes="request",
        figures={"status": 500, **_OF},
        links=_LINKS,
    ),
    "error_after_accept": Entry(
        does="the next generation is begun, and the answer is HTTP 500", strikes="request", links=_LINKS
    ),
    "cut_answer": Entry(
        does="the next request (`of`: any, create or other) is done, and the connection is cut instead of an answer",
        strikes="request",
        figures={"of": "create"},
        links=_LINKS,
    ),
    "slow_answer": Entry(
        does="the answer to the next request (`of`: any, create or other), which is done, comes `seconds` late",
        strikes="request",
        figures={"seconds": 5.0, **_OF},
        links=_LINKS,
    ),
    "idempotency_unknown": Entry(
        does="the next generation with an Idempotency-Key is answered with 503 IDEMPOTENCY_OUTCOME_UNKNOWN; it was "
        "`accepted`, or not; `tells_id` names it",
        strikes="request",
        figures={"accepted": True, "tells_id": False},
        links=_LINKS,
    ),
    "job_fails": Entry(
        does="the next generation ends FAILED, or with `rejected=true` REJECTED",
        strikes="request",
        figures={"rejected": False},
        links=_LINKS,
    ),
    "unreachable": Entry(does="the video of the next generation can't be read", strikes="request", links=_LINKS),
    "lost_webhook": Entry(does="the next webhook is never sent", strikes="request", links=_LINKS),
    "doubled_webhook": Entry(does="the next webhook is sent twice", strikes="request", links=_LINKS),
    "late_webhook": Entry(
        does="the next webhook is sent `seconds` late", strikes="request", figures={"seconds": 60.0}, links=_LINKS
    ),
    "other_user": Entry(
        does="another user of the first account has a generation that lives for `seconds` (or `hold`), as soon as "
        "there is a place; with `share` again and again, for that part of the time; with `random=true` each has a "
        "length of its own, exponentially distributed, with `seconds` as the mean",
        strikes="account",
        figures={"seconds": 60.0, "share": None, "random": False},
    ),
    "revoked": Entry(
        does="no key is good any more, for `seconds` (0: for good)", strikes="opening", figures={"seconds": 0.0}
    ),
    "gone": Entry(
        does="nothing is read, answered or let in for `seconds`; connections that were open are dead afterwards",
        strikes="connections",
        figures={"seconds": 60.0},
    ),
}

READER = FaultReader(CATALOGUE)
"""Reads them from options, scripts and orders."""
BY_THEMSELVES = ("other_user", "revoked", "gone")
"""What happens at its time, whoever asks."""

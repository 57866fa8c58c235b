"""Decides which job a generation or batch belongs to that the service tells of, by its webhook or its content; pure.

What is done about it is the steps'. `claimed` says of which Idempotency-Key a generation or batch is known to be.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from attrs import frozen

from orchestrator.lipsync.job import Job, JobState
from orchestrator.ports import Batch, Generation, VideoRequest

SKEW = 60.0
"""Seconds that the service's clock may be behind ours."""


def webhook_for(address: str, **query: str) -> str:
    """Return where the service tells of one job or batch; empty where it tells nothing."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}" if address else ""


def named_in(webhook_url: str, name: str) -> str:
    """Return the job or batch that a webhook's address names; empty where it names none."""
    try:
        return parse_qs(urlsplit(webhook_url).query).get(name, [""])[0]
    except ValueError:  # somebody else's address, that is none
        return ""


def begun_since(job: Job) -> float:
    """Return since when (by the service's clock) what a job's last attempt made can have been there."""
    return (job.accepted_at if job.attempted_at is None else job.attempted_at) - SKEW


@frozen
class Content:
    """What makes two videos the same as far as the service's list shows it."""

    model: str
    parts: tuple[str, ...]


def content_of(made: VideoRequest | Generation) -> Content:
    """Return what a request asks for, or a generation was asked for."""
    return Content(made.model, tuple(sorted(map(_part, made.input))))


def _part(item: Mapping[str, Any]) -> str:
    kind, what = item.get("type", ""), item.get("url") or item.get("assetId")
    return f"{kind} {what}" if what else json.dumps(item, sort_keys=True, default=dict)


def made_for(job: Job, found: Iterable[Generation], *, claimed: Mapping[str, str]) -> Generation | None:
    """Return the generation that a job's last attempt began, if it is among those `found`; of several the oldest."""
    free = [each for each in found if claimed.get(each.id, job.key) == job.key]
    known = [each for each in free if claimed.get(each.id) == job.key or named_in(each.webhook_url, "job") == job.id]
    since, content = begun_since(job), content_of(job.request)
    alike = [each for each in free if content_of(each) == content and _unnamed(each, job)]
    lately = [each for each in known or alike if each.created_at is None or each.created_at >= since]
    return min(lately, key=lambda each: each.created_at or 0.0, default=None)


def _unnamed(generation: Generation, job: Job) -> bool:
    """Say whether a webhook's address names no other job: it is none, or one that whoever asked had chosen."""
    return not named_in(generation.webhook_url, "job") or generation.webhook_url == job.request.webhook_url


def batch_for(jobs: Sequence[Job], found: Iterable[Batch], *, claimed: Mapping[str, str]) -> Batch | None:
    """Return the batch that some jobs were sent as, if it is among those `found`; of several the oldest."""
    key, since = jobs[0].batch, min(begun_since(job) for job in jobs)
    free = [each for each in found if claimed.get(each.id, key) == key]
    known = [each for each in free if claimed.get(each.id) == key or named_in(each.webhook_url, "batch") == key]
    alike = [each for each in free if each.total == len(jobs) and not named_in(each.webhook_url, "batch")]
    lately = [each for each in known or alike if each.created_at is None or each.created_at >= since]
    return min(lately, key=lambda each: each.created_at or 0.0, default=None)


def not_ours(live: Iterable[Generation], jobs: Iterable[Job]) -> int:
    """Return how many of the live generations belong to none of our jobs, as far as that can be told."""
    jobs = list(jobs)
    ids, generations = {job.id for job in jobs}, {job.generation for job in jobs if job.generation}
    unnamed = [job for job in jobs if not job.generation and job.state in (JobState.SENDING, JobState.SUBMITTED)]
    expected = Counter(content_of(job.request) for job in unnamed)
    others = 0
    for each in live:
        if each.id in generations or named_in(each.webhook_url, "job") in ids:
            continue
        content = content_of(each)
        if expected[content] > 0:
            expected[content] -= 1
        else:
            others += 1
    return others

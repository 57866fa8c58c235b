"""How the simulated lip-sync service is set up: plans, limits, durations and the choices where sources disagree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen, validators

from orchestrator.settings.lipsync import BATCH_PLANS, GENERATIONS
from orchestrator.settings.lipsync import Plan as PlanName

USUAL_SECONDS: Mapping[str, float] = {
    "lipsync-2": 120.0,
    "lipsync-2-pro": 210.0,
    "lipsync-1.9.0-beta": 45.0,
    "sync-3": 750.0,
    "react-1": 90.0,
}
"""How long each model takes for a video of 30 s: the middle of what is published."""

LONGEST: Mapping[PlanName, float] = {
    "free": 20.0,
    "hobbyist": 60.0,
    "creator": 300.0,
    "growth": 600.0,
    "scale": 1800.0,
    "enterprise": 1800.0,
}
"""Seconds of video, as published; an enterprise's is assumed."""

_CREATES: int | None = 60
_OTHERS: int | None = 600
"""Requests a minute, as published."""

_positive = validators.gt(0.0)
_not_negative = validators.ge(0.0)


@frozen(kw_only=True)
class Plan:
    """What an account may do; None: without a limit."""

    name: PlanName = "creator"
    generations: int = field(validator=validators.ge(1))
    """PENDING and PROCESSING at a time; without it as the plan is published."""
    batches: int = field(validator=validators.ge(0))
    """Batches at a time, 0 where the plan has none. How many it may be is not published."""
    longest: float = field(validator=_positive)
    """Seconds of video; without it as the plan is published."""
    creates: int | None = field(default=_CREATES, validator=validators.optional(validators.ge(1)))
    """Requests a minute that create a generation."""
    others: int | None = field(default=_OTHERS, validator=validators.optional(validators.ge(1)))
    """All other requests a minute."""

    @generations.default
    def _generations(self) -> int:
        return GENERATIONS[self.name]

    @batches.default
    def _batches(self) -> int:
        return 2 if self.name in BATCH_PLANS else 0

    @longest.default
    def _longest(self) -> float:
        return LONGEST[self.name]

    @property
    def may_batch(self) -> bool:
        """Whether it has batches at all."""
        return self.batches > 0


@frozen(kw_only=True)
class SyncOptions:
    """Options of one service; times in seconds unless their name says otherwise."""

    plan: Plan = Plan()
    """Of the account that `api_key` belongs to, or everybody."""
    api_key: str = field(default="", repr=False)
    """The one key that is accepted; empty: every key."""
    webhook_secret: str = field(default="", repr=False)
    """Signs the webhooks of the account of `api_key`, or everybody; empty: drawn from the seed."""
    seed: int = 0
    window: Literal["sliding", "fixed"] = "sliding"
    """How a minute is counted: any 60 s, or by minutes from the start, as "the limit resets every minute" may be
    read."""
    uploads_per_minute: int | None = field(default=None, validator=validators.optional(validators.ge(1)))
    """Of /v2/assets/upload: 120 on the newest page, no word of it on those before."""
    retry_after: float | None = field(default=None, validator=validators.optional(_not_negative))
    """Sent as `Retry-After` with each 429, in whole seconds, rounded up; without it there is no such header: whether
    the service sends one is not known."""
    speed: float = field(default=1.0, validator=_positive)
    """Everything that takes its time is over so many times sooner: generations, batches, retries of webhooks."""
    unevenness: float = field(default=0.25, validator=_not_negative)
    """Coefficient of variation of how long a generation takes (lognormal; nothing is published but ranges)."""
    media_seconds: float = field(default=10.0, validator=_positive)
    """How long a video or sound is that nobody can know the length of: nothing is fetched."""
    create_status: Literal[200, 201] = 201
    """Of a generation that was begun. Other pages document 201 for what is created; clients accept both."""
    idempotency: bool = True
    """Whether an Idempotency-Key is honoured; otherwise it is ignored."""
    replay_status: Literal[200, 201] = 201
    """Of an answer to the same key and body. Not published."""
    conflict_status: Literal[400, 409, 422] = 409
    """Of the same key with another body. Not published."""
    idempotency_hours: float = field(default=24.0, validator=_positive)
    """How long a key is known. Not published."""
    batch_at_a_time: int = field(default=15, validator=validators.ge(1))
    """Generations of one batch that are made at the same time. Not published."""
    batch_in_list: bool = False
    """Whether the generations of batches are in the list of generations, too. Not published."""
    batch_check: Literal["file", "lines"] = "file"
    """What a line does whose payload is wrong: the whole file is refused, or the line fails. Not published."""
    webhook_unit: Literal["s", "ms"] = "s"
    """Of the time in a webhook's signature. Not published."""
    webhook_retries: int = field(default=6, validator=validators.ge(0))
    """How often a webhook is sent again that was not answered with 2xx. Not published."""
    webhook_wait: float = field(default=5.0, validator=_positive)
    """Until the first of these; each further wait is twice as long. Not published."""
    webhook_of_rejected: bool = True
    """Whether the end of a REJECTED generation is told. Published are COMPLETED and FAILED."""
    file_mb: float = field(default=20.0, validator=_positive)
    """Of one file in a form: beyond it 413. Older pages say 20 MB, the newest 5 GiB."""
    plan_file_mb: float | None = field(default=None, validator=validators.optional(_positive))
    """Of one file by the plan: beyond it 422. Figures are not published."""
    upload_mb: float = field(default=200.0, validator=_positive)
    """Of one file that is put to an upload's address (ours: it is kept in memory)."""
    send_within: float = field(default=10.0, validator=_positive)
    """A client that takes longer to take an answer is dropped."""

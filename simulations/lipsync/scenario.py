"""What is simulated: how many jobs and deaths, which plan, what goes wrong; values only."""

from __future__ import annotations

import math

from attrs import field, frozen, validators

from orchestrator.settings.lipsync import Plan as PlanName
from simulations.sync.faults import READER
from simulations.sync.options import USUAL_SECONDS, Plan, SyncOptions
from simulations.waves.faults.fault import Fault

MODEL = "lipsync-2"
"""What most jobs are made with."""
_RATES = (
    ("rate_429:of=create", 150),
    ("rate_429:of=other", 75),
    ("concurrency_429", 100),
    ("error_before:of=create", 75),
    ("error_before:of=other,status=503", 50),
    ("error_after_accept", 50),
    ("cut_answer:of=create", 50),
    ("cut_answer:of=other", 50),
    ("slow_answer:of=create,seconds=8", 75),
    ("slow_answer:of=create,seconds=40", 150),
    ("slow_answer:of=other,seconds=40", 150),
    ("idempotency_unknown", 100),
    ("idempotency_unknown:tells_id=true", 150),
    ("idempotency_unknown:accepted=false", 100),
    ("job_fails", 30),
    ("job_fails:rejected=true", 100),
    ("unreachable", 150),
    ("lost_webhook", 20),
    ("doubled_webhook", 20),
    ("late_webhook", 40),
    ("revoked:seconds=15", 500),
    ("gone:seconds=15", 500),
)
"""What goes wrong by default, and how often: once in so many ends of generations, on the average."""
_LEAST_APART = 8.0
"""Seconds that count for each of those at the least: time-outs and pauses are no shorter where generations are."""
_OTHERS_SHARE = 0.2
"""The part of the time in which another user of the account has a generation."""


@frozen(kw_only=True)
class LipsyncScenario:
    """One world. `faults` None: all of them at sensible rates."""

    jobs: int = field(default=500, validator=validators.ge(1))
    kills: int = field(default=20, validator=validators.ge(0))
    plan: PlanName = "creator"
    faults: tuple[Fault, ...] | None = None
    idempotency: bool = True
    """Whether the service honours Idempotency-Keys."""
    webhooks: bool = True
    speed: float = field(default=1.0, validator=validators.gt(0.0))
    """How many times sooner generations are over than is published."""
    creates_per_minute: int = field(default=60, validator=validators.ge(1))
    requests_per_minute: int = field(default=600, validator=validators.ge(10))

    @property
    def server_plan(self) -> Plan:
        """What the account may do."""
        return Plan(name=self.plan, creates=self.creates_per_minute, others=self.requests_per_minute)

    @property
    def between_ends(self) -> float:
        """Seconds between two ends of generations while all places are in use, on the average."""
        return USUAL_SECONDS[MODEL] / self.speed / self.server_plan.generations

    @property
    def expected(self) -> float:
        """Seconds that all of it takes, roughly."""
        return self.jobs * self.between_ends

    def server_options(self, seed: int) -> SyncOptions:
        """Return the service's options."""
        return SyncOptions(plan=self.server_plan, speed=self.speed, idempotency=self.idempotency, seed=seed)

    def ordered_faults(self) -> tuple[Fault, ...]:
        """Return what goes wrong."""
        return usual_faults(self.between_ends) if self.faults is None else self.faults


def usual_faults(between_ends: float) -> tuple[Fault, ...]:
    """Return what goes wrong by default where generations end so many seconds apart."""
    texts = [_recurring(text, max(_LEAST_APART, between_ends) * ends) for text, ends in _RATES]
    hold = max(1.0, 4.0 * between_ends)
    texts.append(f"other_user:seconds={hold:g},share={_OTHERS_SHARE},random=true")
    return READER.parse_faults(texts, source="")


def _recurring(text: str, every: float) -> str:
    mark = "," if ":" in text else ":"
    return f"{text}{mark}every={math.ceil(every)}"

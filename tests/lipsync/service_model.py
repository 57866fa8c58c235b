"""The video service in the plainest way: lists of what was asked when, of what is being made, and its limits."""

from __future__ import annotations

import random

from attrs import define, field

from orchestrator.errors import AvatarFault, FaultKind

CREATES, OTHERS = 60, 600


@define
class Made:
    """A generation: from when to when it is live. `key`: the Idempotency-Key, empty for somebody else's."""

    id: str
    key: str
    began: float
    ends: float


@define(kw_only=True)
class ServiceModel:
    """`limit` generations at a time, in truth; `batch_limit` batches. `trouble` is what it answers to everything."""

    limit: int
    draw: random.Random
    batch_limit: int = 2
    trouble: FaultKind | None = None
    only_creates: bool = False
    retry_after: float | None = None
    poison: set[str] = field(factory=set)
    """Keys whose create requests always fail."""
    made: list[Made] = field(factory=list)
    batches: list[Made] = field(factory=list)
    asked: dict[str, list[float]] = field(factory=lambda: {"create": [], "other": []})
    most: dict[str, int] = field(factory=lambda: {"create": CREATES, "other": OTHERS})
    refused_full: list[float] = field(factory=list)
    listed_at: float = -1.0
    """When the list was last asked for."""

    def live(self, now: float) -> list[Made]:
        """What is being made."""
        return [each for each in self.made if each.began <= now < each.ends]

    def count(self, kind: str, now: float, times: int = 1) -> None:
        """A request comes; its claim: never more than allowed in any minute."""
        asked = self.asked[kind]
        asked += [now] * times
        assert sum(now - 60.0 < at <= now for at in asked) <= self.most[kind], f"{kind} window overrun at {now}"
        if self.trouble and (kind == "create" or not self.only_creates):
            raise AvatarFault(self.trouble, "trouble", retry_after=self.retry_after)

    def create(self, key: str, now: float, *, seconds: float) -> Made:
        """Make a video, or find the one that was made with this key."""
        self.count("create", now)
        if key in self.poison:
            raise AvatarFault(FaultKind.RETRY, "always fails")
        for each in self.made:
            if each.key == key:
                return each
        if len(self.live(now)) >= self.limit:
            self.refused_full.append(now)
            raise AvatarFault(FaultKind.CONCURRENCY, "full", code="concurrency_limit_reached")
        return self.add(key, now, seconds=seconds)

    def add(self, key: str, now: float, *, seconds: float) -> Made:
        """Begin to make a video, ours or somebody else's."""
        self.made.append(Made(f"g{len(self.made)}", key, now, now + seconds))
        return self.made[-1]

    def create_batch(self, key: str, now: float, *, seconds: float) -> Made:
        """Begin a batch."""
        self.count("other", now)
        for each in self.batches:
            if each.key == key:
                return each
        if sum(each.ends > now for each in self.batches) >= self.batch_limit:
            raise AvatarFault(FaultKind.CONCURRENCY, "batches full", code="concurrency_limit_reached")
        self.batches.append(Made(f"b{len(self.batches)}", key, now, now + seconds))
        return self.batches[-1]

    def begun_by_others(self, now: float, *, since: float) -> bool:
        """Whether others have begun something since then that is live."""
        return any(not each.key and each.began >= since for each in self.live(now))

"""A service of videos in memory, faithful in what the queue goes by, with faults as they are asked for."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import trio
from attrs import define, evolve, field

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.ports import Batch, BatchLine, BatchResult, Generation, GenerationStatus, Now, VideoRequest


def full() -> AvatarFault:
    """Return what the service says when all places are taken."""
    return AvatarFault(FaultKind.CONCURRENCY, "too many at a time", code="concurrency_limit_reached")


@define(eq=False)
class Made:
    """A generation as the service keeps it: how long it takes, and how it ends."""

    generation: Generation
    key: str
    began: float
    seconds: float
    end: Generation
    job: str = ""
    batch: str = ""


@define(eq=False)
class Making:
    """What the service makes. `faults`: the part of requests that fail, before or after they were carried out."""

    wall: Now
    rng: random.Random
    limit: int = 3
    seconds: float = 30.0
    faults: float = 0.0
    honours_keys: bool = True
    uploads: dict[str, str | Exception] = field(factory=dict)
    refusing: AvatarFault | None = None
    end_of: Callable[[Generation], Generation] = lambda each: evolve(
        each, status="COMPLETED", output_url=f"o/{each.id}"
    )
    made: dict[str, Made] = field(factory=dict)
    batches_made: dict[str, tuple[Batch, list[Made]]] = field(factory=dict)
    asked: list[tuple[float, str]] = field(factory=list)
    most_live: int = 0

    # --- what the service does ---

    def live(self) -> list[Made]:
        """Return what counts against the plan."""
        return [each for each in self.made.values() if not each.batch and self.now(each).live]

    def now(self, made: Made) -> Generation:
        """Return a generation as it is now."""
        passed = self.wall() - made.began
        if passed >= made.seconds:
            return made.end
        return evolve(made.generation, status="PENDING" if passed < 1 else "PROCESSING")

    def begin(self, request: VideoRequest, *, key: str = "", job: str = "", batch: str = "") -> Made:
        """Begin a generation, whoever asked for it."""
        generation = Generation(
            id=f"g{len(self.made) + 1}",
            status="PENDING",
            model=request.model,
            input=request.input,
            created_at=self.wall(),
            webhook_url=request.webhook_url,
        )
        seconds = self.seconds * self.rng.uniform(0.5, 1.5)
        made = Made(generation, key, self.wall(), seconds, self.end_of(generation), job=job, batch=batch)
        self.made[generation.id] = made
        self.most_live = max(self.most_live, len(self.live()))
        return made

    async def arrive(self, what: str) -> None:
        """A request is on its way."""
        self.asked.append((self.wall(), what))
        await trio.sleep(self.rng.uniform(0.01, 0.2))
        if self.refusing is not None:
            raise self.refusing
        if self.rng.random() < self.faults:
            sent = self.rng.random() < 0.5
            raise AvatarFault(FaultKind.RETRY, f"{what} failed on its way", uncertain=sent)

    async def leave(self, what: str) -> None:
        """An answer is on its way."""
        await trio.sleep(self.rng.uniform(0.01, 0.2))
        if self.rng.random() < self.faults:
            raise AvatarFault(FaultKind.RETRY, f"{what}: its answer was lost", code="internal_error", uncertain=True)


class FakeAvatars(Making):
    """Implements AvatarService."""

    async def create(self, request: VideoRequest, *, idempotency_key: str) -> Generation:
        """Have a video made."""
        assert not request.files
        await self.arrive("create")
        known = [each for each in self.made.values() if each.key == idempotency_key] if self.honours_keys else []
        if not known and len(self.live()) >= self.limit:
            raise full()
        made = known[0] if known else self.begin(request, key=idempotency_key)
        await self.leave("create")
        return self.now(made)

    async def get(self, generation_id: str, *, wait: int = 0) -> Generation:
        """Return a generation."""
        await self.arrive("get")
        await self.leave("get")
        if generation_id not in self.made:
            raise AvatarFault(FaultKind.REQUEST, "no such generation", code="not_found")
        return self.now(self.made[generation_id])

    async def listing(
        self, *, statuses: Collection[GenerationStatus] = (), limit: int = 100, cursor: str = ""
    ) -> Sequence[Generation]:
        """Return generations, the newest first."""
        await self.arrive("list")
        everything = [self.now(made) for made in self.made.values()]
        found = [each for each in everything if not statuses or each.status in statuses]
        found.reverse()
        if cursor:
            found = found[[each.id for each in found].index(cursor) + 1 :]
        found = found[:limit]
        await self.leave("list")
        return found

    async def upload(self, path: Path) -> str:
        """Take a file."""
        await self.arrive("upload")
        there = self.uploads[str(path)]
        if isinstance(there, Exception):
            raise there
        return there

    async def create_batch(
        self, lines: Sequence[BatchLine], *, webhook_url: str = "", idempotency_key: str = "", dry_run: bool = False
    ) -> Batch:
        """Begin a batch."""
        assert 20 <= len(lines) <= 500
        await self.arrive("batch")
        known = [batch for batch, made in self.batches_made.values() if made[0].key == idempotency_key]
        if known and self.honours_keys:
            return known[0]
        batch = Batch(
            id=f"b{len(self.batches_made) + 1}",
            status="PENDING",
            created_at=self.wall(),
            total=len(lines),
            webhook_url=webhook_url,
        )
        made = [self.begin(line.request, key=idempotency_key, job=line.request_id, batch=batch.id) for line in lines]
        self.batches_made[batch.id] = (batch, made)
        await self.leave("batch")
        return batch

    async def batch(self, batch_id: str) -> Batch:
        """Return a batch."""
        await self.arrive("get batch")
        await self.leave("get batch")
        batch, made = self.batches_made[batch_id]
        if batch.live and not any(self.now(each).live for each in made):
            return evolve(batch, status="COMPLETED", output_url="results")
        return batch

    async def batches(self, *, created_after: float | None = None) -> Sequence[Batch]:
        """Return the batches, the newest first."""
        await self.arrive("list batches")
        await self.leave("list batches")
        found = [batch for batch, _ in reversed(self.batches_made.values())]
        return [each for each in found if created_after is None or (each.created_at or 0) >= created_after]

    async def results(self, batch: Batch) -> Sequence[BatchResult]:
        """Return what became of each line."""
        await self.arrive("results")
        ends = [(each.job, self.now(each)) for each in self.batches_made[batch.id][1] if each.job]
        return [
            BatchResult(
                request_id=job,
                status=end.status,
                generation_id=end.id,
                output_url=end.output_url,
                error=end.error,
                error_code=end.error_code,
            )
            for job, end in ends
        ]

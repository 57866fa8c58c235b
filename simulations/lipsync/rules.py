"""What must hold in every run of the queue's world, by the store, the service's books, the users and the operator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from orchestrator.lipsync.job import Job, JobState
from simulations.lipsync.figures import Watch, needless_refusals, pace_of
from simulations.lipsync.world import Ended

SLOWEST = 1.1
"""How many times longer than the ideal time it may take."""
_ENOUGH_JOBS = 200
"""With fewer the last ones, which can't fill the plan, would weigh too much."""


def broken(ended: Ended, watch: Watch) -> list[str]:
    """Return a line for everything that was broken."""
    rules: tuple[Callable[[Ended, Watch], Iterator[str]], ...] = (_lost, _ends, _twice, _limits, _told, _slow)
    return [line for rule in rules for line in rule(ended, watch)]


def _lost(ended: Ended, _watch: Watch) -> Iterator[str]:
    """What was accepted is there once, and has ended."""
    if not ended.finished:
        yield f"it was not over after {ended.seconds:.0f} s"
    jobs = Counter(job.call for job in ended.jobs)
    for order in ended.orders:
        if jobs[order.call] != 1:
            yield f"{order.call} has {jobs[order.call]} jobs"
    for job in ended.jobs:
        if not job.state.ended:
            yield f"{job.id} ({job.call}) never ended: {job.state.value}"


def _ends(ended: Ended, watch: Watch) -> Iterator[str]:
    """A job ends once for each time that its user tried, and stays as it ended."""
    for name in ended.changed:
        yield f"{name} had ended, and was otherwise after a death"
    for order, job in _by_order(ended):
        tries = 1 + ended.users.retries[order]
        if watch.ends[job.id] > tries:
            yield f"{job.id} ended {watch.ends[job.id]} times in {tries} tries"
        cancelled = ended.users.cancelled.get(order, False)
        if cancelled and not ended.users.retries[order] and job.state is not JobState.CANCELLED:
            yield f"{job.id} was cancelled, and is {job.state.value}"


def _twice(ended: Ended, _watch: Watch) -> Iterator[str]:
    """Every generation of ours is that of one try of one job, and ended as the job did."""
    ours = {each.id: each for each in ended.account.generations.values() if each.source != "studio"}
    for name, generation in ours.items():
        if generation.source == "api" and name not in ended.claims:
            yield f"generation {name} is nobody's: made in vain"
    in_batches = {name for name, generation in ours.items() if generation.source == "batch"}
    spare = len(in_batches) - sum(job.generation in in_batches for job in ended.jobs)
    if spare > ended.users.retries.total():
        yield f"batches have {spare} generations that are no job's: made twice"
    for key, count in Counter(ended.claims.values()).items():
        if count > 1:
            yield f"{key} has {count} generations: made twice"
    made = Counter(job.generation for job in ended.jobs if job.generation)
    for job in ended.jobs:
        if job.generation and made[job.generation] > 1:
            yield f"{job.id} shares its generation with another job"
        if job.generation and job.generation in ours:
            status = ours[job.generation].end.status.lower()
            if job.state.value != status:
                yield f"{job.id} is {job.state.value}, its generation {status}"
        elif job.state is JobState.COMPLETED:
            yield f"{job.id} has a video that nobody made"


def _limits(ended: Ended, watch: Watch) -> Iterator[str]:
    """The plan and both windows are kept, and no refusal comes of ignorance."""
    plan, books = ended.account.plan, ended.account.books
    if books.most_live > plan.generations:
        yield f"{books.most_live} generations at a time, with {plan.generations} places"
    for what, most, limit in (
        ("create", books.most_creates, plan.creates),
        ("other", books.most_others, plan.others),
    ):
        if limit is not None and most > limit:
            yield f"{most} {what} requests within a minute, where {limit} are allowed"
    if books.refused["rate"] > ended.faults.get("rate_429", 0):
        yield f"{books.refused['rate']} requests were too many"
    if books.refused["conflict"]:
        yield f"{books.refused['conflict']} Idempotency-Keys were used for something else"
    for refusal in needless_refusals(ended, watch):
        yield f"the create request of {refusal.sent:.3f} s was refused, and the list had shown that there was no place"


def _told(ended: Ended, _watch: Watch) -> Iterator[str]:
    """The operator was told how each job ended."""
    for job in ended.jobs:
        if job.state.ended and job.state.value not in ended.told.get(job.id, ()):
            yield f"nobody was told that {job.id} is {job.state.value}"


def _slow(ended: Ended, _watch: Watch) -> Iterator[str]:
    """All of it takes little longer than with every place in use; batches have places of their own."""
    pace = pace_of(ended)
    if pace.ratio > SLOWEST and len(ended.jobs) >= _ENOUGH_JOBS and not ended.account.batches:
        yield f"it took {pace.seconds:.0f} s, {pace.ratio:.3f} times the ideal {pace.ideal:.0f} s"


def _by_order(ended: Ended) -> Iterator[tuple[int, Job]]:
    jobs: Mapping[str, Job] = {job.call: job for job in ended.jobs}
    return ((order.number, jobs[order.call]) for order in ended.orders if order.call in jobs)

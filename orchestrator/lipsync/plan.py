"""Decides what the queue does next: uploads, requests, looks at the service, ends of jobs that can't be; pure.

What is known of the account is account.py's, how many requests fit into a minute windows.py's, whose turn it is
turns.py's, what is given up giving_up.py's. queue.py carries the steps out, and tells what came of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from heapq import nsmallest
from itertools import islice

from attrs import Factory, define, field, frozen

from orchestrator.lipsync.account import Account
from orchestrator.lipsync.giving_up import hopeless
from orchestrator.lipsync.job import ALONE, Job
from orchestrator.lipsync.polling import batch_poll_at, poll_at
from orchestrator.lipsync.standing import Standing
from orchestrator.lipsync.steps import (
    Fetch,
    FetchBatch,
    Look,
    Resolve,
    ResolveBatch,
    Step,
    Submit,
    SubmitBatch,
    Upload,
    about,
)
from orchestrator.lipsync.turns import in_turn
from orchestrator.lipsync.windows import Window
from orchestrator.ports import FEWEST_IN_BATCH, MOST_IN_BATCH

_USUAL = 120.0
"""Seconds that a model usually takes of which nothing is known: as lipsync-2 (published: 1 to 3 minutes)."""
_UPLOADS_AHEAD, _UPLOADS_AT_A_TIME = 2, 4
"""How many jobs beyond a whole plan of them have their files uploaded ahead of their turn, and how many at a time."""
_BATCH_WITHIN = 86_400.0
"""Seconds that a batch may take (published)."""


@frozen(kw_only=True)
class View:
    """Everything that the decision goes by. Times are Unix seconds.

    A step counts as begun from the moment that it is taken from a Decision: `busy` then names what it is about
    (steps.about), of a SubmitBatch its jobs too, and the windows hold its requests as open: as many as it says.
    `gone` are submitted jobs that are known to have ended without their result being known yet, and such batches.
    """

    jobs: Sequence[Job]
    account: Account
    creates: Window
    others: Window
    busy: Set[str] = frozenset()
    gone: Set[str] = frozenset()
    usual: Mapping[str, float] = Factory(dict)
    """Seconds that a model usually takes, learned or as published."""
    may_batch: bool = False
    served: Mapping[str, float] = Factory(dict)
    """When the service last took a job of each owner's, ended ones too."""
    fetched: Mapping[str, float] = Factory(dict)
    """When each batch was last asked for."""

    def usually(self, job: Job) -> float:
        """Return how many seconds a job usually takes."""
        return self.usual.get(job.request.model, _USUAL)


@frozen
class Decision:
    """What to begin now, all of it, and when to decide again if nothing happens before (None: never by itself)."""

    steps: tuple[Step, ...]
    wake_at: float | None = None


def decide(view: View, now: float) -> Decision:
    """Return what is to be begun at `now`: as much as the plan, the windows and the account's state let through."""
    draft = _Draft(view=view, now=now)
    draft.give_up()
    if view.account.is_probing:
        draft.probe()
    else:
        draft.resolve()
        draft.fetch()
        draft.submit_together()
        draft.submit()
        draft.look()
        draft.submit_batch()
        draft.upload()
    return Decision(tuple(draft.steps), min(draft.wakes, default=None))


@define(kw_only=True)
class _Draft:
    """A decision in the making: each method adds the steps of one sort, or when they can be taken."""

    view: View
    now: float
    creates: Window = field(init=False)
    others: Window = field(init=False)
    standing: Standing = field(init=False)
    resting: Set[str] = field(init=False)
    """Jobs, among other names, that are left alone because they failed."""
    steps: list[Step] = field(init=False, factory=list)
    wakes: list[float] = field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        self.creates, self.others = self.view.creates, self.view.others
        self.standing = Standing.of(self.view.jobs, busy=self.view.busy, gone=self.view.gone)
        self.resting = {name for name, held in self.view.account.held.items() if held.until > self.now}

    @property
    def places(self) -> int:
        """How many more generations may be begun, by the plan and the list."""
        account = self.view.account
        return account.places.at_a_time(self.now) - account.others - self.standing.live

    def give_up(self) -> None:
        """End what can't be ready in time, and what fails again and again while others pass."""
        account, waiting = self.view.account, self.standing.waiting
        steps, at = hopeless(waiting, held=account.held, now=self.now, usually=self.view.usually)
        self.steps += steps
        self.standing.leave({name for step in steps for name in step.jobs})
        self._wake(at)

    def probe(self) -> None:
        """Ask for the list and for nothing else: all requests were refused."""
        if self.view.jobs:
            self._offer(Look())

    def resolve(self) -> None:
        """Find out what became of requests whose answers were lost."""
        for job in self.standing.lost:
            self._offer(Resolve(job.id))
        for key, is_busy in self.standing.sending_batches.items():
            if not is_busy:
                self._offer(ResolveBatch(key))

    def fetch(self) -> None:
        """Ask for what has ended, and for batches now and then."""
        for job in self.standing.over:
            self._offer(Fetch(job.id))
        for batch, begun in self.standing.batches.items():
            at = self.now if batch in self.view.gone else batch_poll_at(begun, self.view.fetched.get(batch))
            self._offer(FetchBatch(batch), at=at)

    def look(self) -> None:
        """Ask for the list: because of ours, or because somebody waits for a place that others hold."""
        if due := _looks_due(self.view, self.standing, places=self.places, now=self.now):
            self._offer(Look(), at=min(due))

    def submit(self) -> None:
        """Begin create requests, as many as there are places; what waits for its files holds up nobody."""
        room = self._room()
        if room <= 0:
            if self.places == 0 and self.standing.waiting:
                self._wake(self.view.account.places.more_at(self.now))
            return
        ready = [job for job in self.standing.waiting if not job.request.files]
        chosen = self._chosen(ready, room, is_careful=self.view.account.is_careful)
        self.standing.begin([job for job in chosen if self._offer(Submit(job.id))])
        if len(chosen) < room:
            self._wake_rested(Submit(job.id) for job in ready)

    def submit_together(self) -> None:
        """Send jobs as one batch that were asked for as one, and whose files are where the service reads them."""
        for jobs in _asked_together(self.standing.waiting, self.now) if self._may_batch() else ():
            if self._offer(SubmitBatch(jobs)):
                self.standing.leave(set(jobs))
                return

    def submit_batch(self) -> None:
        """Send what many places could not take soon: beyond those free now and the next whole plan of them."""
        view, waiting = self.view, self.standing.waiting
        if not self._may_batch():
            return
        soon = max(0, self.places) + view.account.limit
        later = islice(self._in_turn(waiting), soon, None)
        jobs = tuple(islice((job.id for job in later if _may_take_a_day(job, self.now)), MOST_IN_BATCH))
        if len(jobs) >= FEWEST_IN_BATCH and self._offer(SubmitBatch(jobs)):
            self.standing.leave(set(jobs))

    def upload(self) -> None:
        """Upload files of those who come next; what rests keeps nobody else's back."""
        account, uploading = self.view.account, self.standing.uploading
        files = [job for job in self.standing.waiting if job.request.files]
        free = (1 if (is_careful := account.uploads.failures > 0) else _UPLOADS_AT_A_TIME) - len(uploading)
        if free <= 0 or not files:
            return
        coming = files if is_careful else self.standing.waiting + uploading
        for job in self._chosen(coming, account.limit + _UPLOADS_AHEAD, is_careful=is_careful):
            if free and job.request.files:
                free -= self._offer(Upload(job.id, len(job.request.files)))
        if free:
            self._wake_rested(Upload(job.id, len(job.request.files)) for job in files)

    # --- how ---

    def _may_batch(self) -> bool:
        begun = any(isinstance(step, SubmitBatch) for step in self.steps)
        sending = begun or self.standing.sending_batches or about(SubmitBatch(())) in self.view.busy
        return self.view.may_batch and not sending

    def _room(self) -> int:
        account = self.view.account
        most = 0 if account.places.must_look else 1 - self.standing.begun if account.is_careful else self.places
        return min(self.places, most)

    def _chosen(self, jobs: Sequence[Job], room: int, *, is_careful: bool) -> Sequence[Job]:
        """Return whose turn it is, of those that don't rest; after a failure let it be others than what failed."""
        held = self.view.account.held
        turns = self._in_turn([job for job in jobs if job.id not in self.resting] if self.resting else jobs)
        if is_careful:
            return nsmallest(room, turns, key=lambda job: held[job.id].failures if job.id in held else 0)
        return list(islice(turns, room))

    def _in_turn(self, jobs: Sequence[Job]) -> Iterator[Job]:
        return in_turn(jobs, live=self.standing.live_by_owner, served=self.view.served)

    def _wake_rested(self, steps: Iterable[Submit | Upload]) -> None:
        for step in steps if self.resting else ():
            if step.job in self.resting:
                self._offer(step)

    def _offer(self, step: Step, *, at: float = 0.0) -> bool:
        """Take a step, if it is not under way already and nothing holds it back; else say when it can be taken."""
        if about(step) in self.view.busy:
            return False
        is_create = isinstance(step, Submit)
        window = self.creates if is_create else self.others
        at = max(at, self.view.account.free_at(step, batches=len(self.standing.batches)))
        at = max(at, window.room_at(self.now, step.requests))
        if at > self.now:
            self._wake(at)
            return False
        self.steps.append(step)
        window = window.begun(self.now, step.requests)
        self.creates, self.others = (window, self.others) if is_create else (self.creates, window)
        return True

    def _wake(self, at: float) -> None:
        if self.now < at < math.inf:
            self.wakes.append(at)


def _looks_due(view: View, standing: Standing, *, places: int, now: float) -> list[float]:
    account, waiting = view.account, standing.waiting
    due = [
        poll_at(job.submitted_at or job.accepted_at, account.looked_at, usual=view.usually(job))
        for job in standing.made
    ]
    if waiting and account.places.must_look:
        due.append(now)
    if waiting and account.others and places <= 0:
        usual = min(view.usually(job) for job in waiting)
        due.append(poll_at(account.others_since, account.looked_at, usual=usual))
    return due


def _asked_together(jobs: Iterable[Job], now: float) -> list[tuple[str, ...]]:
    """Return the ids of jobs that can go as batches as they were asked for."""
    groups: dict[str, list[str]] = {}
    for job in jobs:
        if job.together and _may_take_a_day(job, now):
            groups.setdefault(job.together, []).append(job.id)
    return [tuple(ids[:MOST_IN_BATCH]) for ids in groups.values() if len(ids) >= FEWEST_IN_BATCH]


def _may_take_a_day(job: Job, now: float) -> bool:
    return (
        job.together != ALONE and not job.request.files and (job.deadline is None or job.deadline - now > _BATCH_WITHIN)
    )

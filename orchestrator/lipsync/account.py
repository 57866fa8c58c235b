"""What is known of the video service's account: how much it lets through, and until when it is to be left alone; pure.

Every method returns a new value; `draw` is a number from 0 to 1, drawn by the caller for full jitter. How many
generations are made at a time is learned in places.py; which step is taken when is plan.py's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self, TypeVar

from attrs import Factory, evolve, field, frozen

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.lipsync.backoff import Backoff, Held, pause
from orchestrator.lipsync.places import Places
from orchestrator.lipsync.steps import GiveUp, Look, Resolve, Step, Submit, SubmitBatch, Upload, about

_BATCH_AGAIN, _BATCH_FORBIDDEN = 600.0, 3600.0
"""Seconds after which a batch is tried again though none ended, and though batches were refused for good."""
_FORGOTTEN = 3600.0
"""Seconds after which failures of a single job or batch no longer count."""
_LOST = 1.0
"""Seconds after which a lost answer is looked for: what was carried out is in the list by then."""
B = TypeVar("B", bound=Backoff)


@frozen(kw_only=True)
class Account:
    """One account. `limit`: generations at a time, by the plan. Times are Unix seconds."""

    limit: int
    ask_again: float = 30.0
    others: int = 0
    """Live generations that are not ours (nor of our batches), when the list was last looked at."""
    others_since: float = 0.0
    """When their number was seen first."""
    looked_at: float | None = None
    """When the last request for the list began that was answered."""
    places: Places = field()
    creates: Backoff = Factory(Backoff)
    """Create requests, batches apart: they are too many, or failed."""
    uploads: Backoff = Factory(Backoff)
    """Uploads failed."""
    batches: Backoff = Factory(Backoff)
    requests: Backoff = Factory(Backoff)
    """All requests: the key is refused, or they are too many."""
    held: Mapping[str, Held] = Factory(dict)
    """What a single job, batch or look failed with, by `_name`."""
    batch_limit: int | None = None
    """With so many batches of ours under way one more was refused."""

    @places.default
    def _by_plan(self) -> Places:
        return Places(limit=self.limit)

    @property
    def is_careful(self) -> bool:
        """Whether create requests go out one at a time: the last one was refused or failed."""
        return self.places.refusal is not None or self.creates.failures > 0

    @property
    def is_probing(self) -> bool:
        """Whether nothing is asked for but the list: all requests were refused, and it was not answered since."""
        return self.requests.failures > 0

    def failures(self, step: Step) -> Held:
        """Return what a step failed with, or others that are held with it."""
        return self.held.get(_name(step), Held())

    def free_at(self, step: Step, *, batches: int = 0) -> float:
        """Return from when on a step is not held back by failures and refusals; `batches`: ours under way."""
        at = max(self.requests.until, self.failures(step).until, self._shared(step).until)
        if isinstance(step, SubmitBatch) and self.batch_limit is not None and batches >= self.batch_limit:
            return max(at, self.batches.until)
        return at

    # --- what is told ---

    def looked(self, now: float, *, others: int) -> Self:
        """The list was looked at; `now` is when the request for it began: what it shows is no older.

        `others` are the live generations in it that belong to none of our jobs or batches.
        """
        known = self.looked_at is not None and others == self.others
        return evolve(
            self,
            others=others,
            others_since=self.others_since if known else now,
            looked_at=now,
            places=self.places.looked(now, others=others),
            requests=self.requests if now < self.requests.until else Backoff(),
            held=self._without(_name(Look())),
        )

    def took(self, now: float, *, step: Step, ours: int) -> Self:
        """A step's requests were answered as hoped; `ours`: our live generations, a new one too (Standing.live)."""
        match step:
            case Submit():
                return evolve(self._passed(step), places=self.places.took(now, live=ours + self.others))
            case SubmitBatch():
                return evolve(self, batches=Backoff(), batch_limit=None)
            case GiveUp(jobs):  # one that is tried again begins anew
                return evolve(self, held=self._without(*jobs))
        return self._passed(step)

    def refused(self, fault: AvatarFault, now: float, *, step: Step, ours: int, draw: float) -> Self:
        """A step was refused or failed.

        `ours`: our live generations without the refused one; of SubmitBatch: our batches under way without it.
        """
        if isinstance(step, SubmitBatch):
            return self._batch_refused(fault, now, ours=ours, draw=draw)
        match fault.kind:
            case FaultKind.FINAL if not self._shared(step).well:  # else it is this job that does not pass
                return self._barred(step, now)
            case FaultKind.RATE if isinstance(step, Submit):
                return evolve(self, creates=_after(fault, now, backoff=self.creates, draw=draw))
            case FaultKind.RATE:
                return evolve(self, requests=_after(fault, now, backoff=self.requests, draw=draw))
            case FaultKind.CONCURRENCY if isinstance(step, Submit):
                return self._full(fault, now, ours=ours, draw=draw)
            case FaultKind.REQUEST if isinstance(step, Submit | Upload):
                return self._passed(step)
        return self._holding(fault, now, step=step, draw=draw)

    # --- how ---

    def _barred(self, step: Step, now: float) -> Self:
        """Nothing passes, or just this create request does not: the next one is to be another job's, if possible."""
        account = evolve(self, requests=self.requests.failed(now, self.ask_again))
        if not isinstance(step, Submit):
            return account
        held = self.failures(step).failed(now, self.ask_again)
        return evolve(account, creates=self.creates.failed(now, self.ask_again), held={**self.held, step.job: held})

    def _full(self, fault: AvatarFault, now: float, *, ours: int, draw: float) -> Self:
        """All places are taken: the list says by whom, and if it does not, ever more time is left between two tries."""
        until = now + pause(self.places.doubts, draw=draw, asked_for=fault.retry_after)
        creates = evolve(self.creates, until=max(self.creates.until, until))
        return evolve(self, creates=creates, places=self.places.refused(now, ours=ours, others=self.others))

    def _batch_refused(self, fault: AvatarFault, now: float, *, ours: int, draw: float) -> Self:
        match fault.kind:
            case FaultKind.CONCURRENCY:
                seconds, limit = fault.retry_after or _BATCH_AGAIN, ours
            case FaultKind.FINAL | FaultKind.REQUEST:  # not in this plan, or one line spoils it: its jobs go one by one
                seconds, limit = _BATCH_FORBIDDEN, 0
            case _:
                seconds, limit = pause(self.batches.failures, draw=draw, asked_for=fault.retry_after), 0
        account = evolve(self, batches=self.batches.failed(now, seconds), batch_limit=limit)
        if fault.kind is FaultKind.RATE:
            return evolve(account, requests=_after(fault, now, backoff=self.requests, draw=draw))
        return account

    def _holding(self, fault: AvatarFault, now: float, *, step: Step, draw: float) -> Self:
        alone, shared = self.failures(step), self._shared(step)
        failed = _after(fault, now, backoff=alone, draw=draw, final=self.ask_again)
        held = {name: each for name, each in self.held.items() if each.until > now - _FORGOTTEN}
        held[_name(step)] = evolve(failed, own=alone.own + shared.well, error=fault.message, code=fault.code)
        if isinstance(step, Submit) and fault.uncertain:
            held[_name(Resolve(step.job))] = Held(until=now + _LOST)
        return evolve(self, held=held)._sharing(step, _after(fault, now, backoff=shared, draw=draw))

    def _passed(self, step: Step) -> Self:
        return evolve(self, held=self._without(_name(step)))._sharing(step, self._shared(step).passed())

    def _without(self, *names: str) -> Mapping[str, Held]:
        return {name: each for name, each in self.held.items() if name not in names}

    def _shared(self, step: Step) -> Backoff:
        """What all steps of this sort failed with, of those that are begun for one job after another."""
        return self.creates if isinstance(step, Submit) else self.uploads if isinstance(step, Upload) else Backoff()

    def _sharing(self, step: Step, backoff: Backoff) -> Self:
        if isinstance(step, Submit):
            return evolve(self, creates=backoff)
        return evolve(self, uploads=backoff) if isinstance(step, Upload) else self


def _name(step: Step) -> str:
    """What a step is held by: a lost answer is looked for however often the create request has failed."""
    return f"lost {step.job}" if isinstance(step, Resolve) else about(step)


def _after(fault: AvatarFault, now: float, *, backoff: B, draw: float, final: float | None = None) -> B:
    asked_for = fault.retry_after or (final if fault.kind is FaultKind.FINAL else None)
    return backoff.failed(now, pause(backoff.failures, draw=draw, asked_for=asked_for))

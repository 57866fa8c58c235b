"""A queue without a store: it carries out what plan.decide says against the model of the service, in its own time."""

from __future__ import annotations

import heapq
from typing import Any

from attrs import define

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.lipsync.job import JobState
from orchestrator.lipsync.plan import Decision, View, decide
from orchestrator.lipsync.steps import (
    Fetch,
    GiveUp,
    Look,
    Step,
    Submit,
    SubmitBatch,
    about,
)
from tests.lipsync.queue_state import USUAL, Answer, Hearing


@define(kw_only=True)
class QueueModel(Hearing):
    """`lost` is the part of answers that are lost; `latency` how long a request takes at most."""

    def settle(self) -> Decision:
        """Begin what is to be begun; its claim: that is all, and nothing more is decided before something happens."""
        for _ in range(2):
            view = self.view()
            decision = decide(view, self.now)
            self.decisions += 1
            assert decision.wake_at is None or decision.wake_at > self.now
            if not decision.steps:
                self.idle_decisions += 1
                if self.draw.random() < 0.2:
                    self.check(view, decision)
                return decision
            for step in decision.steps:
                self.begin(step)
        raise AssertionError(f"begins ever more: {decision.steps}")

    def check(self, view: View, decision: Decision) -> None:
        """It is decided alike again, and nothing could be begun between now and `wake_at`."""
        assert decision == decide(view, self.now)
        until = self.now + 100.0 if decision.wake_at is None else decision.wake_at
        between = self.now + (until - self.now) * self.draw.random()
        if self.now < between < until:
            assert decide(view, between).steps == ()

    def run(self, seconds: float) -> None:
        """Let time go by."""
        end = self.now + seconds
        while True:
            wake_at = self.settle().wake_at
            following = min(self.events[0][0] if self.events else end, end if wake_at is None else wake_at)
            if following >= end:
                self.now = end
                return
            self.now = following
            while self.events and self.events[0][0] <= self.now:
                self.handled += 1
                heapq.heappop(self.events)[2]()

    def at(self, when: float, answer: Answer) -> None:
        """Have something happen then."""
        heapq.heappush(self.events, (when, next(self.numbers), answer))

    # --- steps ---

    def begin(self, step: Step) -> None:
        """Carry out a step: the service counts it somewhere between now and its answer."""
        self.begun.append((self.now, step))
        if isinstance(step, GiveUp):
            for name in step.jobs:
                self.change(name, state=JobState.FAILED, code=step.code)
            return
        names = {about(step), *(step.jobs if isinstance(step, SubmitBatch) else ())}
        assert not names & self.busy
        self.busy |= names
        kind = "create" if isinstance(step, Submit) else "other"
        self.open[kind] += [self.now] * step.requests
        self.before(step)
        begun, takes, outcome = self.now, self.latency * self.draw.random(), list[Any]()
        self.at(begun + takes * self.draw.random(), lambda: outcome.append(self.asked(step, kind)))

        def answered() -> None:
            for _ in range(step.requests):
                self.open[kind].remove(begun)
            self.answered[kind] += [self.now] * step.requests
            self.busy -= names
            self.hear(step, outcome[0], begun=begun)

        self.at(begun + takes, answered)

    def before(self, step: Step) -> None:
        """What is stored before a create request."""
        if isinstance(step, Submit):
            assert self.service.listed_at >= self.refused_at or self.refused_at < 0, "created before a look"
            assert self.jobs[step.job].state is JobState.WAITING
            self.change(step.job, state=JobState.SENDING, attempted_at=self.now)
            self.looked_before[step.job] = self.service.listed_at
        elif isinstance(step, SubmitBatch):
            assert 20 <= len(step.jobs) <= 500
            key = f"batch of {step.jobs[0]} at {self.now}"
            for name in step.jobs:
                self.change(name, state=JobState.SENDING, attempted_at=self.now, batch=key)

    def asked(self, step: Step, kind: str) -> Any:
        """The request reaches the service; return its answer, or the fault. A lost answer is a fault, too."""
        try:
            answer = self.at_service(step, kind)
        except AvatarFault as fault:
            return fault
        lost = isinstance(step, Submit | SubmitBatch | Fetch | Look) and self.draw.random() < self.lost
        return AvatarFault(FaultKind.RETRY, "lost", uncertain=True) if lost else answer

    def at_service(self, step: Step, kind: str) -> Any:
        """Return what the service answers."""
        service, now, seconds = self.service, self.now, USUAL * self.draw.uniform(0.3, 2.0)
        if isinstance(step, Submit):
            full = len(service.refused_full)
            try:
                return self.told(service.create(self.jobs[step.job].key, now, seconds=seconds), step.job)
            finally:
                refused = len(service.refused_full) > full
                unseen = service.begun_by_others(now, since=self.looked_before[step.job])
                assert not refused or service.limit < self.account.limit or unseen, "too many at a time"
        if isinstance(step, SubmitBatch):
            return service.create_batch(self.jobs[step.jobs[0]].batch, now, seconds=10 * seconds)
        service.count(kind, now, step.requests)
        return [each.key for each in service.live(now)] if isinstance(step, Look) else None

    def told(self, made: Any, name: str) -> Any:
        """A webhook will tell of the end, if it is not lost."""
        if self.webhooks and self.draw.random() < 0.8:
            self.at(made.ends + self.draw.random(), lambda: self.end_told(name))
        return made

    def end_told(self, name: str) -> None:
        """The webhook."""
        if self.jobs[name].state is JobState.SUBMITTED:
            self.gone.add(name)

"""Whatever happens, in whatever order: limits hold, nothing is decided in circles, every job ends."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from orchestrator.errors import FaultKind
from orchestrator.lipsync.account import Account
from orchestrator.lipsync.job import JobState
from orchestrator.lipsync.steps import GiveUp, Submit, about
from tests.lipsync.queue_model import QueueModel
from tests.lipsync.queue_state import USUAL
from tests.lipsync.samples import waiting
from tests.lipsync.service_model import ServiceModel

TROUBLES = st.sampled_from([FaultKind.RETRY, FaultKind.RATE, FaultKind.FINAL])
OWNERS = st.sampled_from(["", "desk", "bulk"])


class Machine(RuleBasedStateMachine):
    """Jobs, other users of the account, faults, lost answers and restarts; QueueModel and ServiceModel have claims."""

    queue: QueueModel

    @initialize(
        seed=st.integers(0, 2**32),
        limit=st.integers(1, 6),
        missing=st.sampled_from([0, 0, 0, 1, 3]),
        may_batch=st.booleans(),
        webhooks=st.booleans(),
        lost=st.sampled_from([0.0, 0.1]),
    )
    def start(self, *, seed: int, limit: int, missing: int, may_batch: bool, webhooks: bool, lost: float) -> None:
        """`missing`: by how much the limit is smaller than the plan says."""
        draw = random.Random(f"{seed}:queue")  # a string seeds by SHA-512
        self.service = ServiceModel(limit=max(1, limit - missing), draw=draw)
        account = Account(limit=limit, ask_again=30.0)
        self.queue = QueueModel(
            service=self.service, account=account, draw=draw, may_batch=may_batch, webhooks=webhooks, lost=lost
        )

    @rule(count=st.sampled_from([1, 3, 25]), owner=OWNERS, priority=st.integers(0, 1), files=st.integers(0, 2))
    def accept(self, count: int, owner: str, priority: int, files: int) -> None:
        """Jobs come."""
        for _ in range(count):
            number = len(self.queue.jobs)
            job = waiting(f"job {number}", serial=number, files=files, owner=owner, priority=priority)
            self.queue.jobs[job.id] = job
            self.queue.change(job.id, accepted_at=self.queue.now)

    @rule(within=st.floats(0.0, 10 * USUAL))
    def hurry(self, within: float) -> None:
        """A job with a deadline comes."""
        self.accept(1, "", 0, 0)
        self.queue.change(f"job {len(self.queue.jobs) - 1}", deadline=self.queue.now + within)

    @rule(count=st.integers(1, 3), seconds=st.floats(1.0, 100.0))
    def others(self, count: int, seconds: float) -> None:
        """Others use the account, as far as it lets them."""
        for _ in range(min(count, self.service.limit - len(self.service.live(self.queue.now)))):
            self.service.add("", self.queue.now, seconds=seconds)

    @rule(kind=TROUBLES, only_creates=st.booleans(), retry_after=st.sampled_from([None, None, 7.0]))
    def trouble(self, kind: FaultKind, only_creates: bool, retry_after: float | None) -> None:
        """The service answers nothing but faults for a while, and meanwhile is not stormed."""
        service, queue = self.service, self.queue
        service.trouble, service.only_creates, service.retry_after = kind, only_creates, retry_after
        before = len(queue.begun)
        queue.run(120.0)
        asked = [step for _, step in queue.begun[before:]]
        often = Counter(about(step) for step in asked if isinstance(step, Submit) or not only_creates)
        assert all(times <= 30 for times in often.values())
        assert sum(isinstance(step, Submit) for step in asked) <= 30
        service.trouble = None

    @rule()
    def restart(self) -> None:
        """It is killed, and begins anew."""
        self.queue.restart()

    @rule(seconds=st.floats(0.0, 90.0))
    def time(self, seconds: float) -> None:
        """Time goes by."""
        self.queue.run(seconds)

    def teardown(self) -> None:
        """All is well again, and every job ends; nobody decided in circles."""
        if not hasattr(self, "queue"):
            return
        queue = self.queue
        queue.lost = 0.0
        most = len(queue.jobs) * 2.5 * USUAL + 20 * USUAL * 12 + 3600.0
        end = queue.now + most
        while not all(job.state.ended for job in queue.jobs.values()):
            assert queue.now < end, [job for job in queue.jobs.values() if not job.state.ended]
            queue.run(100.0)
        done = sum(job.state is JobState.COMPLETED for job in queue.jobs.values())
        given_up = [step for _, step in queue.begun if isinstance(step, GiveUp)]
        assert {step.code for step in given_up} <= {"deadline_passed"}  # nothing fails here for reasons of its own
        assert done + sum(len(step.jobs) for step in given_up) == len(queue.jobs)
        steps = len(queue.begun)
        assert queue.decisions <= 3 * (queue.handled + steps) + 100


Machine.TestCase.settings = settings(max_examples=10, stateful_step_count=12, deadline=None)
TestMachine = Machine.TestCase

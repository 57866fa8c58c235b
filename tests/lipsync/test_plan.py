"""What is begun when, case by case; what holds for all cases at once is test_plan_machine.py's."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.lipsync.account import Account
from orchestrator.lipsync.backoff import Backoff, Held
from orchestrator.lipsync.giving_up import TRIES
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.plan import Decision, View, decide
from orchestrator.lipsync.steps import (
    Fetch,
    FetchBatch,
    GiveUp,
    Look,
    Resolve,
    ResolveBatch,
    Step,
    Submit,
    SubmitBatch,
    Upload,
)
from orchestrator.lipsync.windows import Window
from tests.lipsync.samples import submitted, waiting

NOW = 1000.0


def view(*jobs: Job, limit: int = 3, **values: Any) -> View:
    """Return a view with nothing under way and wide windows."""
    account = values.pop("account", None) or Account(limit=limit, looked_at=NOW)
    known: dict[str, Any] = {"creates": Window(60), "others": Window(600), "usual": {"lipsync-2": 120.0}}
    return View(jobs=jobs, account=account, **known | values)


def of(kind: type[Any], decision: Decision) -> list[Any]:
    """Return the steps of one kind."""
    return [step for step in decision.steps if isinstance(step, kind)]


def many(count: int, **values: Any) -> list[Job]:
    """Return so many jobs that wait."""
    return [waiting(f"w{number}", serial=number, **values) for number in range(count)]


def test_as_many_are_begun_as_there_are_places() -> None:
    """Ours count while they are SENDING, whoever knows of it, and while they are made; those of batches do not."""
    ours = [submitted("s1", at=NOW), waiting("s2", state=JobState.SENDING)]
    batch = [submitted("b1", at=NOW, batch="batch 1"), waiting("b2", state=JobState.SENDING, batch="key")]
    decision = decide(view(*ours, *batch, *many(5), limit=4, fetched={"batch 1": NOW}), NOW)
    assert of(Submit, decision) == [Submit("w0"), Submit("w1")]
    assert of(Submit, decide(view(*ours, *many(5), limit=4, busy={"s2", "w0"}), NOW)) == [Submit("w1")]
    assert decide(view(), NOW) == Decision(())


def test_an_end_that_was_told_frees_its_place_at_once() -> None:
    """The next is submitted in the moment in which the result is asked for."""
    jobs = [submitted("s1", at=NOW), *many(2)]
    assert decide(view(*jobs, limit=1, gone={"s1"}), NOW).steps == (Fetch("s1"), Submit("w0"))
    assert decide(view(*jobs, limit=1, gone={"s1"}, busy={"s1"}), NOW).steps == (Submit("w0"),)


def test_places_of_others_are_theirs() -> None:
    """While somebody waits for one the list is looked at, often when their number has just changed; else never."""
    account = Account(limit=2, others=2, others_since=NOW - 60.0, looked_at=NOW)
    assert decide(view(*many(1), account=account), NOW) == Decision((), NOW + 3.0)
    assert decide(view(*many(1), account=account), NOW + 3.0).steps == (Look(),)
    assert decide(view(account=account), NOW + 500.0) == Decision(())


def test_files_are_uploaded_ahead_of_their_turn_and_hold_up_nobody() -> None:
    """For a whole plan of jobs and two, four at a time."""
    jobs = [*many(9, files=2), waiting("ready", serial=50)]
    decision = decide(view(*jobs, limit=1), NOW)
    assert decision.steps == (Submit("ready"), *(Upload(f"w{number}", 2) for number in range(3)))
    decision = decide(view(*jobs, limit=9, busy={"w0"}), NOW)
    assert of(Upload, decision) == [Upload(f"w{number}", 2) for number in (1, 2, 3)]
    assert of(Upload, decide(view(*jobs, limit=1, busy={"w0", "w1", "w2"}), NOW)) == []


def test_files_that_rest_keep_nobody_elses_back() -> None:
    """As many as would fill the look-ahead; after a failure one upload goes at a time, at first another job's."""
    jobs = many(9, files=1)
    held = {job.id: Held(1, NOW + 50.0) for job in jobs[:6]}
    account = Account(limit=1, looked_at=NOW, held=held)
    decision = decide(view(*jobs, account=account), NOW)
    assert decision == Decision(tuple(Upload(f"w{number}", 1) for number in (6, 7, 8)), NOW + 50.0)
    failing = evolve(account, uploads=Backoff(1, NOW + 50.0))
    assert decide(view(*jobs, account=failing), NOW) == Decision((), NOW + 50.0)
    assert decide(view(*jobs, account=failing), NOW + 50.0).steps == (Upload("w6", 1),)
    assert decide(view(*jobs, account=failing, busy={"w6"}), NOW + 50.0) == Decision(())


def test_what_fails_again_and_again_while_others_pass_is_given_up() -> None:
    """With the service's last words; not while its answer is lost."""
    failing = Held(TRIES, NOW + 50.0, own=TRIES, error="not in your plan [402]", code="plan")
    account = Account(limit=1, looked_at=NOW, held={"w0": failing, "w1": evolve(failing, own=TRIES - 1), "s": failing})
    jobs = [*many(2), waiting("s", state=JobState.SENDING)]
    reason = f"given up after {TRIES} failures while others passed: not in your plan [402]"
    assert of(GiveUp, decide(view(*jobs, account=account), NOW)) == [GiveUp(("w0",), reason, "plan")]


def test_all_that_are_too_late_for_one_reason_are_one_step() -> None:
    """So thousands are one transaction."""
    (step,) = decide(view(*many(2000, deadline=NOW)), NOW).steps
    assert isinstance(step, GiveUp)
    assert len(step.jobs) == 2000


def test_what_cannot_be_ready_is_given_up_in_the_moment_in_which_it_cannot() -> None:
    """And not before; an upload under way is waited for."""
    job = waiting("late", deadline=NOW + 120.0)
    full = view(submitted("s1", at=NOW), job, limit=1, account=Account(limit=1, others=1, looked_at=1e9))
    wake_at = decide(full, NOW).wake_at
    assert wake_at is not None
    assert NOW < wake_at < NOW + 1e-6
    reason = "can't be ready by its deadline: lipsync-2 usually takes 120 s"
    assert decide(full, wake_at).steps == (GiveUp(("late",), reason, "deadline_passed"),)
    assert decide(evolve(full, busy={"late"}), wake_at).steps == ()


def test_lost_answers_are_looked_for() -> None:
    """Of jobs and of batches, once at a time, and again after a rest."""
    lost = waiting("a", state=JobState.SENDING, attempted_at=NOW)
    batch = [waiting(f"b{number}", state=JobState.SENDING, batch="key") for number in range(2)]
    known = view(lost, *batch)
    assert decide(known, NOW).steps == (Resolve("a"), ResolveBatch("key"))
    assert decide(evolve(known, busy={"a", "b1"}), NOW).steps == ()
    fault = AvatarFault(FaultKind.RETRY, "no")
    account = known.account.refused(fault, NOW, step=Resolve("a"), ours=1, draw=0.5)
    assert decide(evolve(known, busy={"key"}, account=account), NOW) == Decision((), NOW + 0.5)


def test_ours_are_polled_by_one_look() -> None:
    """When the first of them is due; not while one is under way."""
    ours = [submitted("s1", at=NOW - 40.0), submitted("s2", at=NOW - 10.0)]
    assert decide(view(*ours), NOW) == Decision((), NOW + 1.0)
    assert decide(view(*ours), NOW + 1.0).steps == (Look(),)
    assert decide(view(*ours, busy={"look"}), NOW + 1.0) == Decision(())


def test_a_batch_is_fetched_now_and_then_and_when_its_end_was_told() -> None:
    """However many jobs it has."""
    jobs = [submitted(f"s{number}", at=NOW, batch="b") for number in range(3)]
    assert decide(view(*jobs), NOW) == Decision((), NOW + 1.0)
    assert decide(view(*jobs, fetched={"b": NOW + 100.0}), NOW + 100.0).wake_at == NOW + 105.0
    assert decide(view(*jobs, fetched={"b": NOW + 100.0}, gone={"b"}), NOW + 100.0).steps == (FetchBatch("b"),)


def test_many_go_as_a_batch_beyond_what_the_places_can_take_soon() -> None:
    """At once to the free places, two by two for those that come next; 500 at most, with files or in a hurry none."""
    decision = decide(view(*many(700), limit=15, may_batch=True), NOW)
    assert of(Submit, decision) == [Submit(f"w{number}") for number in range(15)]
    assert of(SubmitBatch, decision) == [SubmitBatch(tuple(f"w{number}" for number in range(30, 530)))]
    assert of(SubmitBatch, decide(view(*many(49), limit=15, may_batch=True), NOW)) == []
    assert of(SubmitBatch, decide(view(*many(700), limit=15), NOW)) == []
    assert of(SubmitBatch, decide(view(*many(700), limit=15, may_batch=True, busy={"batch"}), NOW)) == []
    for values in ({"files": 1}, {"deadline": NOW + 80_000.0}):
        assert of(SubmitBatch, decide(view(*many(700, **values), limit=15, may_batch=True), NOW)) == []
    other = [waiting("x", state=JobState.SENDING, batch="key")]
    assert of(SubmitBatch, decide(view(*many(700), *other, limit=15, may_batch=True, busy={"key"}), NOW)) == []


def test_nothing_but_a_look_follows_when_all_was_refused() -> None:
    """At its time; then create requests go out one at a time, another job's first."""
    account = Account(limit=3, ask_again=30.0, looked_at=NOW)
    refused = AvatarFault(FaultKind.FINAL, "no such key")
    account = account.refused(refused, NOW, step=Submit("w0"), ours=0, draw=0.5)
    known = view(*many(3), submitted("s1"), account=account, gone={"s1"})
    assert decide(known, NOW) == Decision((), NOW + 30.0)
    assert decide(known, NOW + 30.0).steps == (Look(),)
    account = account.looked(NOW + 30.0, others=0)
    assert decide(evolve(known, account=account), NOW + 31.0).steps == (Fetch("s1"), Submit("w1"))


def test_after_a_refusal_for_concurrency_only_a_look_goes_out() -> None:
    """Then one request, if the list shows room and the pause is over."""
    full = AvatarFault(FaultKind.CONCURRENCY, "full")
    account = Account(limit=3, looked_at=NOW).refused(full, NOW + 1.0, step=Submit("w0"), ours=0, draw=1.0)
    assert decide(view(*many(3), account=account), NOW + 1.0).steps == (Look(),)
    assert decide(view(*many(3), account=account, busy={"look"}), NOW + 9.0).steps == ()
    account = account.looked(NOW + 1.0, others=2)
    assert decide(view(*many(3), account=account), NOW + 1.5) == Decision((), NOW + 2.0)
    assert of(Submit, decide(view(*many(3), limit=9, account=evolve(account, others=0)), NOW + 2.0)) == [Submit("w0")]


def test_steps_of_one_decision_share_the_windows() -> None:
    """What does not fit any more goes out when it does."""
    made = [NOW - 50.0] * 58
    decision = decide(view(*many(9), limit=9, creates=Window(60, made)), NOW)
    assert len(of(Submit, decision)) == 2
    assert decision.wake_at is not None
    assert NOW + 10.0 < decision.wake_at < NOW + 10.2
    over = [submitted(f"s{number}") for number in range(5)]
    decision = decide(view(*over, *many(3, files=2), others=Window(12), gone={job.id for job in over}), NOW)
    assert sum(step.requests for step in decision.steps) <= 12
    assert len(of(Fetch, decision)) == 5


@settings(max_examples=100)
@given(st.data())
def test_what_is_begun_leaves_nothing_to_begin(data: st.DataObject) -> None:
    """Decided again in the same moment, with all of it under way, there is no more; and jobs' order says nothing."""
    states = st.sampled_from([waiting, waiting, submitted])
    number = st.integers(0, 3)
    jobs = [
        data.draw(states)(f"j{serial}", serial=serial, owner=str(data.draw(number)), priority=data.draw(number))
        for serial in range(data.draw(st.integers(0, 40)))
    ]
    limit, others = data.draw(st.integers(1, 8)), data.draw(number)
    account = Account(limit=limit, others=others, looked_at=NOW - data.draw(st.floats(0.0, 100.0)))
    known = view(*jobs, account=account, may_batch=data.draw(st.booleans()), creates=Window(data.draw(number)))
    decision = decide(known, NOW)
    live = sum(job.state is JobState.SUBMITTED for job in jobs)
    assert len(of(Submit, decision)) <= max(0, limit - others - live)
    assert decision.wake_at is None or decision.wake_at > NOW
    shuffled = data.draw(st.permutations(jobs))
    assert set(decide(evolve(known, jobs=shuffled), NOW).steps) == set(decision.steps)
    again = decide(begun(known, decision.steps), NOW)
    assert again.steps == ()


def begun(known: View, steps: tuple[Step, ...]) -> View:
    """Return the view with the steps under way."""
    busy, creates = set[str](), known.creates
    for step in steps:
        if isinstance(step, Submit):
            creates = creates.begun(NOW)
        busy |= {*step.jobs, "batch"} if isinstance(step, SubmitBatch) else set()
        busy |= {step.job} if isinstance(step, Submit) else {"look"} if isinstance(step, Look) else set()
    return evolve(known, busy=busy, creates=creates)

"""What refusals say about the account, and for how long it is left alone because of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.lipsync.account import Account
from orchestrator.lipsync.backoff import Backoff, pause
from orchestrator.lipsync.steps import Fetch, GiveUp, Look, Resolve, Step, Submit, SubmitBatch, Upload

FULL = AvatarFault(FaultKind.CONCURRENCY, "full", code="concurrency_limit_reached")
ANOTHER = Submit("b")


def refused(account: Account, kind: FaultKind, now: float, *, step: Step, **more: float) -> Account:
    """Refuse a step."""
    fault = AvatarFault(kind, "no", retry_after=more.get("retry_after"))
    return account.refused(fault, now, step=step, ours=int(more.get("ours", 0)), draw=more.get("draw", 1.0))


@given(st.integers(0, 2000), st.floats(0.0, 1.0), st.none() | st.floats(0.0, 1000.0))
def test_pauses_are_of_full_jitter_never_none_and_at_most_a_minute(n: int, draw: float, asked: float | None) -> None:
    """Unless the service asks for longer; it is never asked earlier than it wants."""
    seconds = pause(n, draw=draw, asked_for=asked)
    assert 0.2 <= seconds <= max(60.0, asked or 0.0)
    assert seconds >= (asked or 0.0)
    if n == 0 and asked is not None:
        assert seconds == max(0.2, asked)
    if asked is None and draw == 1.0:
        assert seconds == min(60.0, 2.0**n)


def test_what_fails_during_a_rest_is_no_further_failure() -> None:
    """It began before it: a burst counts once."""
    backoff = Backoff().failed(10.0, 5.0).failed(10.5, 1.0)
    assert backoff == Backoff(1, 15.0)
    assert backoff.failed(15.0, 1.0) == Backoff(2, 16.0)
    assert backoff.passed() == Backoff(0, 15.0, well=True)


def test_after_a_refusal_for_concurrency_the_list_is_looked_at_first() -> None:
    """A look that began before it does not do; one that shows why sets nothing but the others right."""
    account = refused(Account(limit=3), FaultKind.CONCURRENCY, 100.0, step=Submit("a"), ours=1)
    assert account.places.must_look
    assert account.is_careful
    assert account.looked(99.9, others=2).places.must_look
    account = account.looked(100.5, others=2)
    assert not account.places.must_look
    assert (account.places.at_a_time(101.0), account.places.doubts) == (3, 0)
    account = account.took(130.0, step=Submit("a"), ours=2)
    assert not account.is_careful


def test_a_request_under_way_when_another_was_refused_does_not_spare_the_look() -> None:
    """It may have taken the last place."""
    account = refused(Account(limit=3), FaultKind.CONCURRENCY, 100.0, step=Submit("a"), ours=1)
    assert account.took(100.1, step=ANOTHER, ours=1).places.must_look


def learned() -> Account:
    """Return an account that lets through two where the plan says five; nothing of others is in the list."""
    account = Account(limit=5)
    for number in range(3):
        assert account.places.at_a_time(100.0) == 5
        account = refused(account, FaultKind.CONCURRENCY, 100.0 + 10 * number, step=Submit("a"), ours=2)
        assert account.free_at(ANOTHER) == 100.0 + 10 * number + 2.0**number
        account = account.looked(101.0 + 10 * number, others=0)
    return account


def test_a_limit_smaller_than_the_plans_is_learned() -> None:
    """After three refusals that the list does not explain, ever more seldom; after minutes one more is tried."""
    account = learned()
    assert account.places.at_a_time(130.0) == 2
    later = account.places.more_at(130.0)
    assert 250.0 < later < 500.0
    assert account.places.at_a_time(later) == 3


def test_one_more_that_is_refused_again_is_tried_minutes_later() -> None:
    """At once it is known why: nothing is doubted."""
    account = learned()
    later = account.places.more_at(130.0)
    account = refused(account, FaultKind.CONCURRENCY, later, step=Submit("a"), ours=2).looked(later + 1, others=0)
    assert account.places.at_a_time(later + 60.0) == 2
    assert account.places.doubts == 0
    assert account.places.more_at(later + 60.0) > later + 100.0


def test_one_more_that_is_taken_is_followed_by_the_next_until_the_plan_is_reached() -> None:
    """A limit learned too low costs minutes, not hours."""
    account = learned()
    now = account.places.more_at(130.0)
    for live in (3, 4, 5):
        assert account.places.at_a_time(now) == live
        account = account.took(now, step=Submit("a"), ours=live)
    assert account.places.learned is None


def test_a_key_that_is_refused_is_asked_again_by_a_look_alone() -> None:
    """Quiet until then; a look that began before that says nothing, one that is answered frees everything."""
    account = refused(Account(limit=3, ask_again=30.0), FaultKind.FINAL, 100.0, step=Fetch("a"))
    assert account.is_probing
    assert {account.free_at(step) for step in (Look(), Submit("a"), Fetch("a"))} == {130.0}
    assert account.looked(99.0, others=0).is_probing
    assert not account.looked(130.0, others=0).is_probing


def test_rate_closes_creates_or_everything() -> None:
    """As long as the service says, or ever longer."""
    creates = refused(Account(limit=3), FaultKind.RATE, 100.0, step=Submit("a"), retry_after=17.0)
    assert (creates.free_at(ANOTHER), creates.free_at(Look())) == (117.0, 0.0)
    everything = refused(Account(limit=3), FaultKind.RATE, 100.0, step=Upload("a"))
    assert (everything.free_at(ANOTHER), everything.free_at(Look())) == (101.0, 101.0)
    again = refused(everything, FaultKind.RATE, 101.0, step=Look())
    assert again.free_at(Look()) == 103.0
    taken = creates.took(101.0, step=ANOTHER, ours=1)
    assert taken.free_at(ANOTHER) == 117.0


def test_a_fault_worth_another_try_holds_what_failed_and_create_requests() -> None:
    """Other requests of other jobs go on; what failed is not forgotten because its list was found."""
    account = refused(Account(limit=3), FaultKind.RETRY, 100.0, step=Submit("a"))
    assert [account.free_at(step) for step in (Submit("a"), ANOTHER, Fetch("b"))] == [101.0, 101.0, 0.0]
    account = account.took(101.0, step=Resolve("a"), ours=0)
    account = account.took(101.5, step=ANOTHER, ours=1)
    assert refused(account, FaultKind.RETRY, 102.0, step=Submit("a")).free_at(Submit("a")) == 104.0
    assert refused(account, FaultKind.RETRY, 102.0, step=Submit("a")).free_at(ANOTHER) == 103.0
    assert account.took(103.0, step=Submit("a"), ours=1).held == {}


def test_a_lost_answer_is_looked_for_after_a_second_however_often_the_create_request_failed() -> None:
    """Its place stands empty meanwhile; what fails of the search holds the search."""
    account, now = Account(limit=3), 100.0
    lost = AvatarFault(FaultKind.RETRY, "internal error", uncertain=True)
    for _ in range(8):
        account = account.refused(lost, now, step=Submit("a"), ours=0, draw=1.0)
        assert account.free_at(Resolve("a")) == now + 1.0
        now = account.free_at(Submit("a"))
    assert now > 200.0
    searched = refused(account, FaultKind.RETRY, now, step=Resolve("a"))
    assert searched.free_at(Submit("a")) == now < searched.free_at(Resolve("a"))


def test_a_job_that_is_refused_while_others_pass_bars_nobody_else() -> None:
    """Such as one for a model that the plan lacks; if the next job is refused too, it is the account that is."""
    account = refused(Account(limit=3), FaultKind.FINAL, 100.0, step=Submit("a"))
    assert account.is_probing
    account = account.looked(130.0, others=0).took(131.0, step=ANOTHER, ours=1)
    account = refused(account, FaultKind.FINAL, 140.0, step=Submit("a"))
    assert not account.is_probing
    assert (account.free_at(Submit("a")), account.free_at(ANOTHER)) == (170.0, 141.0)
    assert refused(account, FaultKind.FINAL, 150.0, step=ANOTHER).is_probing


@pytest.mark.parametrize("kind", [FaultKind.RETRY, FaultKind.FINAL])
@pytest.mark.parametrize("sort", [Submit, Upload])
def test_only_failures_between_which_another_job_passed_are_a_jobs_own(
    kind: FaultKind, sort: type[Submit | Upload]
) -> None:
    """Its last words are kept; a service that fails for all is nobody's fault, and who is tried again begins anew."""
    account = Account(limit=3)
    for number in range(3):
        account = account.took(100.0 * number, step=sort("b"), ours=0)
        for seconds in (1.0, 2.0):
            account = refused(account, kind, 100.0 * number + seconds, step=sort("a"))
    assert (account.held["a"].own, account.held["a"].error) == (3, "no")
    assert account.took(300.0, step=GiveUp(("a",), "", ""), ours=0).held == {}
    assert account.took(300.0, step=sort("a"), ours=0).held == {}


def test_a_request_refused_for_itself_says_that_the_service_is_well() -> None:
    """The job fails, the queue goes on."""
    account = refused(Account(limit=3), FaultKind.RETRY, 100.0, step=Submit("a"))
    assert not refused(account, FaultKind.REQUEST, 102.0, step=ANOTHER).is_careful


@pytest.mark.parametrize("kind", [FaultKind.FINAL, FaultKind.REQUEST])
def test_batches_that_the_plan_does_not_have_silence_nothing_else(kind: FaultKind) -> None:
    """Jobs go one by one."""
    account = refused(Account(limit=3), kind, 100.0, step=SubmitBatch(()))
    assert account.free_at(SubmitBatch(())) >= 1000.0
    assert not account.is_probing
    assert account.free_at(Submit("a")) == 0.0


def test_after_one_batch_too_many_an_end_is_waited_for() -> None:
    """Of ours; or for minutes, because other's end as well."""
    account = refused(Account(limit=3), FaultKind.CONCURRENCY, 100.0, step=SubmitBatch(()), ours=2)
    assert account.free_at(SubmitBatch(()), batches=2) > 300.0
    assert account.free_at(SubmitBatch(()), batches=1) == 0.0
    assert account.took(200.0, step=SubmitBatch(()), ours=0).batch_limit is None


def test_the_number_of_others_is_dated() -> None:
    """From when it was seen first."""
    account = Account(limit=3).looked(10.0, others=2).looked(20.0, others=2)
    assert (account.others_since, account.looked_at) == (10.0, 20.0)
    assert account.looked(30.0, others=1).others_since == 30.0

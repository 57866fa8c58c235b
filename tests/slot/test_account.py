"""When the account may be asked: back-offs, others' holds, the settle time, the rate; whatever happens to it."""

from __future__ import annotations

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.settings import ProviderSettings
from orchestrator.slot.account import Account

TAKEN = ProviderFault(FaultKind.CONCURRENCY, "taken")


@define
class World:
    """An account and a clock; requests are made as soon as they may be."""

    settings: ProviderSettings = field(factory=ProviderSettings)
    account: Account = field(init=False)
    now: float = 100.0

    def __attrs_post_init__(self) -> None:
        self.account = Account.of(self.settings)

    def ask(self) -> float:
        """Make a request when that may be; return how long it took until then."""
        began, self.now = self.now, self.account.may_ask_at(self.now)
        self.account.granted(self.now)
        self.account.asked(self.now)
        return self.now - began

    def refused(self, fault: ProviderFault = TAKEN, *, draw: float = 0.5) -> float:
        """Ask and be refused; return for how long nobody asks."""
        self.ask()
        asked_at = self.now
        self.account.refused(fault, draw=draw, now=self.now)
        self.account.gave_back("refused", asked_at=asked_at, now=self.now)
        return self.account.until - self.now

    def served(self, cause: str = "complete", *, seconds: float = 0.3) -> float:
        """Ask and be let in; return how long that took."""
        waited, asked_at = self.ask(), self.now
        self.now += seconds
        self.account.gave_back(cause, asked_at=asked_at, now=self.now)
        return waited

    def met(self, hold: float) -> int:
        """Meet somebody else's hold of that length that has just begun; return how often it was refused."""
        until, refusals = self.now + hold, 0
        while self.account.may_ask_at(self.now) < until:
            self.refused()
            refusals += 1
        self.served()
        return refusals


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=12))
def test_back_offs_double_with_full_jitter_up_to_the_longest(draws: list[float]) -> None:
    """As long as nothing is known of others; never less than the settle time."""
    world = World()
    for number, draw in enumerate(draws):
        longest = min(2.0, 0.5 * 2.0**number)
        assert world.refused(draw=draw) == pytest.approx(max(0.1, draw * longest))
    assert world.served() > 0
    assert world.refused(draw=0.99) == pytest.approx(0.495)  # who was let in begins anew


@given(st.floats(0, 600), st.floats(0, 1, exclude_max=True), st.sampled_from([FaultKind.RATE, FaultKind.CONCURRENCY]))
def test_what_the_provider_asks_for_is_honoured_in_full(seconds: float, draw: float, kind: FaultKind) -> None:
    """However long, whatever is known, and whatever comes meanwhile."""
    world = World()
    for _ in range(6):
        world.met(1.0)
        world.now += 2.0
    assert world.refused(ProviderFault(kind, "wait", retry_after=seconds), draw=draw) >= seconds - 1e-9
    until = world.account.until
    world.account.refused(ProviderFault(kind, "wait", retry_after=0.0), draw=draw, now=world.now)
    assert world.account.may_ask_at(world.now) >= until


@pytest.mark.parametrize("kind", [FaultKind.LINKS, FaultKind.RETRY, FaultKind.REQUEST, FaultKind.FINAL])
def test_other_faults_are_not_the_accounts(kind: FaultKind) -> None:
    """They stop nobody."""
    world = World()
    assert world.account.refused(ProviderFault(kind, "no", retry_after=9.0), draw=0.5, now=world.now) == 0
    assert world.account.may_ask_at(world.now) == world.now


def test_refusals_of_what_was_in_flight_are_no_more_in_a_row() -> None:
    """Several slots may be refused at once: the account is not slower for it."""
    world = World(ProviderSettings(slots=3))
    counts = [world.account.refused(TAKEN, draw=0.9, now=world.now + 0.01 * number) for number in range(3)]
    assert counts == [1, 1, 1]
    assert world.account.until == pytest.approx(world.now + 0.45)


@pytest.mark.parametrize("hold", [0.5, 1.0, 2.0, 5.0])
def test_holds_of_others_are_waited_out(hold: float) -> None:
    """Once they are known: few refusals for each, and little time beyond."""
    world = World()
    refusals, over = [], []
    for _ in range(40):
        world.served()
        ends = world.now + hold
        refusals.append(world.met(hold))
        over.append(world.now - 0.3 - ends)
        world.now += 2.0
    assert sum(refusals[20:]) <= 2 * 20
    assert sum(over[20:]) / 20 <= 0.25 * hold + 0.05


def test_a_single_refusal_of_old_is_not_held_against_the_account() -> None:
    """Without knowledge the wait is short, and so it is again after hours."""
    world = World()
    for _ in range(6):
        world.met(5.0)
        world.now += 2.0
    assert world.refused() > 2.0
    world.served()
    world.now += 3 * 3600
    assert world.refused() <= 0.25


def test_the_settle_time_grows_where_drops_are_refused_and_shrinks_again() -> None:
    """It is learned from refusals right after a link was dropped, is never zero, and falls back to its setting."""
    world = World()
    assert world.account.settle(world.now) == 0.1
    for _ in range(8):
        world.served("settled", seconds=1.0)
        world.refused(draw=0.0)
        world.served()
    grown = world.account.settle(world.now)
    assert 0.5 < grown <= 2.0
    for _ in range(5):
        world.served("settled", seconds=1.0)
        world.served()
    assert 0.1 < world.account.settle(world.now) < grown
    assert world.account.settle(world.now + 3600) == pytest.approx(0.1, rel=0.05)


def test_a_true_settle_time_is_found_with_few_refusals() -> None:
    """Provider's 0.5 s against a setting of 0.1: at most one drop of six is refused once it is known."""
    world, refusals = World(), 0
    for number in range(80):
        world.served("settled", seconds=1.0)
        waited = world.account.settle(world.now)  # what the keeper waits before the slot comes back
        if waited < 0.5:
            world.refused(draw=0.0)
            refusals += number >= 20
        world.served()
        world.now += 4.0
    assert refusals <= 10


def test_others_do_not_lengthen_the_settle_time() -> None:
    """Where any ask is refused as often as those after a drop, the drops are not to blame."""
    world = World()
    for number in range(120):
        world.served("settled" if number % 2 else "complete", seconds=1.0)
        if number % 10 in (4, 5):
            world.met(0.6)
        world.now += 0.5
    assert world.account.settle(world.now) <= 0.3


def test_a_refusal_for_the_rate_says_nothing_of_others() -> None:
    """It is waited for, and no hold is learned from it."""
    world = World()
    for _ in range(6):
        assert world.refused(ProviderFault(FaultKind.RATE, "slow", retry_after=3.0)) == pytest.approx(3.0)
        world.served()
    assert world.account.others.share == 0
    assert world.refused() <= 0.25


@given(st.floats(0, 9), st.booleans())
def test_a_predicted_delay_is_never_shorter_than_what_is_known(seconds: float, others: bool) -> None:
    """The queue's time and what is left of the back-off; longer where others use the account."""
    world = World()
    assert world.account.delay(seconds, world.now) == pytest.approx(seconds)
    if others:
        for _ in range(6):
            world.met(1.0)
            world.now += 1.0
    before = world.account.delay(seconds, world.now)
    world.refused()
    assert world.account.delay(seconds, world.now) >= max(seconds, world.account.until - world.now) - 1e-9
    assert before >= seconds


steps = st.lists(
    st.tuples(
        st.sampled_from(["complete", "settled", "failed", "unused", "concurrency", "rate"]),
        st.floats(0, 5),
        st.floats(0, 1, exclude_max=True),
        st.none() | st.floats(0, 30),
    ),
    max_size=40,
)


@given(steps, st.integers(0, 20))
def test_whatever_happens_nobody_asks_too_early_and_somebody_does_some_time(
    steps: list[tuple[str, float, float, float | None]], per_minute: int
) -> None:
    """Each back-off is kept, no minute sees too many requests, and nothing stops the account for good."""
    world, asked = World(ProviderSettings(requests_per_minute=per_minute)), list[float]()
    until = float("-inf")
    for what, pause, draw, retry_after in steps:
        world.now += pause
        if what == "unused":
            world.now = world.account.may_ask_at(world.now)
            world.account.granted(world.now)
            world.account.gave_back("unused", asked_at=None, now=world.now)
            continue
        world.ask()
        assert world.now >= until
        asked.append(world.now)
        if what in ("concurrency", "rate"):
            fault = ProviderFault(FaultKind(what), "no", retry_after=retry_after)
            assert world.account.refused(fault, draw=draw, now=world.now) >= 1
            until = world.account.until
            assert until - world.now >= (retry_after or 0.0) - 1e-9
            assert until - world.now <= max(retry_after or 0.0, 8.5) + 1e-9
            what = "refused"
        world.account.gave_back(what, asked_at=asked[-1], now=world.now)
        assert 0.1 <= world.account.settle(world.now) <= 2.0
    if per_minute:
        assert all(later - earlier >= 60 for earlier, later in zip(asked, asked[per_minute:], strict=False))

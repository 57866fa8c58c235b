"""When faults are armed and which strikes: in time, in turn, each kind by dice of its own."""

from __future__ import annotations

import random
from itertools import pairwise
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.waves.faults.fault import Fault
from simulations.waves.faults.faults import Faults


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def faults_at(clock: Clock, *, seed: str = "faults") -> Faults:
    """Return a provider's faults on this clock."""
    return Faults(now=clock, rng=random.Random(seed))


def strikes(faults: Faults, clock: Clock, *names: str, until: float, step: float = 1.0) -> list[float]:
    """Ask again and again until nothing is armed, each `step` seconds; return when something struck, from 100 s on."""
    found = []
    while clock.at <= 100.0 + until:
        while faults.strike(*names):
            found.append(clock.at - 100.0)
        clock.at += step
    return found


def test_where_nothing_is_ordered_nothing_strikes_and_nothing_is_drawn() -> None:
    """A world without faults is as it was."""
    rng = random.Random(1)
    before = rng.getstate()
    faults = Faults(now=Clock(), rng=rng)
    assert faults.strike("stall", "error") is None
    assert faults.next_at("stall") == float("inf")
    assert (faults.armed(), faults.snapshot(), list(faults.struck)) == ([], {}, [])
    assert rng.getstate() == before


def test_a_fault_strikes_once_from_its_time_on() -> None:
    """The time counts from the order; it waits until somebody asks for its name."""
    clock = Clock()
    faults = faults_at(clock)
    faults.order(Fault(name="stall", at=5.0, seconds=3.0))
    assert faults.next_at("stall", "error") == 105.0
    clock.at = 104.9
    assert faults.strike("stall") is None
    clock.at = 200.0
    assert faults.strike("error") is None
    assert [each.waiting for each in faults.armed()] == [1]
    struck = faults.strike("error", "stall")
    assert struck is not None
    assert (struck.name, struck.seconds) == ("stall", 3.0)
    assert faults.strike("stall") is None
    assert faults.armed() == []
    assert (list(faults.struck), faults.snapshot()) == ([(200.0, "stall")], {"stall": 1})


def test_a_count_is_of_the_next_ones() -> None:
    """Three requests in a row, and no fourth."""
    clock = Clock()
    faults = faults_at(clock)
    faults.order(Fault(name="refuse", at=2.0, count=3))
    assert strikes(faults, clock, "refuse", until=10.0) == [2.0, 2.0, 2.0]


def test_recurrences_come_by_chance_with_their_mean_after_the_first() -> None:
    """A Poisson process: exponential times between, as unlike as their mean is long."""
    clock = Clock()
    faults = faults_at(clock)
    faults.order(Fault(name="stall", at=10.0, every=30.0))
    found = strikes(faults, clock, "stall", until=30_000.0, step=0.5)
    assert found[0] == 10.0
    pauses = [later - earlier for earlier, later in pairwise(found)]
    assert mean(pauses) == pytest.approx(30.0, rel=0.1)
    assert mean(pause > 30.0 for pause in pauses) == pytest.approx(0.368, abs=0.05)


def test_without_a_count_only_chance_strikes() -> None:
    """As in the storm: nothing at the start."""
    clock = Clock()
    faults = faults_at(clock)
    faults.order(Fault(name="stall", count=0, every=300.0))
    assert faults.next_at("stall") > 100.0
    assert len(strikes(faults, clock, "stall", until=30_000.0)) == pytest.approx(100, abs=30)


@given(
    others=st.lists(st.sampled_from(["error", "gone", "refuse"]), max_size=6), looks=st.sampled_from([0.25, 1.0, 7.0])
)
def test_kinds_do_not_disturb_each_other(others: list[str], looks: float) -> None:
    """When a kind is armed depends neither on what else was ordered nor on who looks how often; several that fall
    between two looks are one."""
    alone, among = Clock(), Clock()
    faults = faults_at(alone)
    faults.order(Fault(name="stall", every=20.0))
    times = strikes(faults, alone, "stall", until=300.0, step=0.25)
    faults = faults_at(among)
    for name in others:
        faults.order(Fault(name=name, every=5.0))
    faults.order(Fault(name="stall", every=20.0))
    strikes(faults, among, "stall", "error", "gone", "refuse", until=310.0, step=looks)
    armed = [at - 100.0 for at, name in faults.struck if name == "stall"]
    assert all(any(0 <= late - at < looks + 0.25 for late in armed) for at in times)
    assert all(any(0 <= late - at < looks + 0.25 for at in times) for late in armed if late < 300.0)


def test_two_orders_of_a_kind_have_dice_of_their_own() -> None:
    """Else they would strike together for ever; and so does another provider."""
    clock = Clock()
    faults = faults_at(clock)
    for _ in range(2):
        faults.order(Fault(name="stall", count=0, every=60.0))
    one, two = (each.next for each in faults.armed())
    other = faults_at(clock, seed="other")
    other.order(Fault(name="stall", count=0, every=60.0))
    assert len({one, two, other.armed()[0].next}) == 3


def test_what_has_waited_for_longest_strikes_first() -> None:
    """Whatever was ordered first."""
    clock = Clock()
    faults = faults_at(clock)
    faults.order(Fault(name="error", at=9.0))
    faults.order(Fault(name="stall", at=3.0))
    clock.at = 110.0
    found = [faults.strike("error", "stall") for _ in range(2)]
    assert [each.name for each in found if each] == ["stall", "error"]


def test_each_strike_has_noise_of_its_own_and_the_same_seed_the_same() -> None:
    """What random bytes are drawn from."""

    def noises() -> list[str]:
        faults = faults_at(Clock())
        faults.order(Fault(name="garbage", count=2))
        faults.order(Fault(name="garbage"))
        return [struck.noise for _ in range(3) if (struck := faults.strike("garbage"))]

    assert len(set(noises())) == 3
    assert noises() == noises()


def test_what_recurs_while_one_waits_is_lost() -> None:
    """A provider left alone for a year answers at once, and strikes its next client once."""
    clock = Clock()
    faults = faults_at(clock)
    faults.order(Fault(name="stall", every=0.1))
    clock.at = 1e9
    assert faults.strike("stall") is not None
    assert faults.strike("stall") is None
    assert 1e9 < faults.armed()[0].next < 1e9 + 10
    clock.at += 10.0
    assert faults.armed()[0].waiting == 1
    faults.order(Fault(name="error", count=3, every=0.1))
    assert faults.armed()[1].waiting == 3


def test_clearing_forgets_and_tells() -> None:
    """What has struck stays known."""
    clock, told = Clock(), []
    faults = faults_at(clock)
    faults.ordered = lambda: told.append("ordered")
    faults.cleared = lambda: told.append("cleared")
    faults.order(Fault(name="stall", count=2))
    faults.strike("stall")
    faults.clear()
    assert (faults.strike("stall"), faults.armed()) == (None, [])
    assert faults.snapshot() == {"stall": 1}
    assert told == ["ordered", "cleared"]

"""When calls arrive: spread evenly, at once, at equal distances or at random, always in order."""

from __future__ import annotations

from itertools import islice, pairwise
from statistics import mean, stdev

import pytest

from simulations.arrivals import SPREAD, Arrival, arrivals
from simulations.scenario import Group
from simulations.workload import Traits


def starts(*groups: Group, most: int = 1000, seed: int = 1) -> list[Arrival]:
    """Return the first calls to arrive."""
    return [*islice(arrivals(groups, seed=seed), most)]


def test_spread_calls_start_evenly_over_ten_seconds_interleaved() -> None:
    """All groups' together, each group's evenly among the others."""
    found = starts(Group(name="a", calls=6), Group(name="b", calls=2))
    assert [call.at for call in found] == [SPREAD * number / 8 for number in range(8)]
    assert [call.group for call in found] == [0, 0, 1, 0, 0, 0, 1, 0]
    assert [call.line for call in found if call.group == 0] == [1, 2, 3, 4, 5, 6]
    assert all(call.line_stays and call.nth == 1 for call in found)


def test_calls_at_once_start_at_once() -> None:
    """At second 0, and are not counted among the spread ones."""
    found = starts(Group(name="a", calls=2), Group(name="b", calls=3, arrivals="at once"))
    assert [(call.group, call.at) for call in found] == [(1, 0.0), (1, 0.0), (1, 0.0), (0, 0.0), (0, 5.0)]


def test_regular_calls_come_at_equal_distances() -> None:
    """On each line after a random part of the first distance, whether the earlier ones are over or not."""
    found = starts(Group(calls=3, arrivals="regular", per_hour=30.0), most=300)
    assert [call.at for call in found] == sorted(call.at for call in found)
    firsts = set()
    for line in (1, 2, 3):
        times = [call.at for call in found if call.line == line]
        firsts.add(times[0])
        assert 0 < times[0] < 120
        assert all(after - before == pytest.approx(120) for before, after in pairwise(times))
    assert len(firsts) == 3
    assert not any(call.line_stays for call in found)
    assert [call.nth for call in found if call.line == 2][:3] == [1, 2, 3]


def test_poisson_calls_come_at_random() -> None:
    """As often as asked, with exponential distances."""
    times = [call.at for call in starts(Group(calls=1, arrivals="poisson", per_hour=60.0), most=4000)]
    distances = [after - before for before, after in pairwise([0.0, *times])]
    assert mean(distances) == pytest.approx(60, rel=0.05)
    assert stdev(distances) / mean(distances) == pytest.approx(1.0, abs=0.05)


def test_without_a_number_as_many_arrive_as_keep_one_going() -> None:
    """A call of five minutes every five minutes."""
    found = starts(Group(calls=1, arrivals="regular", traits=Traits(minutes=5.0)), most=2)
    assert found[1].at - found[0].at == pytest.approx(300)


def test_endless_calls_must_say_how_often_they_come() -> None:
    """Nobody could guess."""
    with pytest.raises(ValueError, match="per_hour"):
        starts(Group(arrivals="poisson"))


def test_arrivals_follow_from_the_seed() -> None:
    """The same for the same seed, whatever the other groups do."""
    group = Group(name="a", calls=2, arrivals="poisson", per_hour=60.0)
    assert starts(group, most=50) == starts(group, most=50)
    assert starts(group, most=50) != starts(group, most=50, seed=2)
    mixed = starts(group, Group(name="b", arrivals="regular", per_hour=10.0), most=80)
    assert [call for call in mixed if call.group == 0][:50] == starts(group, most=50)

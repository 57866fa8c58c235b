"""When calls arrive: spread evenly, at once, at equal distances or at random, always in order."""

from __future__ import annotations

from itertools import islice, pairwise
from statistics import mean, stdev

import pytest

from orchestrator.slot.capacity import CapacityTable
from orchestrator.slot.capacity_file import load_capacity
from simulations.arrivals import SPREAD, Arrival, arrivals, under_load
from simulations.scenario import Group, Scenario
from simulations.waves.options import WavesOptions
from simulations.workload import Traits, at_talk_share


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


# --- under load ---

TABLE = CapacityTable(speeds=((0.1, 0.1),), talk_shares=(0.4, 0.57), grids={1: ((16, 8),)})
SHORT = Traits(minutes=4.0)


def loaded(load: float, *groups: Group, slots: int = 1) -> Scenario:
    """Return a scenario with so much load."""
    server = WavesOptions.of_profile("fast", slots=slots)
    return Scenario(name="test", load=load, groups=groups, server=server)


def test_a_load_is_what_fits_times_so_much_by_one_stream() -> None:
    """1.5 x 8 calls at a time, of 4 minutes each: 180 an hour, however many lines the group has."""
    for calls in (1, 4, 7):
        (group,) = under_load(loaded(1.5, Group(calls=calls, arrivals="poisson", traits=SHORT)), TABLE)
        assert group.calls == 1
        assert group.per_hour == pytest.approx(180)
    hours = starts(group, most=1800)[-1].at / 3600
    assert hours == pytest.approx(10, rel=0.05)
    assert {(call.line, call.line_stays) for call in starts(group, most=50)} == {(1, False)}


def test_slots_and_talk_share_count() -> None:
    """What fits is read at the group's own share, and grows with the slots."""
    listens = at_talk_share(SHORT, 0.4)
    (group,) = under_load(loaded(1.0, Group(arrivals="poisson", traits=listens)), TABLE)
    assert group.per_hour == pytest.approx(16 * 15)
    (group,) = under_load(loaded(1.0, Group(arrivals="poisson", traits=SHORT), slots=3), TABLE)
    assert group.per_hour == pytest.approx(24 * 15)


def test_groups_share_the_load_as_they_share_the_lines() -> None:
    """A group without lines brings nobody; the rest of each group stays as it is."""
    lines = {"a": 3, "b": 1, "c": 0}
    groups = [Group(name=name, calls=calls, arrivals="poisson", traits=SHORT) for name, calls in lines.items()]
    a, b, c = under_load(loaded(2.0, *groups), TABLE)
    assert a.per_hour == pytest.approx(180)
    assert b.per_hour == pytest.approx(60)
    assert (a.name, a.traits, a.arrivals) == ("a", SHORT, "poisson")
    assert c == groups[2]


def test_the_table_that_ships_will_do() -> None:
    """At the reference's speed and talk share ten calls fit."""
    (group,) = under_load(loaded(1.0, Group(arrivals="poisson", traits=SHORT)), load_capacity())
    assert group.per_hour == pytest.approx(10 * 15)


def test_where_nothing_fits_a_load_means_nothing() -> None:
    """It is refused, with the speed."""
    nothing = CapacityTable(speeds=((0.1, 0.1),), talk_shares=(0.57,), grids={1: ((0,),)})
    with pytest.raises(ValueError, match=r"no call fits at ttfb 0\.1, rtf 0\.1 and a talk share of 0\.57"):
        under_load(loaded(1.0, Group(arrivals="poisson", traits=SHORT)), nothing)

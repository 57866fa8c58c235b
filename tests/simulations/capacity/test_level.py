"""The verdict: right where it is clear, soon where it is very clear, and what the figures say where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.capacity.level import Counts, Level, LevelTest, RateTest
from simulations.reports.percentiles import nearest_rank

TRIALS = 150
"""In a block: three minutes of nine calls."""


def poisson(rng: Random, mean: float) -> int:
    """Draw how many events there were, by the gaps between them."""
    events, at = 0, rng.expovariate(1.0)
    while at < mean:
        events, at = events + 1, at + rng.expovariate(1.0)
    return events


def blocks(rate: float, *, seed: str, dispersion: float = 1.0) -> Iterator[int]:
    """Yield the events of each block for ever: in heaps where variance by mean is to be more than 1."""
    rng, mean = Random(seed), rate * TRIALS
    heaps = dispersion > 1 and mean > 0
    while True:
        shape = mean / (dispersion - 1) if heaps else None
        yield poisson(rng, mean if shape is None else mean * rng.gammavariate(shape, 1 / shape))


def verdict(limit: float, rate: float, *, seed: str, dispersion: float = 1.0) -> tuple[bool, int]:
    """Return what the test says in the end, and after how many blocks."""
    test = RateTest(limit, uneven=2.0)
    for number, events in enumerate(blocks(rate, seed=seed, dispersion=dispersion), start=1):
        test.add(events, trials=TRIALS)
        if test.within is not None:
            return test.within, number
    raise AssertionError("endless")


@pytest.mark.parametrize("limit", [0.05, 0.01])
@pytest.mark.parametrize(("dispersion", "wrong"), [(1.0, 0.03), (2.0, 0.06)])
@pytest.mark.parametrize("times", [1 / 1.25, 1.25])
def test_at_the_edges_of_the_zone_few_verdicts_are_wrong(
    limit: float, dispersion: float, wrong: float, times: float
) -> None:
    """About 2 of 100 where events are independent; 6 where they come in heaps, for how much so is measured, too."""
    found = [verdict(limit, limit * times, seed=f"{n}", dispersion=dispersion)[0] for n in range(400)]
    assert sum(within is not (times < 1) for within in found) <= wrong * len(found)


@pytest.mark.parametrize("times", [0.5, 2.0])
def test_far_from_the_limit_no_verdict_is_wrong_although_events_come_in_heaps(times: float) -> None:
    """A call more or less usually doubles or halves the rate: that is told even at a dispersion of 4."""
    found = [verdict(0.01, 0.01 * times, seed=f"{n}", dispersion=4.0)[0] for n in range(300)]
    assert sum(within is not (times < 1) for within in found) <= 0.03 * len(found)


@pytest.mark.parametrize(("limit", "rate", "most"), [(0.05, 0.0, 4), (0.05, 0.3, 6), (0.01, 0.0, 12), (0.01, 0.2, 6)])
def test_what_is_very_clear_is_soon_over(limit: float, rate: float, most: int) -> None:
    """Twelve minutes of nine calls where nobody waits, 36 without a gap, 18 where it happens all the time."""
    assert max(verdict(limit, rate, seed=f"{n}", dispersion=2.0)[1] for n in range(100)) <= most


def test_the_closer_the_longer() -> None:
    """The blocks that it takes grow as the rate nears the limit, from either side."""

    def mean_blocks(times: float) -> float:
        return sum(verdict(0.05, 0.05 * times, seed=f"{n}")[1] for n in range(50)) / 50

    taken = [mean_blocks(times) for times in (0.2, 0.5, 0.8, 1.25, 1.6, 3.0)]
    assert taken[0] < taken[1] < taken[2]
    assert taken[3] > taken[4] > taken[5]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 200)), max_size=30))
def test_the_dispersion_is_pearsons_drawn_to_two(counts: list[tuple[int, int]]) -> None:
    """Never less than 1; blocks without trials are none."""
    test = RateTest(0.05, uneven=2.0)
    for events, trials in counts:
        test.add(min(events, trials), trials=trials)
    told = [(min(events, trials), trials) for events, trials in counts if trials]
    events, trials = (sum(column) for column in zip(*told, strict=True)) if told else (0, 0)
    if events == 0:
        assert test.dispersion == 2.0
        return
    rate = events / trials
    pearson = sum((each - rate * size) ** 2 / (rate * size) for each, size in told)
    assert test.dispersion == pytest.approx(max(1.0, (8 + pearson) / (4 + len(told) - 1)))


def good(late: int = 0, gaps: int = 0) -> Counts:
    """A block."""
    return Counts(waits=TRIALS, late=late, turns=TRIALS, gaps=gaps)


def test_inside_needs_both_and_outside_either() -> None:
    """Waits alone, gaps alone, both."""
    for late, gaps, inside in ((0, 0, True), (30, 0, False), (0, 20, False), (30, 20, False)):
        test = LevelTest(Level(), calls=9)
        for _ in range(20):
            test.add(good(late, gaps))
        assert (test.clear, test.inside) == (inside, inside)


def test_nothing_is_clear_at_the_beginning() -> None:
    """Three blocks may all be out of the ordinary."""
    test = LevelTest(Level(), calls=9)
    for _ in range(3):
        test.add(good(late=50))
        assert test.clear is None
    test.add(good(late=50))
    assert test.clear is False


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=300))
def test_unclear_waits_are_judged_by_their_p95(waits: list[float]) -> None:
    """The nearest-rank percentile that reports show: at most the level's."""
    test = LevelTest(Level(wait=0.5), calls=9)
    test.add(Counts(waits=len(waits), late=sum(wait > 0.5 for wait in waits), turns=len(waits)))
    assert test.clear is None
    assert test.inside == (nearest_rank(sorted(waits), 95) <= 0.5)


def test_unclear_gaps_are_judged_by_their_number() -> None:
    """One in a hundred turns is inside, one more is not; a run in which nobody spoke shows nothing."""
    for gaps, inside in ((1, True), (2, False)):
        test = LevelTest(Level(gaps=1.0), calls=9)
        test.add(Counts(waits=100, turns=100, gaps=gaps))
        assert (test.clear, test.inside) == (None, inside)
    assert not LevelTest(Level(), calls=9).inside


def test_the_level_says_what_it_is() -> None:
    """In the words of the table's head."""
    assert str(Level()) == "p95 wait <= 0.5 s and at most 1 gap over 100 ms in 100 turns"
    assert str(Level(wait=0.25, gaps=2.5)) == "p95 wait <= 0.25 s and at most 2.5 gaps over 100 ms in 100 turns"

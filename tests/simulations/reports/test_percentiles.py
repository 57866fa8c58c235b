"""Percentiles are nearest rank: values that were measured, as the design's section 6 asks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.reports.percentiles import nearest_rank, percentile, spread

LENGTHS = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1)


def test_the_classic_example() -> None:
    """The ranks of 15, 20, 35, 40, 50 from the definition: ceil(p / 100 * 5)."""
    ordered = [15.0, 20.0, 35.0, 40.0, 50.0]
    found = [nearest_rank(ordered, percent) for percent in (0, 5, 30, 40, 50, 95, 100)]
    assert found == [15, 15, 20, 20, 35, 50, 50]


@given(LENGTHS, st.floats(min_value=0.1, max_value=100))
def test_it_is_the_smallest_value_that_so_many_reach(values: list[float], percent: float) -> None:
    """At least `percent` of the values are at most the result, and of no smaller value is that true."""
    found = percentile(values, percent)
    assert found is not None
    least = percent / 100 * len(values)
    assert sum(value <= found for value in values) >= least - 1e-9
    assert sum(value < found for value in values) < least + 1e-9


def test_nothing_has_no_percentile() -> None:
    """Without values a figure is null, and asking for the bare rank is an error."""
    assert percentile([], 50) is None
    assert spread([]) == {"p50": None, "p95": None, "p99": None, "max": None, "count": 0}
    with pytest.raises(ValueError, match="nothing"):
        nearest_rank([], 50)


def test_a_spread_of_a_hundred() -> None:
    """Of 1 to 100 the ranks are themselves, in any order."""
    assert spread(range(100, 0, -1)) == {"p50": 50, "p95": 95, "p99": 99, "max": 100, "count": 100}

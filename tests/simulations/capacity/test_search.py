"""The search ends at a place where verdicts turn, tries no number twice, and few where its first guess is good."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simulations.capacity.search import most_inside


@given(st.integers(0, 60), st.integers(0, 80), st.integers(1, 60))
def test_where_verdicts_are_monotone_it_finds_the_largest(limit: int, first: int, most: int) -> None:
    """From any guess; nothing above `most` is tried."""
    tried: list[int] = []

    def inside(calls: int) -> bool:
        tried.append(calls)
        return calls <= limit

    assert most_inside(inside, first=first, most=most) == min(limit, most)
    assert len(set(tried)) == len(tried)
    assert all(1 <= calls <= most for calls in tried)


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 60))
def test_where_verdicts_waver_it_ends_where_they_turn(verdicts: list[bool], first: int) -> None:
    """The number is inside (or 0), the next is outside (or beyond the last): both were looked at."""
    seen: dict[int, bool] = {}

    def inside(calls: int) -> bool:
        seen[calls] = verdicts[calls - 1]
        return seen[calls]

    found = most_inside(inside, first=first, most=len(verdicts))
    assert found == 0 or seen[found]
    assert found == len(verdicts) or seen[found + 1] is False


def test_a_good_guess_saves_verdicts() -> None:
    """Two where it is right, three where it is one off, and some more for a hundredfold error."""

    def verdicts(limit: int, first: int) -> int:
        tried: list[int] = []

        def inside(calls: int) -> bool:
            tried.append(calls)
            return calls <= limit

        most_inside(inside, first=first, most=1000)
        return len(tried)

    assert verdicts(9, 9) == verdicts(9, 10) == 2
    assert verdicts(9, 8) == verdicts(9, 11) == 3
    assert verdicts(100, 1) <= 17

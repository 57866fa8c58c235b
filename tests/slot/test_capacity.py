"""How many calls fit: the table's own numbers, no surprises between them, and never too many outside."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.slot.capacity import CapacityTable

SPEEDS = ((0.1, 0.1), (0.15, 0.2), (0.2, 0.3))
SHARES = (0.3, 0.45, 0.57)
CALLS = {
    1: ((18, 12, 9), (7, 5, 3), (4, 3, 2)),
    2: ((39, 26, 20), (17, 11, 8), (10, 7, 5)),
}
"""What a table may look like: rows are speeds, columns talk shares."""


def document(calls: Mapping[int, Any] = CALLS) -> dict[str, Any]:
    """Return such a table as `talkingstick capacity --json` prints it."""
    cells = [
        {"profile": None, "ttfb": ttfb, "rtf": rtf, "talk_share": share, "slots": slots,
         "calls": calls[slots][row][column], "runs": []}
        for slots in calls for row, (ttfb, rtf) in enumerate(SPEEDS) for column, share in enumerate(SHARES)
    ]  # fmt: skip
    return {"schema": 1, "level": {}, "cells": cells}


TABLE = CapacityTable.of_json(document())

ttfbs, rtfs, shares, slots = st.floats(0.0, 2.0), st.floats(0.0, 2.0), st.floats(0.01, 1.0), st.integers(1, 50)


def test_the_cells_themselves_are_exact() -> None:
    """Every one of them."""
    for (row, (ttfb, rtf)), (column, share), count in product(enumerate(SPEEDS), enumerate(SHARES), CALLS):
        assert TABLE.fit(ttfb=ttfb, rtf=rtf, talk_share=share, slots=count) == CALLS[count][row][column]


@given(ttfbs, rtfs, shares, slots, st.sampled_from(["ttfb", "rtf", "talk_share"]), st.floats(0.0, 1.0))
def test_more_work_never_lets_more_calls_in(
    ttfb: float, rtf: float, talk_share: float, slots: int, more: str, by: float
) -> None:
    """A slower provider, or bots that talk more; anywhere, in the table or outside."""
    place: dict[str, Any] = {"ttfb": ttfb, "rtf": rtf, "talk_share": talk_share, "slots": slots}
    assert TABLE.fit(**{**place, more: place[more] + by}) <= TABLE.fit(**place)


@given(ttfbs, rtfs, shares, slots)
def test_another_slot_lets_at_least_as_many_in(ttfb: float, rtf: float, talk_share: float, slots: int) -> None:
    """And twice the slots at least twice as many."""
    calls = TABLE.fit(ttfb=ttfb, rtf=rtf, talk_share=talk_share, slots=slots)
    assert TABLE.fit(ttfb=ttfb, rtf=rtf, talk_share=talk_share, slots=slots + 1) >= calls
    assert TABLE.fit(ttfb=ttfb, rtf=rtf, talk_share=talk_share, slots=2 * slots) >= 2 * calls


@given(st.floats(0.1, 0.2), st.floats(0.1, 0.3), st.floats(0.3, 0.57), st.sampled_from([1, 2]))
def test_between_cells_it_lies_between_them(ttfb: float, rtf: float, talk_share: float, slots: int) -> None:
    """At most as many as at the faster cell with less talk, at least as many as at the slower one with more."""
    calls = TABLE.fit(ttfb=ttfb, rtf=rtf, talk_share=talk_share, slots=slots)
    above = max(row for row, speed in enumerate(SPEEDS) if speed[0] <= ttfb and speed[1] <= rtf)
    below = min(row for row, speed in enumerate(SPEEDS) if speed[0] >= ttfb and speed[1] >= rtf)
    left = max(column for column, share in enumerate(SHARES) if share <= talk_share)
    right = min(column for column, share in enumerate(SHARES) if share >= talk_share)
    assert CALLS[slots][below][right] <= calls <= CALLS[slots][above][left]


@given(ttfbs, rtfs, shares)
def test_outside_it_is_never_optimistic(ttfb: float, rtf: float, talk_share: float) -> None:
    """For less work no more than the nearest cell, for more work less than in inverse proportion to it."""
    calls = TABLE.fit(ttfb=ttfb, rtf=rtf, talk_share=talk_share, slots=1)
    assert calls <= CALLS[1][0][0]
    # What a number was before it was rounded down is less than one more.
    if talk_share > SHARES[-1]:
        with_less_talk = TABLE.fit(ttfb=ttfb, rtf=rtf, talk_share=SHARES[-1], slots=1)
        assert calls <= (with_less_talk + 1) * SHARES[-1] / talk_share
    slowest = SPEEDS[-1]
    assume(ttfb >= slowest[0] and rtf >= slowest[1])
    at_slowest = TABLE.fit(ttfb=slowest[0], rtf=slowest[1], talk_share=talk_share, slots=1)
    assert calls <= (at_slowest + 1) * max(slowest[0] / ttfb, slowest[1] / rtf)


def test_more_slots_than_the_table_has_share_nothing() -> None:
    """Seven slots are three pairs and one: more would fit, for a shared queue wastes less."""
    place: dict[str, float] = {"ttfb": 0.1, "rtf": 0.1, "talk_share": 0.57}
    assert TABLE.fit(**place, slots=7) == 3 * 20 + 9
    assert TABLE.fit(**place, slots=1000) == 500 * 20


def test_a_provider_slower_than_real_time_takes_nobody() -> None:
    """Nor one whose first byte takes seconds."""
    assert TABLE.fit(ttfb=0.2, rtf=1.2, talk_share=0.57, slots=1) == 0
    assert TABLE.fit(ttfb=5.0, rtf=0.1, talk_share=0.57, slots=1) == 0


def test_where_chance_made_more_work_let_more_calls_in_the_smaller_number_holds() -> None:
    """A cell may be off by one."""
    calls = {1: ((18, 12, 9), (7, 5, 6), (4, 3, 2))}
    table = CapacityTable.of_json(document(calls))
    assert [table.fit(ttfb=0.15, rtf=0.2, talk_share=share, slots=1) for share in SHARES] == [7, 5, 5]


@pytest.mark.parametrize(("talk_share", "slots"), [(0.0, 1), (-0.1, 1), (0.5, 0)])
def test_there_must_be_something_to_fit(talk_share: float, slots: int) -> None:
    """A bot that never talks needs no slot, and no slot takes nobody: neither is asked for."""
    with pytest.raises(ValueError, match="must be more than 0"):
        TABLE.fit(ttfb=0.1, rtf=0.1, talk_share=talk_share, slots=slots)


def change(place: int, **cell: Any) -> dict[str, Any]:
    """Return the table with a cell changed."""
    changed = document()
    changed["cells"][place] = {**changed["cells"][place], **cell}
    return changed


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "schema None: expected 1"),
        ({"schema": 1}, "there are no cells for 1 slot"),
        ({"schema": 1, "cells": [{"ttfb": 0.1}]}, "cell 1 cannot be read: KeyError"),
        (change(3, calls="many"), "cell 4 cannot be read: ValueError"),
        (change(0, talk_share=0.31), r"there is no cell for speed \(0.1, 0.1\), talk share 0.3, slots 1"),
        (change(0, ttfb=0.3), "neither is the slower in both ttfb and rtf"),
        (change(0, ttfb=0, rtf=0), "cell 1: expected a talk share over 0, and a speed over 0 / 0"),
        (change(0, slots=3), "there is no cell for"),
        (document({2: CALLS[2]}), "there are no cells for 1 slot"),
    ],
)
def test_a_table_with_a_fault_is_refused(wrong: dict[str, Any], message: str) -> None:
    """With what is wrong."""
    with pytest.raises(ValueError, match=message):
        CapacityTable.of_json(wrong)

"""A window holds wherever between its beginning and its answer the service counts a request."""

from __future__ import annotations

import heapq
import random

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.lipsync.windows import MINUTE, Window


@given(st.integers(0, 2**32), st.integers(1, 8), st.floats(0.01, 90.0), st.integers(1, 3))
def test_no_minute_sees_more_than_allowed_whenever_the_service_counts(
    seed: int, limit: int, slowest: float, most: int
) -> None:
    """Requests go out, some of them several at a time, as soon as the window says that there is room."""
    draw = random.Random(f"{seed}:window")  # a string seeds by SHA-512
    now, counted = 1.7e9, list[float]()
    answered, under_way = list[float](), list[tuple[float, float]]()
    for _ in range(40):
        requests = min(limit, draw.randint(1, most))
        while (at := Window(limit, answered, [began for _, began in under_way]).room_at(now, requests)) > now:
            now = min([at, *(ends for ends, _ in under_way)])
            while under_way and under_way[0][0] <= now:
                answered.append(heapq.heappop(under_way)[0])
        for _ in range(requests):
            takes = slowest * draw.random()
            counted.append(now + takes * draw.choice((0.0, 1.0, draw.random())))
            heapq.heappush(under_way, (now + takes, now))
        now += draw.choice((0.0, draw.random() * MINUTE / limit))
    for start in counted:
        assert sum(start <= at <= start + MINUTE for at in counted) <= limit


@given(st.lists(st.floats(0.0, 100.0), max_size=30), st.integers(1, 30), st.integers(1, 3))
def test_it_says_exactly_when_there_is_room(made: list[float], limit: int, requests: int) -> None:
    """There is at that moment, and not just before it; only requests under way can make that unknown."""
    window = Window(limit, made)
    at = window.room_at(100.0, requests)
    assert (at == float("inf")) == (requests > limit)
    if 100.0 < at < float("inf"):
        assert window.room_at(at, requests) == at
        assert window.room_at(at - 0.001, requests) == at


def test_what_is_under_way_counts_until_a_minute_after_its_answer() -> None:
    """Nobody knows when it will be counted."""
    window = Window(2, [10.0]).begun(20.0)
    assert window.room_at(20.0) > 70.0
    assert window.begun(20.0).room_at(200.0) == float("inf")
    assert 90.0 < Window(1, [30.0]).room_at(31.0) < 90.2

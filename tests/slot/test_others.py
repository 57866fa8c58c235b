"""What is learned of other programs' holds from who was refused and who was let in."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import partial

import pytest
from attrs import define
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.slot.others import Others

UNKNOWN = 0.5
"""Seconds after which is asked again as long as nothing is known."""


@define
class Seen:
    """What came of many holds: refusals a hold, seconds waited beyond an episode's last; means of the later half."""

    refusals: float
    overshoot: float


def meet(others: Others, hold: Callable[[], float], *, draw: random.Random, holds: int = 80, gap: float = 5.0) -> Seen:
    """Have a call meet so many holds, `gap` seconds apart on the average, and ask again as it is told."""
    refusals, met, overshoots, now = 0, 0, 0.0, 0.0
    for number in range(holds):
        now += draw.expovariate(1 / gap)
        since = draw.uniform(0.0, 1.5) if draw.random() < 0.6 else 0.02
        free = max(0.01, hold() - draw.uniform(0.0, since))
        others.found(taken=draw.random() < 0.4)
        refused, at = [0.0], 0.0
        while True:
            wait = others.left(refused, since=since, now=now + at)
            at += UNKNOWN if wait is None else max(wait, 0.02)
            if at >= free:
                if draw.random() < math.exp((free - at) / gap):
                    break
                met += number >= holds // 2
                free = at + max(0.01, hold() - draw.uniform(0.0, at - free))  # another has begun meanwhile
            refused.append(at)
        others.ended(refused, since=since, free=at, now=now + at)
        now += at
        if number >= holds // 2:
            met += 1
            refusals += len(refused)
            overshoots += at - free
    return Seen(refusals / met, overshoots / (holds - holds // 2))


@pytest.mark.parametrize("hold", [0.5, 1.0, 2.0, 5.0])
def test_holds_of_one_length_are_learned(hold: float) -> None:
    """After some, there are few refusals for each, and little is waited beyond its end."""
    for seed in range(4):
        seen = meet(Others(), lambda: hold, draw=random.Random(f"{seed}:{hold}"), gap=3 * hold)
        assert seen.refusals <= 3.0
        assert seen.overshoot <= 0.2 * hold + 0.1


def test_holds_of_any_length_are_learned_as_well_as_they_can_be() -> None:
    """A memoryless hold gives nothing away but its mean."""
    for seed in range(4):
        draw = random.Random(f"any:{seed}")
        seen = meet(Others(), partial(draw.expovariate, 1 / 2.0), draw=draw, gap=6.0)
        assert seen.refusals <= 4.5
        assert seen.overshoot <= 1.5


def test_what_others_do_may_change() -> None:
    """Holds that grow longer, or shorter, are followed."""
    others, draw = Others(), random.Random("change")
    for hold in (1.0, 4.0, 0.6):
        seen = meet(others, partial(float, hold), draw=draw, gap=3 * hold)
        assert seen.refusals <= 3.0
        assert seen.overshoot <= 0.4 * hold + 0.3


def test_nothing_is_known_at_first_and_after_a_long_time() -> None:
    """A prediction needs some episodes, and they are forgotten."""
    others = Others()
    assert others.left([0.0], since=1.0, now=0.0) is None
    for number in range(4):
        others.ended([0.0, 1.0], since=0.1, free=1.2, now=10.0 * number)
    assert others.left([0.0], since=0.1, now=40.0) == pytest.approx(1.1, abs=0.2)
    assert others.left([0.0], since=0.1, now=40.0 + 7200) is None


def test_a_hold_that_began_long_before_ends_sooner() -> None:
    """Where the slot was ours a moment ago all of it is still to come."""
    others = Others()
    for number in range(12):
        others.ended([0.0, 1.9], since=0.02, free=2.1, now=10.0 * number)
    fresh, old = (others.left([0.0], since=since, now=130.0) for since in (0.02, 2.0))
    assert fresh is not None
    assert old is not None
    assert old < fresh == pytest.approx(2.0, abs=0.2)


episodes = st.lists(
    st.tuples(st.lists(st.floats(0.01, 9), max_size=5), st.floats(0, 20), st.floats(0.01, 9)), max_size=30
)


@settings(max_examples=30)
@given(episodes, st.floats(0, 20))
def test_whatever_was_seen_a_prediction_is_bearable(seen: list[tuple[list[float], float, float]], since: float) -> None:
    """Never below nothing, never more than a turn can bear; the weights stay a distribution."""
    others, now = Others(), 0.0
    for pauses, before, last in seen:
        others.found(taken=True)
        refused = [0.0]
        for pause in pauses:
            refused.append(refused[-1] + pause)
        left = others.left(refused, since=before, now=now)
        assert left is None or 0.0 <= left <= 8.0
        now += refused[-1] + last
        others.ended(refused, since=before, free=refused[-1] + last, now=now)
        assert others._weights.sum() == pytest.approx(1.0)
        assert others._weights.min() > 0
    assert (others.left([0.0], since=since, now=now) is None) == (len(seen) < 3 or others._episodes_at(now) < 2.5)
    assert 0.0 <= others.share <= 1.0

"""How long the provider takes: the figures asked for come out, each from draws of its own, and slow times end."""

from __future__ import annotations

import math
import random
import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.draws import lognormal
from simulations.waves.options import WavesOptions
from simulations.waves.timing import WIDEST_UNIFORM, Pace, Timing

JITTERS = ("lognormal", "uniform", "exponential")


def timing(*, started: float = 0.0, seed: int = 0, **options: Any) -> Timing:
    """Return a provider's timing."""
    return Timing(
        options=WavesOptions(**options),
        started=started,
        ttfb_rng=random.Random(f"{seed}:ttfb"),
        rtf_rng=random.Random(f"{seed}:rtf"),
    )


def paces(count: int, **options: Any) -> list[Pace]:
    """Return the paces of as many requests in one instant."""
    times = timing(**options)
    return [times.next_pace(0.0) for _ in range(count)]


@pytest.mark.parametrize("jitter", JITTERS)
def test_without_variation_every_request_is_alike(jitter: str) -> None:
    """Not one draw shows, whatever the distribution."""
    assert set(paces(20, ttfb=0.15, rtf=0.3, jitter=jitter)) == {Pace(0.15, 0.3)}


@pytest.mark.parametrize(
    ("jitter", "cv", "spread"),
    [
        ("lognormal", 0.3, 0.3),
        ("lognormal", 1.5, 1.5),
        ("uniform", 0.3, 0.3),
        ("uniform", 9.0, WIDEST_UNIFORM),
        ("exponential", 0.3, 1.0),
    ],
)
def test_the_mean_stays_whatever_the_distribution(jitter: str, cv: float, spread: float) -> None:
    """Both figures have the mean that was asked for, and the coefficient of variation as far as it is possible."""
    drawn = paces(40_000, ttfb=0.2, rtf=0.1, ttfb_cv=cv, rtf_cv=cv, jitter=jitter)
    for values, mean in ([pace.ttfb for pace in drawn], 0.2), ([pace.rtf for pace in drawn], 0.1):
        assert min(values) >= 0
        assert statistics.fmean(values) == pytest.approx(mean, rel=0.03)
        assert statistics.stdev(values) == pytest.approx(spread * mean, rel=0.1)


@pytest.mark.parametrize("jitter", JITTERS)
def test_one_figure_s_variation_leaves_the_other_alone(jitter: str) -> None:
    """Uneven work does not move the first bytes, nor the other way round; the same seed draws the same."""
    plain = paces(9, ttfb_cv=0.3, rtf_cv=0.2, jitter=jitter)
    assert [pace.ttfb for pace in paces(9, ttfb_cv=0.3, jitter=jitter)] == [pace.ttfb for pace in plain]
    assert [pace.rtf for pace in paces(9, rtf_cv=0.2, jitter=jitter)] == [pace.rtf for pace in plain]
    assert plain == paces(9, ttfb_cv=0.3, rtf_cv=0.2, jitter=jitter)
    assert plain != paces(9, ttfb_cv=0.3, rtf_cv=0.2, jitter=jitter, seed=1)


def test_the_default_draws_are_one_lognormal_a_request() -> None:
    """Stories of earlier versions stay as they are: the same seed, the same times to first byte."""
    rng = random.Random("7:ttfb")
    expected = [lognormal(rng, mean=0.1, cv=0.3) for _ in range(50)]
    assert [pace.ttfb for pace in paces(50, ttfb_cv=0.3, seed=7)] == expected


def test_the_first_request_is_cold_and_the_first_after_a_restart() -> None:
    """And only these."""
    times = timing(ttfb=0.25, cold=1.5)
    assert [times.next_pace(now).ttfb for now in (5.0, 6.0, 7.0)] == [1.75, 0.25, 0.25]
    times.restart()
    times.restart()
    assert [times.next_pace(now).ttfb for now in (8.0, 9.0)] == [1.75, 0.25]


@given(
    started=st.floats(0, 1e6),
    at=st.floats(0, 1e4),
    lasts=st.floats(0, 1e4),
    later=st.floats(0, 3e4),
    factor=st.floats(1, 10),
)
def test_everything_is_slow_in_the_slow_time_only(
    started: float, at: float, lasts: float, later: float, factor: float
) -> None:
    """Whoever begins in it has its pace, from the first instant to the last but one; of length 0 it is none."""
    times = timing(started=started, ttfb=0.5, rtf=0.25, slow_at=at, slow_for=lasts, slow_factor=factor)
    pace = times.next_pace(started + later)
    if math.isclose(later, at, abs_tol=1e-3) or math.isclose(later, at + lasts, abs_tol=1e-3):
        return  # the sum with a late start rounds either way
    assert pace == (Pace(0.5 * factor, 0.25 * factor) if at < later < at + lasts else Pace(0.5, 0.25))


def test_a_cold_request_is_slow_as_well_in_a_slow_time() -> None:
    """Everything is."""
    assert timing(ttfb=0.5, cold=1.0, slow_for=60.0, slow_factor=2.0).next_pace(0.0).ttfb == 3.0


def test_the_edges_of_the_slow_time() -> None:
    """The first instant belongs to it, the last does not."""
    times = timing(ttfb=0.5, slow_at=10.0, slow_for=5.0, slow_factor=3.0)
    assert [times.next_pace(now).ttfb for now in (9.5, 10.0, 14.5, 15.0)] == [0.5, 1.5, 1.5, 0.5]

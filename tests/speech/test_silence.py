"""How long a request may be silent: the setting at first, then what was learned, doubled with each failure."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.slot.pace import Pace
from orchestrator.speech.silence import Silence, Spread


def test_the_setting_holds_until_something_is_known() -> None:
    """For the first sound as for what follows it."""
    silence = Silence(4.0, Pace())
    assert (silence.first_within(), silence.next_within()) == (4.0, 4.0)


def test_it_is_learned_from_mean_and_deviation() -> None:
    """Three means and four deviations; one time alone counts half as its own deviation; 0.5 s is the least."""
    silence = Silence(4.0, Pace(rtf=0.1))
    silence.first_came(0.4)
    assert silence.first_within() == pytest.approx(3 * 0.4 + 4 * 0.2)
    silence.first_came(0.4)
    assert silence.first_within() == pytest.approx(3 * 0.4 + 4 * 0.15)
    silence.next_came(0.3)
    assert silence.next_within() == pytest.approx(3 * 0.3 + 4 * 0.15)
    for _ in range(50):
        silence.first_came(0.1)
        silence.next_came(0.01)
    assert (silence.first_within(), silence.next_within()) == (0.5, 0.5)


def test_a_long_chunk_has_the_time_that_it_takes_to_make() -> None:
    """Of a second of sound, four times as long as the pace says, however quickly the short ones came."""
    silence = Silence(4.0, Pace(rtf=0.3))
    silence.next_came(0.01)
    assert silence.next_within() == pytest.approx(1.2)


def test_each_failure_in_a_row_but_the_first_doubles_the_time_up_to_the_setting() -> None:
    """Of its own kind; what comes ends the row: a slower provider is learned, not dropped for ever."""
    silence = Silence(4.0, Pace(rtf=0.1))
    silence.first_came(0.1)
    silence.next_came(0.1)
    times = []
    for _ in range(6):
        times.append(silence.first_within())
        silence.failed(begun=False)
    assert times == [0.5, 0.5, 1.0, 2.0, 4.0, 4.0]
    assert silence.next_within() == 0.5
    silence.first_came(3.0)
    assert 0.5 < silence.first_within() <= 4.0
    silence.failed(begun=True)
    silence.failed(begun=True)
    assert silence.next_within() == 1.0
    silence.next_came(0.1)
    assert silence.next_within() > 0.5
    silence.ended()
    assert silence.next_within() == 0.5


def test_usual_times_are_hardly_ever_too_long() -> None:
    """Lognormal with a cv of 0.3, and exponential, around means of 0.2 and 0.5 s: one in 150 at most."""
    rng = random.Random("silence")
    draws: dict[str, Callable[[float], float]] = {
        "lognormal": lambda mean: mean * rng.lognormvariate(-0.043, 0.294),
        "exponential": lambda mean: rng.expovariate(1 / mean),
    }
    for draw in draws.values():
        for mean in (0.2, 0.5):
            silence, late = Silence(60.0, Pace()), 0
            for _ in range(10_000):
                after = draw(mean)
                late += after > silence.first_within()
                silence.first_came(after)
            assert late <= 67


@given(st.lists(st.floats(0.0, 100.0), min_size=1))
def test_the_mean_lies_among_what_was_seen(times: list[float]) -> None:
    """And the deviation is within their range."""
    spread = Spread()
    for time in times:
        spread.learn(time)
    assert spread.mean is not None
    assert min(times) - 1e-9 <= spread.mean <= max(times) + 1e-9
    assert 0 <= spread.deviation <= max(times)

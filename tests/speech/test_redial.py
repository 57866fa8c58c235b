"""When links are dialled after something went wrong: apart, one at a time, quickly while the provider is out."""

from __future__ import annotations

import pytest

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Standing
from orchestrator.speech.redial import Redial

INF = float("inf")
AWAY = ProviderFault(FaultKind.RETRY, "cannot be reached")


def failing(redial: Redial, *, now: float, standing: Standing, draw: float = 1.0, hangs: float = 0.0) -> float:
    """Dial at `now`, and fail; return how long until the next dial may begin."""
    redial.began(now, standing=standing, draw=draw)
    redial.failed(AWAY, began=now, now=now + hangs, standing=standing, draw=draw)
    return redial.next_at - now


def test_as_long_as_all_is_well_links_are_dialled_together_and_at_once() -> None:
    """Without a limit of time of our own."""
    redial = Redial(30.0)
    assert (redial.at_a_time(Standing.UP), redial.began(0.0, standing=Standing.UP, draw=0.5)) == (INF, INF)
    assert redial.next_at == -INF


@pytest.mark.parametrize(("standing", "longest"), [(Standing.UP, 5.0), (Standing.OUT, 1.0)])
def test_dials_that_fail_at_once_back_off(standing: Standing, longest: float) -> None:
    """Up to 5 s; while the provider is out, to 1 s, and 2 s after a minute or so; the jitter takes half at most."""
    redial, now, waits = Redial(30.0), 0.0, []
    for _ in range(8):
        waits.append(failing(redial, now=now, standing=standing))
        now += waits[-1]
    assert waits == sorted(waits)
    assert waits[0] == pytest.approx(0.4)
    assert waits[-1] == longest
    assert failing(redial, now=now, standing=standing, draw=0.0) == longest / 2
    if standing is Standing.OUT:
        for _ in range(60):
            now += 10
            wait = failing(redial, now=now, standing=standing)
        assert wait == 2.0


def test_failures_of_dials_that_were_under_way_together_count_once() -> None:
    """Several places that fail at a time are no reason to wait for longer."""
    redial = Redial(30.0)
    for began in (0.0, 0.0, 0.05, 0.1):
        redial.failed(AWAY, began=began, now=0.1, standing=Standing.UP, draw=1.0)
    assert redial.failures == 1
    assert redial.next_at == pytest.approx(0.5)


def test_while_the_provider_is_out_dials_that_hang_overlap() -> None:
    """Two at a time, each a second at most after the one before; two of three are given up after 1.5 s."""
    redial = Redial(30.0)
    redial.failed(AWAY, began=0.0, now=4.0, standing=Standing.OUT, draw=1.0)
    assert redial.at_a_time(Standing.OUT) == 2
    times, limits, now = [], [], 4.0
    for _ in range(6):
        assert redial.next_at <= now
        limits.append(redial.began(now, standing=Standing.OUT, draw=1.0))
        times.append(redial.next_at - now)
        redial.failed(AWAY, began=now, now=now + 1.5, standing=Standing.OUT, draw=1.0)
        now = redial.next_at
    assert limits == [1.5, 1.5, INF] * 2
    assert all(0.2 <= time <= 1.0 for time in times)


def test_lost_links_are_dialled_one_after_the_other_until_all_are_back() -> None:
    """0.1 s apart at most."""
    redial = Redial(30.0)
    redial.lost()
    assert redial.at_a_time(Standing.UP) == 1
    assert redial.began(5.0, standing=Standing.UP, draw=0.5) == INF
    assert redial.next_at == pytest.approx(5.05)
    redial.opened(5.02)
    assert redial.at_a_time(Standing.UP) == 1
    redial.settled()
    assert redial.at_a_time(Standing.UP) == INF


def test_one_success_ends_the_waiting() -> None:
    """But not for a link that is closed as soon as it is open: that failure counts with those before."""
    redial, now = Redial(30.0), 0.0
    for _ in range(6):
        now += failing(redial, now=now, standing=Standing.UP)
    redial.opened(now)
    assert redial.next_at <= now + 0.1
    redial.failed(AWAY, began=now, now=now, standing=Standing.UP, draw=1.0)
    assert redial.failures == 7
    redial.opened(now + 10)
    redial.settled()
    redial.failed(AWAY, began=now + 20, now=now + 20, standing=Standing.UP, draw=1.0)
    assert redial.failures == 1


def test_as_long_as_dials_fail_it_is_not_settled() -> None:
    """Though none is missing just now, for there is no room."""
    redial = Redial(30.0)
    failing(redial, now=0.0, standing=Standing.UP)
    redial.settled()
    assert redial.at_a_time(Standing.UP) == 1


def test_who_refuses_for_good_is_asked_again_after_the_setting() -> None:
    """By one dial; after a success at once."""
    redial = Redial(30.0)
    redial.failed(ProviderFault(FaultKind.FINAL, "401"), began=1.0, now=1.2, standing=Standing.FINAL, draw=0.0)
    assert (redial.next_at, redial.at_a_time(Standing.FINAL)) == (31.0, 1)
    redial.refused_for_good(5.0)
    assert redial.next_at == 35.0
    redial.opened(35.1)
    assert redial.next_at <= 35.2


def test_who_says_how_long_to_wait_is_obeyed() -> None:
    """Also when another link opens in between."""
    redial = Redial(30.0)
    fault = ProviderFault(FaultKind.LINKS, "too many", retry_after=7.0)
    redial.failed(fault, began=0.0, now=0.1, standing=Standing.UP, draw=0.0)
    redial.opened(0.2)
    assert redial.next_at == pytest.approx(7.1)

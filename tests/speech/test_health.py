"""How the provider stands: what makes it doubtful, out, refusing for good, and up again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Standing
from orchestrator.speech.health import Health

SILENT = ProviderFault(FaultKind.RETRY, "nothing came")
AWAY = ProviderFault(FaultKind.RETRY, "cannot be reached")
WRONG_KEY = ProviderFault(FaultKind.FINAL, "401")


def health(standing: Standing) -> Health:
    """Return one that came to stand so by what happened."""
    made = Health()
    if standing is Standing.DOUBTFUL:
        made.failed(SILENT)
    elif standing is Standing.OUT:
        made.dial_failed(AWAY, any_open=False)
    elif standing is Standing.FINAL:
        made.dial_failed(WRONG_KEY, any_open=True)
    assert made.standing is standing
    return made


def test_two_requests_in_a_row_without_sound_are_an_outage() -> None:
    """The first makes it doubtful; each change is told once, with its fault."""
    made = Health()
    assert made.failed(SILENT)
    assert (made.standing, made.fault) == (Standing.DOUBTFUL, SILENT)
    assert made.failed(AWAY)
    assert (made.standing, made.fault) == (Standing.OUT, AWAY)
    assert not made.failed(SILENT)
    assert made.fault is AWAY


def test_a_request_that_was_answered_ends_the_row() -> None:
    """Sound, a refusal, an end: one failure after it is the first again."""
    made = Health()
    made.failed(SILENT)
    assert made.answered()
    assert (made.standing, made.fault) == (Standing.UP, None)
    assert not made.answered()
    made.failed(SILENT)
    assert made.standing is Standing.DOUBTFUL


@pytest.mark.parametrize("standing", list(Standing))
def test_a_failed_dial_says_something_only_where_no_link_is_open(standing: Standing) -> None:
    """Then the provider is out, whatever it was before."""
    made = health(standing)
    assert not made.dial_failed(AWAY, any_open=True)
    assert made.standing is standing
    assert made.dial_failed(AWAY, any_open=False) is (standing is not Standing.OUT)
    assert made.standing is Standing.OUT


@pytest.mark.parametrize("standing", list(Standing))
def test_an_opened_link_is_worth_one_try(standing: Standing) -> None:
    """Of a provider that was out or refused for good; without sound it is out at once, with sound it is up."""
    made, was_away = health(standing), standing in (Standing.OUT, Standing.FINAL)
    assert made.opened() is was_away
    assert made.standing is (Standing.DOUBTFUL if was_away else standing)
    if was_away:
        assert made.failed(SILENT)
        assert made.opened()  # it was out
        assert made.answered()
        assert made.fault is None


def test_who_refuses_for_good_is_not_believed_by_old_requests() -> None:
    """What open links still bring, or not, says nothing of the key: only a dial does."""
    for made in (health(Standing.FINAL), Health()):
        made.refused_for_good(WRONG_KEY)
        assert not made.answered()
        assert not made.failed(SILENT)
        assert (made.standing, made.fault) == (Standing.FINAL, WRONG_KEY)


STEPS = ("answered", "failed", "refused_for_good", "dial_failed", "dial_failed, others open", "opened")


@given(st.lists(st.sampled_from(STEPS), max_size=30))
def test_it_is_up_exactly_without_a_fault_and_tells_each_change(steps: list[str]) -> None:
    """After anything that can happen, in any order."""
    made = Health()
    for step in steps:
        before = made.standing
        name, _, others = step.partition(",")
        deeds: dict[str, Callable[[], bool]] = {
            "answered": made.answered,
            "opened": made.opened,
            "failed": partial(made.failed, SILENT),
            "refused_for_good": partial(made.refused_for_good, WRONG_KEY),
            "dial_failed": partial(made.dial_failed, AWAY, any_open=bool(others)),
        }
        told = deeds[name]()
        assert told is (made.standing is not before)
        assert (made.standing is Standing.UP) is (made.fault is None)

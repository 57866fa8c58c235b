"""Which kind each failure is: from statuses, close codes and silence; and that each kind has one answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import FaultKind
from orchestrator.slot.limits import ANSWERS, Answer, kind_of_close, kind_of_status, silence


def test_every_kind_has_its_own_answer() -> None:
    """No kind without one, and none of them twice."""
    assert set(ANSWERS) == set(FaultKind)
    assert sorted(ANSWERS.values(), key=str) == sorted(Answer, key=str)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FaultKind.REQUEST),
        (422, FaultKind.REQUEST),
        (401, FaultKind.FINAL),
        (403, FaultKind.FINAL),
        (410, FaultKind.FINAL),
        (429, FaultKind.LINKS),
        (408, FaultKind.RETRY),
        (500, FaultKind.RETRY),
        (503, FaultKind.RETRY),
    ],
)
def test_statuses(status: int, kind: FaultKind) -> None:
    """A wrong request, a bad key or a retired model, one socket too many, and what may pass."""
    assert kind_of_status(status) is kind


@given(st.integers(500, 599))
def test_a_servers_own_trouble_is_worth_another_try(status: int) -> None:
    """Any of it."""
    assert kind_of_status(status) is FaultKind.RETRY


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1008, FaultKind.LINKS),
        (1013, FaultKind.LINKS),
        (1009, FaultKind.REQUEST),
        (1000, FaultKind.RETRY),
        (1001, FaultKind.RETRY),
        (1011, FaultKind.RETRY),
        (4000, FaultKind.RETRY),
    ],
)
def test_close_codes(code: int, kind: FaultKind) -> None:
    """One socket too many, a message that is not taken, and what may pass."""
    assert kind_of_close(code) is kind


def test_silence_is_a_failure_worth_another_try() -> None:
    """It says how long nothing came."""
    fault = silence(2.345)
    assert fault.kind is FaultKind.RETRY
    assert str(fault) == "nothing came for 2.3 s"

"""Every fault is told of, can be struck, and is asked for by somebody."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from simulations.waves.faults.catalogue import (
    CATALOGUE,
    ENGINE_FAULTS,
    HTTP_REQUEST_FAULTS,
    SSE_REQUEST_FAULTS,
    TIMES,
    WEBSOCKET_REQUEST_FAULTS,
)
from simulations.waves.faults.fault import Fault
from simulations.waves.faults.spoiling import _CHANGES

ISSUE = {
    "refuse", "other_user", "close_before", "close_during", "close_after", "half_close", "stop_reading", "stall",
    "no_audio", "complete_late", "complete_twice", "complete_never", "error", "error_nested", "garbage", "oversized",
    "not_json", "wrong_ids", "unauthorized", "error_500", "slow_handshake", "restart", "gone",
}  # fmt: skip
"""What the issue names."""


def test_everything_that_was_wished_for_is_there() -> None:
    """And two more: a binary message, and an empty answer."""
    assert CATALOGUE.keys() == ISSUE | {"binary", "empty"}


def test_each_fault_has_one_place_where_it_strikes() -> None:
    """Requests, the opening of a link, the books, or the engine."""
    elsewhere = {"refuse", "error_500", "slow_handshake"}
    places = [*WEBSOCKET_REQUEST_FAULTS, *ENGINE_FAULTS, *elsewhere]
    assert sorted(places) == sorted(CATALOGUE)
    assert set(HTTP_REQUEST_FAULTS) < set(SSE_REQUEST_FAULTS) < set(WEBSOCKET_REQUEST_FAULTS)
    assert set(WEBSOCKET_REQUEST_FAULTS) == _CHANGES.keys()


@pytest.mark.parametrize("name", CATALOGUE)
def test_what_is_told_of_a_fault_is_one_line_and_its_figures_are_those_of_a_fault(name: str) -> None:
    """With defaults that a fault may have."""
    entry = CATALOGUE[name]
    assert entry.does
    assert "\n" not in entry.does
    known = {each.name for each in attrs.fields(Fault)} - {"name", "noise", *TIMES}
    assert entry.figures.keys() <= known
    defaults: dict[str, Any] = {key: value for key, value in entry.figures.items() if value is not None}
    assert Fault(name=name, **defaults)


def test_a_share_of_the_time_needs_a_length() -> None:
    """Else it would be endlessly many holds of no time at all."""
    with pytest.raises(ValueError, match="a share of the time needs seconds"):
        Fault(name="other_user", share=0.3)


def test_holds_of_random_length_need_a_mean() -> None:
    """Else there is nothing to draw from."""
    with pytest.raises(ValueError, match="holds of random length need seconds"):
        Fault(name="other_user", random=True)

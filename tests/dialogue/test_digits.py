"""Keys become one input at #, or when none followed for a while."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.dialogue.digits import DigitBuffer


def typed(keys: str, *, every: float = 0.3) -> list[str]:
    """What a buffer of two seconds makes of keys, one each `every` seconds."""
    buffer = DigitBuffer(within=2.0)
    told = [buffer.press(key, every * number) for number, key in enumerate(keys)]
    told.append(buffer.expire(every * len(keys) + 100))
    return [digits for digits in told if digits is not None]


def test_a_hash_completes_an_input_and_is_no_part_of_it() -> None:
    """Alone it is an input of its own: somebody skips."""
    assert typed("1234#56#") == ["1234", "56"]
    assert typed("#7") == ["#", "7"]


def test_time_completes_an_input() -> None:
    """Counted from the last key, and not before."""
    buffer = DigitBuffer(within=2.0)
    assert buffer.due is None
    assert buffer.press("4", 10.0) is None
    assert buffer.press("2", 11.9) is None
    assert buffer.due == pytest.approx(13.9)
    assert buffer.expire(13.8) is None
    assert buffer.expire(13.9) == "42"
    assert (buffer.due, buffer.expire(99.0)) == (None, None)


def test_a_key_that_comes_too_late_begins_another_input() -> None:
    """Even if nobody asked in between."""
    assert typed("123", every=2.5) == ["1", "2", "3"]


def test_a_stuck_key_does_not_pile_up() -> None:
    """At most 64 keys are one input."""
    assert [len(digits) for digits in typed("9" * 200)] == [64, 64, 64, 8]


@given(st.text("0123456789*ABCD#", max_size=300))
def test_no_key_is_lost(keys: str) -> None:
    """All but the # come out, in order."""
    assert "".join(typed(keys)).replace("#", "") == keys.replace("#", "")

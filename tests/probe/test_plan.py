"""What a probe may ask: texts of the right length, never twice the same, and no more than was said before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Complete, Failed, Sound
from orchestrator.probe.plan import LONGEST, SHORT, Budget, Speed, rtf_of, text_of
from orchestrator.probe.seen import Asked, Seen


@given(st.integers(min_value=SHORT, max_value=LONGEST), st.integers(min_value=0, max_value=200))
def test_a_text_has_its_length_and_ends_a_sentence(characters: int, number: int) -> None:
    """At most a word short; a context speaks it at once."""
    text = text_of(characters, number=number)
    assert characters - 15 <= len(text) <= characters
    assert text.endswith(".")
    assert text == " ".join(text.split())


def test_texts_differ_from_one_to_the_next() -> None:
    """What a provider keeps of one does not speed up the next."""
    assert len({text_of(SHORT, number=number) for number in range(7)}) == 7


@given(st.integers(min_value=1, max_value=20))
def test_a_budget_grows_with_the_search(most_slots: int) -> None:
    """Two rounds of long texts fit."""
    budget = Budget.of(most_slots)
    assert budget.requests >= 2 * (most_slots + 1) + 12
    assert budget.characters >= 2 * LONGEST * (most_slots + 1) + 20 * SHORT
    assert budget.links == 5 * most_slots + 1


def spoken(*, at: float = 0.0, seconds: float = 2.0, pace: float = 0.1, ttfb: float = 0.1) -> Asked:
    """Return a request that was served: 20 ms of sound, and then the rest of so many seconds."""
    asked = Asked(id="a", characters=round(15 * seconds), rate=8000, at=at, heard_at=at)
    asked.take(Sound("a", bytes(320)), now=at + ttfb)
    asked.take(Sound("a", bytes(round(16000 * (seconds - 0.02)))), now=at + ttfb + pace * (seconds - 0.02))
    asked.take(Complete("a"), now=at + ttfb + pace * seconds)
    return asked


def test_speed_is_the_median_of_what_was_seen() -> None:
    """One that stalled does not count."""
    seen = Seen(most_slots=4, alone=[spoken(), spoken(seconds=8.0), spoken(ttfb=2.0, pace=3.0)])
    speed = Speed.of(seen)
    assert (speed.ttfb, speed.rtf, speed.character) == pytest.approx((0.1, 0.1, 1 / 15))
    assert speed.ends(spoken(at=5.0, seconds=10.0)) == pytest.approx(6.1)
    assert rtf_of([]) is None


@given(st.floats(min_value=0.01, max_value=2.0), st.floats(min_value=0.0, max_value=2.0), st.integers(2, 21))
def test_a_text_that_holds_is_no_longer_than_allowed(ttfb: float, rtf: float, slots: int) -> None:
    """And where it can, it goes on for as long as so many more take to be asked."""
    speed = Speed(ttfb=ttfb, rtf=rtf, character=1 / 15)
    characters = speed.characters_that_hold(slots)
    assert characters <= LONGEST
    assert characters == LONGEST or rtf * characters / 15 >= slots * ttfb + 2.5


def test_a_failure_after_the_end_is_no_failure_of_the_request() -> None:
    """Such as a time-out of the WebSocket, told later."""
    asked = spoken()
    asked.take(Failed("", ProviderFault(FaultKind.RETRY, "timed out")), now=70.0)
    assert (asked.over, asked.fault, asked.served) == (True, None, True)

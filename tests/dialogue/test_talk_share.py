"""Claims about the talk share: the bots' part of the cycle as it is talked, whatever callers must wait beside it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.dialogue.talk_share import USUAL, TalkShare
from orchestrator.events import CallState, CallStateChanged


def talk(learned: TalkShare, *, spoken: float, listened: float, waited: float = 0.0, seconds: float = 36_000) -> None:
    """A call goes round and round for so long."""
    handle = learned.handlers()[CallStateChanged]
    now = 0.0
    while now < seconds:
        for state, lasts in (
            (CallState.LISTENING, listened),
            (CallState.WAITING, waited),
            (CallState.SPEAKING, spoken),
        ):
            handle(CallStateChanged(at=now, call="a", state=state))
            now += lasts
    handle(CallStateChanged(at=now, call="a", state=CallState.ENDED))


def test_until_it_is_learned_it_is_the_usual_one() -> None:
    """The reference workload's."""
    assert TalkShare().share == USUAL


@given(st.floats(1, 20), st.floats(1, 20), st.floats(0, 20))
def test_it_is_learned_whatever_callers_wait(spoken: float, listened: float, waited: float) -> None:
    """Speech by speech and listening: were waits in the cycle, a crowd would make room for more."""
    learned = TalkShare()
    talk(learned, spoken=spoken, listened=listened, waited=waited, seconds=36_000 + 3_000 * waited)
    assert learned.share == pytest.approx(max(0.1, spoken / (spoken + listened)), rel=0.03)


def test_a_short_call_changes_little() -> None:
    """A minute of talk beside five minutes that are assumed."""
    learned = TalkShare()
    talk(learned, spoken=2, listened=18, seconds=60)
    assert USUAL - 0.1 < learned.share < USUAL


def test_what_is_far_back_fades() -> None:
    """After some hours of another kind of call the first kind is forgotten."""
    learned = TalkShare()
    talk(learned, spoken=9, listened=1)
    talk(learned, spoken=3, listened=7)
    assert learned.share == pytest.approx(0.3, abs=0.02)

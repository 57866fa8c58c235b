"""When there is a crowd, and what counts in it."""

from __future__ import annotations

from orchestrator.ports import Ask
from orchestrator.slot.crowd import Crowd


def grant(crowd: Crowd, call: str, *, late: float, first: bool, alone: bool = True) -> None:
    """Tell of a ticket that was granted."""
    ask = Ask(call=call, reply=1, first=first, need_in=0.0)
    crowd.granted(ask, late=late, alone=alone)


def test_a_crowd_is_there_while_first_pieces_are_late_on_the_average() -> None:
    """It needs more than one late piece to come, and goes with those that are early.

    Later pieces say nothing, nor do those that waited for other programs.
    """
    crowd = Crowd()
    assert not crowd.is_there
    grant(crowd, "a", late=3.0, first=True)
    for _ in range(100):
        grant(crowd, "a", late=5.0, first=False)
        grant(crowd, "a", late=5.0, first=True, alone=False)
    assert not crowd.is_there
    for _ in range(40):
        grant(crowd, "a", late=1.0, first=True)
    assert crowd.is_there
    for _ in range(60):
        grant(crowd, "a", late=-0.4, first=True)
    assert not crowd.is_there


def test_a_crowd_stays_until_first_pieces_are_early_by_some_margin() -> None:
    """What is done about it makes them a little early: that does not end it, and alone begins none."""
    crowd = Crowd()
    for _ in range(90):
        grant(crowd, "a", late=-0.2, first=True)
    assert not crowd.is_there
    for _ in range(40):
        grant(crowd, "a", late=1.0, first=True)
    for _ in range(200):
        grant(crowd, "a", late=-0.2, first=True)
    assert crowd.is_there


def test_in_a_crowd_all_silence_of_a_reply_counts() -> None:
    """From its first piece on; the next reply begins anew, and without a crowd nothing does."""
    crowd = Crowd()
    for _ in range(40):
        grant(crowd, "other", late=1.0, first=True)
    grant(crowd, "a", late=2.0, first=True)
    grant(crowd, "a", late=-1.0, first=False)
    grant(crowd, "a", late=0.5, first=False)
    assert crowd.behind("a") == 2.5
    grant(crowd, "a", late=0.25, first=True)
    assert crowd.behind("a") == 0.25
    crowd.forget("a")
    assert crowd.behind("a") == 0
    for _ in range(90):
        grant(crowd, "other", late=-1.0, first=True)
    assert crowd.behind("other") == 0

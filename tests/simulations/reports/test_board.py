"""The board says how each call stands now, and two pictures are equal when they look the same."""

from __future__ import annotations

from orchestrator import events as e
from orchestrator.events import CallState, Event
from simulations.reports.board import Board, Picture
from tests.simulations.moments import began, freed, granted, over, state


def picture(*events: Event, at: float = 10.0) -> Picture:
    """Return how things stand after these events."""
    board = Board()
    for event in events:
        board.add(event)
    return board.picture(at, seconds=60.0, slots=1)


def test_a_call_as_it_stands() -> None:
    """Its state, its waits, its words, its interruptions, and whether it holds the slot."""
    found = picture(
        began(0.0), state(1.0, CallState.SPEAKING), granted(1.0, wait=0.25), freed(2.0, held=1.0),
        over(3.0, heard=5, cut=2), e.BargedIn(at=3.0, call="1", reply=1), granted(6.0, ticket=2, wait=0.125, reply=2),
        e.LinkOpened(at=0.0, link=1, after=0.1), e.LinkOpened(at=0.0, link=2, after=0.1),
        e.LinkClosed(at=1.0, link=1, reason="idle"),
    )  # fmt: skip
    (row,) = found.rows
    assert (row.state, row.holds_slot) == (CallState.SPEAKING, True)
    assert (row.last_wait, row.p95_wait) == (0.125, 0.25)
    assert (row.words_heard, row.barge_ins) == (5, 1)
    assert (found.left, found.used, found.links) == (50, 50, 1)


def test_later_pieces_are_no_waits() -> None:
    """Only a first piece's wait is the caller's."""
    assert picture(began(0.0), granted(1.0, first=False)).rows[0].last_wait is None


def test_a_call_that_ended_stays() -> None:
    """Its row says so."""
    ended = e.CallEnded(at=2.0, call="1", reason="caller", seconds=2.0)
    assert picture(began(0.0), ended).rows[0].state is CallState.ENDED


def test_pictures_of_one_second_are_equal() -> None:
    """Within a second in which nothing happens there is nothing to draw anew."""
    assert picture(began(0.0), at=10.0) == picture(began(0.0), at=10.25)
    assert picture(began(0.0), at=10.0) != picture(began(0.0), at=11.0)


def test_before_anything_happened() -> None:
    """No calls, nothing used; a run without an end has no time left to tell."""
    assert Board().picture(0.0, seconds=None, slots=1) == Picture(left=None, used=0, links=0, rows=())

"""The board says how each call stands now, and two pictures are equal when they look the same."""

from __future__ import annotations

import pytest

from orchestrator import events as e
from orchestrator.events import CallState, Event
from simulations.reports.board import Board, Picture
from tests.simulations.moments import (
    began,
    first_audio,
    freed,
    gapped,
    granted,
    local_voice,
    over,
    rung,
    state,
)


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


@pytest.mark.parametrize(
    ("events", "stands_on"),
    [
        ((rung(1.0, "filler"),), "filler"),
        ((rung(1.0, "filler"), first_audio(2.0)), ""),
        ((first_audio(1.0), rung(2.0, "noise"), gapped(5.0, 3.0)), ""),
        ((rung(1.0, "brief"), first_audio(2.0)), "brief"),
        ((rung(1.0, "local_voice"), first_audio(2.0)), "local_voice"),
        ((local_voice(1.0, 2.0),), "local_voice"),
        ((local_voice(1.0, 2.0), e.PieceAudio(at=2.0, call="1", reply=1, piece=2, after=0.1)), ""),
        ((rung(1.0, "apology"), over(3.0, heard=1)), ""),
    ],
)
def test_the_rung_a_call_stands_on(events: tuple[Event, ...], stands_on: str) -> None:
    """A filler and the noise end with the silence, the local voice when the provider speaks, all with the reply."""
    assert picture(began(0.0), *events).rows[0].rung == stands_on


def test_a_call_that_waits_for_a_place() -> None:
    """It does until it does something else; what it waits for then is the slot."""
    queued = [began(0.0), e.CallQueued(at=0.0, call="1", waiting=1), state(0.0, CallState.WAITING)]
    taken = [state(5.0, CallState.LISTENING), state(6.0, CallState.WAITING)]
    assert [picture(*events).rows[0].queued for events in (queued, [*queued, *taken])] == [True, False]


def test_the_providers_standing_and_the_calls_without_a_place() -> None:
    """A call that was refused has no row; the provider is up unless it is said otherwise."""
    assert (picture().standing, picture().refused) == ("up", 0)
    found = picture(
        began(0.0), e.CallRefused(at=0.0, call="1", reason="full", calls=4, places=4),
        e.CallEnded(at=1.0, call="1", reason="refused", seconds=1.0),
        e.CallRefused(at=2.0, call="2", reason="full", calls=4, places=4), e.StandingChanged(at=3.0, standing="out"),
    )  # fmt: skip
    assert (found.rows, found.refused, found.ended, found.standing) == ((), 2, 0, "out")

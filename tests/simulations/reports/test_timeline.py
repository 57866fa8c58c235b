"""A timeline's spans say who did what from when to when, and no slot is in two hands."""

from __future__ import annotations

import itertools

from orchestrator.events import CallQueued, CallState
from simulations.reports.timeline import Doing, Span, timeline
from tests.simulations.moments import (
    began,
    freed,
    granted,
    joined,
    left,
    local_voice,
    over,
    rung_words,
    state,
    turn_over,
)
from tests.simulations.stories import tell


def test_a_turn_in_spans() -> None:
    """The caller, then the states of the call; the queue and the slot beside them; what is open ends with the run."""
    found = timeline(
        [began(0.0), turn_over(2.0, spoke=1.5), state(2.0, CallState.THINKING), joined(3.0),
         state(3.0, CallState.WAITING), granted(3.5), state(3.6, CallState.SPEAKING), freed(4.0, held=0.5),
         joined(4.5, ticket=2), left(5.0, ticket=2), joined(5.5, ticket=3), state(6.0, CallState.SPEAKING)]
    )  # fmt: skip
    assert sorted(found.spans, key=lambda span: (span.start, span.doing.value)) == [
        Span("1", Doing.CALLER, 0.5, 2.0),
        Span("1", Doing.THINKING, 2.0, 3.0),
        Span("1", Doing.QUEUED, 3.0, 3.5),
        Span("1", Doing.WAITING, 3.0, 3.6),
        Span("1", Doing.SLOT, 3.5, 4.0),
        Span("1", Doing.SPEAKING, 3.6, 6.0),
        Span("1", Doing.QUEUED, 4.5, 5.0),
        Span("1", Doing.QUEUED, 5.5, 6.0),
    ]
    assert (found.calls, found.lanes, found.end) == (["1"], 1, 6.0)


def test_each_slot_has_its_lane() -> None:
    """Two slots held at one time lie in two lanes, and a free lane is used again."""
    found = timeline(
        [granted(0.0, ticket=1), granted(1.0, ticket=2), freed(2.0, ticket=1, held=2.0), granted(3.0, ticket=3),
         freed(4.0, ticket=2, held=3.0), freed(5.0, ticket=3, held=2.0)]
    )  # fmt: skip
    assert [(span.start, span.lane) for span in found.spans] == [(0.0, 0), (1.0, 1), (3.0, 0)]
    assert found.lanes == 2


def test_in_a_whole_run_nobody_is_in_two_states() -> None:
    """A call's states follow one another, and so do the pieces in a slot."""
    spans = timeline(tell(seed=3).events).spans
    states = (Doing.THINKING, Doing.WAITING, Doing.SPEAKING, Doing.HELD)
    rows = [[span for span in spans if span.call == call and span.doing in states] for call in "1234"]
    rows.append([span for span in spans if span.doing is Doing.SLOT])
    for row in rows:
        assert row
        ordered = sorted(row, key=lambda span: span.start)
        assert all(before.end <= after.start + 1e-9 for before, after in itertools.pairwise(ordered))


def test_a_place_is_waited_for_before_the_slot() -> None:
    """The same state of the call, until it is taken."""
    found = timeline(
        [began(0.0), CallQueued(at=0.0, call="1", waiting=1), state(0.0, CallState.WAITING),
         state(5.0, CallState.LISTENING), state(7.0, CallState.WAITING), state(8.0, CallState.SPEAKING)]
    )  # fmt: skip
    assert found.spans == [Span("1", Doing.PLACE, 0.0, 5.0), Span("1", Doing.WAITING, 7.0, 8.0)]


def test_other_voices_are_where_they_sounded() -> None:
    """A filler where it began; pieces of the local voice one after the other, though all were told of at once."""
    found = timeline(
        [began(0.0), rung_words(1.0, 0.5), local_voice(1.25, 2.0), local_voice(1.25, 1.0), over(9.0, heard=9)]
    )
    assert found.spans == [
        Span("1", Doing.FILLER, 1.0, 1.5),
        Span("1", Doing.LOCAL, 1.5, 3.5),
        Span("1", Doing.LOCAL, 3.5, 4.5),
    ]


def test_other_voices_end_with_their_reply() -> None:
    """A cut ends them, and so does the run."""
    cut = timeline([began(0.0), rung_words(1.0, 2.0), over(1.5, cut=4), local_voice(3.0, 9.0, reply=2), turn_over(4.0)])
    voices = [span for span in cut.spans if span.doing is not Doing.CALLER]
    assert voices == [Span("1", Doing.FILLER, 1.0, 1.5), Span("1", Doing.LOCAL, 3.0, 4.0)]

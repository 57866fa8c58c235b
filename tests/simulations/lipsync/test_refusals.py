"""Which refusals a program could have spared itself."""

from __future__ import annotations

import attrs

from simulations.lipsync.refusals import Look, Refused, Span, Told, needless

ALONE = Told(limit=2, ours=(Span(0.0, 50.0),), others=(Span(10.0, 90.0),), looks=(), births=(0.0,))
REFUSED = Refused(sent=30.0, read=30.1)


def test_nobody_knows_of_others_before_the_list_was_heard() -> None:
    """A list from before they came, or one that is still under way, says nothing of them."""
    assert needless([REFUSED], ALONE) == []
    assert needless([REFUSED], attrs.evolve(ALONE, looks=(Look(9.0, 9.1), Look(29.0, 31.0)))) == []


def test_who_has_heard_the_list_needs_no_refusal() -> None:
    """Others are there since 10 s, and a list of 20 s has said so."""
    assert needless([REFUSED], attrs.evolve(ALONE, looks=(Look(20.0, 20.1),))) == [REFUSED]


def test_a_new_life_knows_nothing() -> None:
    """What was heard in an earlier one is forgotten."""
    assert needless([REFUSED], attrs.evolve(ALONE, looks=(Look(20.0, 20.1),), births=(0.0, 25.0))) == []


def test_the_others_may_have_come_since() -> None:
    """A second one took the place that the list had shown as free."""
    others = (Span(10.0, 90.0), Span(25.0, 90.0))
    assert needless([REFUSED], attrs.evolve(ALONE, limit=3, others=others, looks=(Look(20.0, 20.1),))) == []


def test_what_is_refused_while_there_is_room_is_a_fault_of_the_service() -> None:
    """No program could know of it."""
    later = Refused(sent=60.0, read=60.1)
    assert needless([later], attrs.evolve(ALONE, looks=(Look(20.0, 20.1),))) == []

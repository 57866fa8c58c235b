"""How long a piece may hold the slot: never so long that another is late, never so short that all fall behind."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.slot import outlook as rules
from orchestrator.slot.outlook import Outlook, Turnaround
from orchestrator.slot.pace import Pace

NOW = 1000.0
FAST, SLOW = Pace(0.1, 0.1, 1 / 15, 9), Pace(0.2, 0.3, 1 / 15, 9)
Waiting = tuple[float, bool, str]

paces = st.builds(Pace, ttfb=st.floats(0.01, 1), rtf=st.floats(0.01, 1.2), pieces=st.just(9))
needs = st.floats(NOW - 5, NOW + 30)
calls = st.sampled_from("abcdefgh")


@st.composite
def outlooks(draw: st.DrawFn) -> Outlook:
    """An outlook before `NOW`, with some use of the slots and calls that will ask."""
    outlook = Outlook(pace=draw(paces), slots=draw(st.integers(1, 4)), patience=draw(st.floats(0, 2)))
    for second in range(round(NOW) - draw(st.integers(0, 700)), round(NOW)):
        outlook.used(draw(st.just(0.0) | st.floats(0, outlook.slots)) if second % 60 == 0 else 0.0, float(second))
    for call in draw(st.sets(st.sampled_from("stuv"))):
        outlook.expect(call, NOW - draw(st.floats(0, 5)), need_in=draw(st.none() | st.floats(0, 30)))
    return outlook


@st.composite
def queues(draw: st.DrawFn, *, firsts: bool = True) -> list[Waiting]:
    """Tickets in the order of their need, as the queue yields them, of calls that the outlook has not heard from."""
    kinds = st.booleans() if firsts else st.just(False)
    return sorted(draw(st.lists(st.tuples(needs, kinds, calls), max_size=8)))


def room(outlook: Outlook, waiting: list[Waiting], *, call: str = "me", first: bool = False, now: float = NOW) -> float:
    """Ask for the room of a piece of `call`, all who wait being known to the outlook as having asked."""
    for _, _, other in waiting:
        outlook.asked(other)
    outlook.asked(call)
    return outlook.room(call, first=first, now=now, waiting=waiting)


def least(outlook: Outlook, *, first: bool = False) -> float:
    """The room where another is late already."""
    return outlook.room("me", first=first, now=NOW, waiting=[(NOW - 99, False, "late")])


def clause(outlook: Outlook) -> float:
    """Seconds of all slots that the least another will ask for takes."""
    return (outlook.pace.ttfb + outlook.pace.rtf * rules._CLAUSE) / outlook.slots


# --- how long ---


@given(outlooks(), queues(), st.booleans())
def test_a_round_of_all_calls_keeps_up(outlook: Outlook, waiting: list[Waiting], first: bool) -> None:
    """Whoever is late: if each took so long, all together need no more time than a piece sounds. Or pieces are as long
    as the keeping up goes, for there are too many calls."""
    seconds = room(outlook, waiting, first=first)
    if seconds < rules._KEEPING_UP:
        assert len(outlook._active) * seconds / outlook.slots <= outlook.pace.audio_within(seconds) + 1e-9
    assert seconds >= least(outlook, first=first)
    assert least(outlook) <= rules._KEEPING_UP


@given(outlooks(), queues(), st.booleans())
def test_nobody_is_made_late(outlook: Outlook, waiting: list[Waiting], first: bool) -> None:
    """A piece ends before any that waits has to be granted, each before it taking a clause, and with some of a first
    piece's patience left; unless all fell behind."""
    seconds = room(outlook, waiting, first=first)
    assume(seconds > least(outlook, first=first))
    spare = outlook.patience_at(NOW) * (1 - rules._PATIENCE_KEPT_FREE)
    for before, (need_by, is_first, _) in enumerate(waiting):
        assert NOW + seconds <= need_by - spare * is_first - before * clause(outlook) + 1e-9


@given(outlooks(), queues(firsts=False))
def test_the_room_is_the_smallest_slack(outlook: Outlook, waiting: list[Waiting]) -> None:
    """Exactly: no shorter than it must be, among later pieces, with calls that are expected."""
    expected = [prospect for prospect in "stuv" if outlook.will_need(prospect)]
    assume(len(expected) == len(outlook._active))  # nobody whose caller has fallen silent
    seconds = room(outlook, waiting, first=True)
    due = sorted([need_by for need_by, _, _ in waiting] + [outlook._prospects[call].need_by for call in expected])
    slacks = [need_by - NOW - number * clause(outlook) for number, need_by in enumerate(due)]
    assert seconds == pytest.approx(max(min(slacks, default=math.inf), least(outlook, first=True)), abs=1e-9)


@given(outlooks(), queues(), st.tuples(needs, st.booleans(), calls))
def test_one_more_who_waits_never_gives_more_room(outlook: Outlook, waiting: list[Waiting], more: Waiting) -> None:
    """Beyond what keeping up asks for, of which one more call asks for more."""
    for first in (True, False):
        before = room(outlook, waiting, first=first)
        after = room(outlook, sorted([*waiting, more]), first=first)
        assert after <= max(before, least(outlook, first=first))


@given(outlooks(), queues())
def test_a_later_piece_is_never_long(outlook: Outlook, waiting: list[Waiting]) -> None:
    """For the sake of calls nobody knows of yet, as a first one may be; longer where all is calm."""
    later, first = room(outlook, waiting), room(outlook, waiting, first=True)
    cap = rules._LONG_IN_CALM if outlook.leisure(NOW) > 0 else rules._LONG
    assert later == min(first, max(cap, least(outlook)))


def test_a_call_alone_has_all_the_room() -> None:
    """What it waits for itself, and what it will need, is nothing to hurry for."""
    outlook = Outlook(pace=FAST, slots=1, patience=0.2)
    outlook.expect("me", NOW)
    assert outlook.room("me", first=True, now=NOW, waiting=[(NOW, True, "me")]) == math.inf
    outlook.expect("me", NOW, need_in=1.0)
    assert outlook.room("me", first=True, now=NOW, waiting=[]) == math.inf


# --- who will ask ---


def test_a_caller_who_has_fallen_silent_counts() -> None:
    """From then on there is no more room than until its answer may be late; that time passes, but never all of it."""
    outlook = Outlook(pace=FAST, slots=1, patience=0.2)
    outlook.expect("caller", NOW)
    rooms = [room(outlook, [], first=True, now=NOW + after) for after in (0.0, 0.5, 1.0, 9.0)]
    kept_free = outlook.patience_at(NOW) * rules._PATIENCE_KEPT_FREE
    assert rooms[0] == pytest.approx(outlook.turnaround.early + kept_free)
    assert rooms[1:] == pytest.approx([rooms[0] - 0.5, kept_free, kept_free])
    assert min(rooms) > least(outlook)


def test_a_reply_that_goes_on_counts() -> None:
    """Its next piece has to be asked for a first audio's time before its sound ends."""
    outlook = Outlook(pace=SLOW, slots=1, patience=0.2)
    outlook.expect("talker", NOW, need_in=3.0)
    assert outlook.will_need("talker")
    assert room(outlook, [], first=True) == pytest.approx(3.0 - SLOW.ttfb)
    assert room(outlook, [], first=True, now=NOW + 1) == pytest.approx(2.0 - SLOW.ttfb)


Word = tuple[str, str, float | None]
words = st.lists(
    st.tuples(st.sampled_from(["expect", "asked", "unexpect"]), calls, st.none() | st.floats(0, 20)), max_size=30
)


def say(outlook: Outlook, word: Word, now: float) -> None:
    """Tell one thing."""
    kind, call, need_in = word
    if kind == "expect":
        outlook.expect(call, now, need_in=need_in)
    else:
        getattr(outlook, kind)(call)


@given(words, paces, queues())
def test_only_what_each_call_said_last_counts(said: list[Word], pace: Pace, waiting: list[Waiting]) -> None:
    """Nothing is left of earlier words, and nothing at all of a call that asks for no more."""
    outlook, fresh = (Outlook(pace=pace, slots=1, patience=0.2) for _ in range(2))
    last = {call: index for index, (_, call, _) in enumerate(said)}
    for index, word in enumerate(said):
        now = NOW - len(said) + index
        say(outlook, word, now)
        if last[word[1]] == index and word[0] != "unexpect":
            say(fresh, word, now)
    for first in (True, False):
        assert outlook.room("me", first=first, now=NOW, waiting=waiting) == fresh.room(
            "me", first=first, now=NOW, waiting=waiting
        )
    assert all(outlook.will_need(call) == fresh.will_need(call) for call in "abcdefgh")
    for call in "abcdefgh":
        outlook.unexpect(call)
    assert not outlook._prospects
    assert not outlook._in_order
    assert not outlook._active


def test_will_need_is_the_middle_of_a_reply() -> None:
    """Not before it, not while it waits for the slot, not after its last piece."""
    outlook = Outlook(pace=FAST, slots=1, patience=0.2)
    steps: list[tuple[str, dict[str, Any]]] = [
        ("expect", {"now": NOW}),
        ("asked", {"ready_at": NOW + 1}),
        ("expect", {"now": NOW + 1, "need_in": 2.0}),
        ("asked", {}),
        ("expect", {"now": NOW + 2, "need_in": 2.0}),
        ("unexpect", {}),
    ]
    seen = [outlook.will_need("a")]
    for name, arguments in steps:
        getattr(outlook, name)("a", **arguments)
        seen.append(outlook.will_need("a"))
    assert seen == [False, False, False, True, False, True, False]


@given(st.lists(st.floats(0, 10), min_size=1, max_size=50))
def test_how_soon_bots_answer_is_learned(delays: list[float]) -> None:
    """From a caller's silence to the first text; what is expected is early, but no later than usual."""
    outlook = Outlook(pace=FAST, slots=1, patience=0.2)
    for number, delay in enumerate(delays):
        outlook.expect("a", float(number))
        outlook.asked("a", ready_at=number + delay)
    learned = outlook.turnaround
    assert min([*delays, Turnaround().mean]) - 1e-9 <= learned.mean <= max([*delays, Turnaround().mean]) + 1e-9
    assert 0 <= learned.early <= learned.mean
    assert learned.variance >= 0


def test_steady_answers_are_expected_on_time() -> None:
    """After two hundred answers that took 2 s each, so soon; one reply more, or an older one, teaches nothing."""
    outlook = Outlook(pace=FAST, slots=1, patience=0.2)
    for _ in range(200):
        outlook.expect("a", NOW)
        outlook.asked("a", ready_at=NOW + 2.0)
    assert outlook.turnaround.early == pytest.approx(2.0, abs=0.01)
    before = outlook.turnaround.mean
    outlook.asked("a", ready_at=NOW + 90)
    outlook.expect("a", NOW, need_in=1.0)
    outlook.asked("a")
    outlook.expect("a", NOW)
    outlook.asked("a", ready_at=NOW - 5)
    assert outlook.turnaround.mean == before


# --- patience and calm ---


@given(outlooks(), st.floats(0.01, 1), st.floats(0, 3600))
def test_patience_follows_the_pace_between_its_limits(outlook: Outlook, slower: float, later: float) -> None:
    """Never less than the setting; with a slower provider no less; longer in a crowd, which passes."""
    setting, now = outlook.patience, NOW + later
    patience = outlook.patience_at(now)
    assert setting <= patience <= max(setting, rules._LONGEST_PATIENCE) + rules._CROWDED_PATIENCE
    assert outlook.patience_at(now + 7200) <= patience
    outlook.pace.ttfb += slower
    assert outlook.patience_at(now) >= patience


def test_a_crowd_makes_patient() -> None:
    """Ten minutes of nearly full slots, not one."""
    outlook = Outlook(pace=FAST, slots=1, patience=0.2)
    calm = outlook.patience_at(0.0)
    for second in range(60):
        outlook.used(0.95, float(second))
    assert outlook.patience_at(60.0) == calm
    for second in range(60, 1800):
        outlook.used(0.95, float(second))
    assert outlook.patience_at(1800.0) == pytest.approx(calm + rules._CROWDED_PATIENCE)


@given(outlooks(), st.integers(0, 60))
def test_leisure_is_for_calm_only(outlook: Outlook, others: int) -> None:
    """Slots that are mostly idle, and so few calls that the shortest pieces keep up; more calls never give more."""
    before = outlook.leisure(NOW)
    for number in range(others):
        outlook.asked(f"other {number}")
    share = outlook._lately.at(NOW)
    assert 0 <= outlook.leisure(NOW) <= min(before, rules._LEISURE)
    if share >= rules._CALM or len(outlook._active) * outlook.pace.ttfb >= rules._CALM * outlook.slots:
        assert outlook.leisure(NOW) == 0


def test_leisure_comes_with_quiet_and_goes_with_use() -> None:
    """Nothing is known at the start; after a quiet minute there is time, with a busy one none."""
    outlook = Outlook(pace=FAST, slots=1, patience=0.2)
    assert outlook.leisure(0.0) == 0
    assert outlook.leisure(60.0) == rules._LEISURE
    for second in range(60, 120):
        outlook.used(0.9, float(second))
    assert outlook.leisure(120.0) == 0


# --- cost ---


def counted(tickets: list[Waiting], looked_at: list[Waiting]) -> Iterator[Waiting]:
    """Yield the tickets, and note each that was asked for."""
    for ticket in tickets:
        looked_at.append(ticket)
        yield ticket


@pytest.mark.parametrize("expected", [0, 10_000])
@pytest.mark.parametrize("ahead", [-1.0, 0.0, 1.0, 6.0])
def test_ten_thousand_who_wait_cost_no_more_than_a_few(ahead: float, expected: int) -> None:
    """It looks no further than the first one that would be late if each before it took a clause."""
    outlook = Outlook(pace=FAST, slots=1, patience=0.2)
    waiting = [(NOW + ahead + number / 1e6, number % 3 == 0, f"call {number}") for number in range(10_000)]
    for number in range(expected):
        outlook.expect(f"expected {number}", NOW, need_in=ahead + number / 1e6)
    looked_at: list[Waiting] = []
    seconds = outlook.room("me", first=True, now=NOW, waiting=counted(waiting, looked_at))
    assert seconds == least(outlook)
    assert len(looked_at) <= max(0.0, ahead) / clause(outlook) + 2

"""How long a piece may hold the slot: never so long that another is late, never so short that all fall behind."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.slot import outlook as rules
from orchestrator.slot.outlook import Outlook, Turnaround, Waiting
from orchestrator.slot.pace import Pace
from tests.slot.outlooks import FAST, NOW, calls, least, needs, needs_of, outlooks, paces, queues, room, share

# --- how long ---


@given(outlooks(), queues(), st.booleans())
def test_a_round_of_all_calls_keeps_up(outlook: Outlook, waiting: list[Waiting], first: bool) -> None:
    """Whoever is late: if each took so long, all together need no more time than a piece sounds. Or pieces are as long
    as the keeping up goes, for there are too many calls."""
    seconds = room(outlook, waiting, first=first)
    if seconds < rules._KEEPING_UP:
        assert len(outlook._active) * seconds / outlook.slots <= outlook.pace.audio_within(seconds) + 1e-9
    assert seconds >= least(outlook)
    assert least(outlook) <= rules._KEEPING_UP


@given(outlooks(), queues(), st.integers(0, 3))
def test_a_piece_may_be_as_long_as_makes_nobody_late(outlook: Outlook, waiting: list[Waiting], free: int) -> None:
    """Exactly: till the first who would be, each before it taking its share, but those for whom there is a slot beside
    this one; if calls have not asked that should have by now, it may be less."""
    seconds = room(outlook, waiting, first=True, free=free)
    slacks = [need - NOW - number * share(outlook) for number, need in enumerate(needs_of(outlook, waiting)[free:])]
    most = max(min(slacks, default=math.inf), least(outlook))
    assert seconds <= most + 1e-9
    if all(prospect.due > NOW or prospect.silent_since is not None for prospect in outlook._prospects.values()):
        assert seconds == pytest.approx(most, abs=1e-9)


@given(outlooks(), queues(), st.tuples(needs, st.booleans(), calls), st.integers(0, 3), st.booleans())
def test_one_more_who_waits_never_gives_more_room(  # hypothesis' signature
    outlook: Outlook, waiting: list[Waiting], more: Waiting, free: int, first: bool
) -> None:
    """Beyond what keeping up asks for, of which one more call asks for more, and the patience of a crowd."""
    before, patience = room(outlook, waiting, first=first, free=free), outlook.patience_now()
    after = room(outlook, sorted([*waiting, more]), first=first, free=free)
    assert after <= max(before + outlook.patience_now() - patience, least(outlook)) + 1e-9
    assert after <= room(outlook, sorted([*waiting, more]), first=first, free=free + 1)


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
    assert outlook.room("me", first=True, now=NOW, free=0, waiting=[(NOW, True, "me")]) == math.inf
    outlook.expect("me", NOW, need_in=1.0)
    assert outlook.room("me", first=True, now=NOW, free=0, waiting=[]) == math.inf


def test_calls_that_only_listen_are_reckoned_with_a_little() -> None:
    """Any of them may ask next; one that is over may not."""
    outlook, leasts = Outlook(pace=FAST, slots=1, patience=0.2), list[float]()
    for number in range(6):
        outlook.asked(f"call {number}")
    leasts.append(least(outlook))
    for number in range(5):
        outlook.unexpect(f"call {number}")
    leasts.append(least(outlook))
    for number in range(5):
        outlook.forget(f"call {number}")
    leasts.append(least(outlook))
    assert leasts == sorted(leasts, reverse=True)
    assert leasts[2] == pytest.approx(FAST.ttfb + FAST.rtf * FAST.ttfb / (1 - FAST.rtf))


# --- who will ask ---


def test_a_caller_who_has_fallen_silent_counts() -> None:
    """From then on there is no more room than until its answer may be late; that time passes, but never all of it."""
    outlook = Outlook(pace=FAST, slots=1, patience=0.2)
    outlook.expect("caller", NOW)
    rooms = [room(outlook, [], first=True, now=NOW + after) for after in (0.0, 0.5, 1.0, 9.0)]
    kept_free = outlook.patience_now() * rules._PATIENCE_KEPT_FREE
    assert rooms[0] == pytest.approx(outlook.turnaround.early + kept_free)
    assert rooms[1:] == pytest.approx([rooms[0] - 0.5, kept_free, kept_free])
    assert min(rooms) > least(outlook)


def test_a_reply_that_goes_on_counts() -> None:
    """Its next piece has to be asked for a first audio's time before its sound ends. If it is not asked for by then, as
    its text has not come, it is waited for as if it came anew."""
    outlook = Outlook(pace=FAST, slots=1, patience=0.2)
    outlook.expect("talker", NOW, need_in=3.0)
    assert outlook.will_need("talker")
    assert room(outlook, [], first=True) == pytest.approx(3.0 - FAST.ttfb)
    assert room(outlook, [], first=True, now=NOW + 1) == pytest.approx(2.0 - FAST.ttfb)
    kept_free = outlook.patience_now() * rules._PATIENCE_KEPT_FREE
    assert room(outlook, [], first=True, now=NOW + 30) == pytest.approx(kept_free)


Word = tuple[str, str, float | None]
words = st.lists(
    st.tuples(st.sampled_from(["expect", "asked", "unexpect", "forget"]), calls, st.none() | st.floats(0, 20)),
    max_size=30,
)


def say(outlook: Outlook, word: Word, now: float) -> None:
    """Tell one thing."""
    kind, call, need_in = word
    if kind == "expect":
        outlook.expect(call, now, need_in=need_in)
    else:
        getattr(outlook, kind)(call)


@given(words, paces, queues(), st.booleans())
def test_only_what_each_call_said_last_counts(
    said: list[Word], pace: Pace, waiting: list[Waiting], first: bool
) -> None:
    """Nothing is left of earlier words, and nothing at all of a call that is over."""
    outlook, fresh = (Outlook(pace=pace, slots=1, patience=0.2) for _ in range(2))
    last = {call: index for index, (_, call, _) in enumerate(said)}
    for index, (kind, call, need_in) in enumerate(said):
        known = call in outlook._calls
        say(outlook, (kind, call, need_in), NOW - len(said) + index)
        if last[call] == index and kind == "unexpect" and known:
            fresh.asked(call)
        if last[call] == index:
            say(fresh, (kind, call, need_in), NOW - len(said) + index)
    rooms = [each.room("me", first=first, now=NOW, free=0, waiting=waiting) for each in (outlook, fresh)]
    assert rooms[0] == rooms[1]
    assert all(outlook.will_need(call) == fresh.will_need(call) for call in "abcdefgh")
    for call in "abcdefgh":
        outlook.forget(call)
    assert not any((outlook._prospects, outlook._calls, outlook._active))


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


@given(outlooks(), st.floats(0.01, 1), st.integers(0, 60))
def test_patience_follows_the_pace_between_its_limits(outlook: Outlook, slower: float, others: int) -> None:
    """Never less than the setting; with a slower provider, or more calls, no less."""
    setting, patience = outlook.patience, outlook.patience_now()
    assert setting <= patience <= max(setting, rules._LONGEST_PATIENCE) + rules._CROWDED_PATIENCE
    for number in range(others):
        outlook.asked(f"other {number}")
    crowded = outlook.patience_now()
    outlook.pace.ttfb += slower
    assert patience <= crowded <= outlook.patience_now()


def test_a_crowd_makes_patient() -> None:
    """As long as it is there: when pieces have to be long for all to keep up."""
    outlook = Outlook(pace=FAST, slots=1, patience=0.2)
    calm = outlook.patience_now()
    assert calm == pytest.approx(0.2 + rules._CLAUSES_OF_PATIENCE * 0.23)
    for number in range(9):
        outlook.asked(f"call {number}")
    assert outlook.patience_now() == calm + rules._CROWDED_PATIENCE
    for number in range(9):
        outlook.unexpect(f"call {number}")
    assert outlook.patience_now() == calm


@given(outlooks(), st.integers(0, 60))
def test_leisure_is_for_calm_only(outlook: Outlook, others: int) -> None:
    """Slots that are mostly idle, and so few calls that the shortest pieces keep up; more calls never give more."""
    before = outlook.leisure(NOW)
    for number in range(others):
        outlook.asked(f"other {number}")
    used = outlook._lately.at(NOW)
    assert 0 <= outlook.leisure(NOW) <= min(before, rules._LEISURE)
    if used >= rules._CALM or len(outlook._active) * outlook.pace.ttfb >= rules._CALM * outlook.slots:
        assert outlook.leisure(NOW) == 0


def test_leisure_comes_with_quiet_and_goes_with_use() -> None:
    """Nothing is known at the start; after a quiet minute there is time, with a busy one none."""
    outlook = Outlook(pace=FAST, slots=1, patience=0.2)
    assert outlook.leisure(0.0) == 0
    assert outlook.leisure(60.0) == rules._LEISURE
    for second in range(60, 120):
        outlook.gave_back("any", 0.9, now=float(second), interrupted=False)
    assert outlook.leisure(120.0) == 0

"""Claims about admission: how many calls there may be, by the table and the waits; nobody is refused by a guess."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from attrs import define, evolve, field
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.dialogue.admission import Admission
from orchestrator.events import PlacesChanged, SlotGranted, TicketLeft
from orchestrator.settings import AdmissionSettings
from orchestrator.slot.capacity_file import load_capacity
from orchestrator.slot.pace import Pace

TABLE = load_capacity()
AT_FAST = TABLE.fit(ttfb=0.1, rtf=0.1, talk_share=0.57, slots=1)
TURN = 1.0
"""Seconds between two first pieces in these tests."""


@define
class Door:
    """An admission with a clock, and what it told."""

    admission: Admission
    pace: Pace
    now: float = 0.0
    told: list[PlacesChanged] = field(factory=list)

    def settle(self) -> None:
        """Have it decide."""
        event = self.admission.settle(self.now)
        if event is not None:
            self.told.append(event)

    def wait(self, seconds: float, *, turns: int = 1) -> None:
        """So many first pieces get the slot after such a wait, one after the other."""
        for _ in range(turns):
            self.now += TURN
            self.admission.hear(granted(self.now, seconds))
            self.settle()

    def see_pieces(self, ttfb: float, rtf: float, *, pieces: int = 3) -> None:
        """The provider makes so many pieces at that speed."""
        for _ in range(pieces):
            self.pace.learn(ttfb=ttfb, held=ttfb + 2 * rtf, audio=2.0, characters=30)
            self.settle()

    def take(self, calls: int) -> int:
        """Let calls come; return how many were taken."""
        return sum(self.admission.reserve() for _ in range(calls))


def granted(now: float, wait: float, *, first: bool = True) -> SlotGranted:
    """The event of a grant after a wait."""
    told = wait if first else None
    return SlotGranted(at=now, call="a", reply=1, ticket=1, first=first, waited=wait, wait=told, account=0.0)


def door(*, slots: int = 1, on: bool = True, calls: int = 0, fast: bool = True) -> Door:
    """An admission over the shipped table; unless told otherwise the provider was seen to be fast."""
    pace = Pace()
    settings = AdmissionSettings(on=on, calls=calls)
    made = Door(Admission(TABLE, settings=settings, pace=pace, slots=slots), pace)
    if fast:
        made.see_pieces(0.1, 0.1)
    return made


# --- what fits ---


@pytest.mark.parametrize("slots", [1, 2, 5])
def test_before_the_provider_was_seen_the_rule_of_thumb_holds(slots: int) -> None:
    """Four calls a slot: neither none, by the cautious guess of the pace, nor all."""
    cold = door(slots=slots, fast=False)
    assert cold.take(100) == 4 * slots


def test_one_piece_more_or_less_is_still_a_guess() -> None:
    """Three pieces make it known; until then the number stays."""
    cold = door(fast=False)
    cold.see_pieces(2.0, 3.0, pieces=2)
    assert cold.admission.fitting == 4
    cold.see_pieces(2.0, 3.0, pieces=1)
    assert cold.admission.fitting == 1


def test_at_the_tables_speed_its_number_holds() -> None:
    """Also when the speed is measured a little slow, as it always is."""
    assert door().take(100) == AT_FAST
    slow = door(fast=False)
    slow.see_pieces(0.1025, 0.1025)
    assert slow.take(100) == AT_FAST


def test_the_settings_number_goes_before_the_tables() -> None:
    """`admission.calls`: somebody knows better."""
    assert door(calls=3).take(100) == 3


def test_off_takes_all_and_tells_nothing() -> None:
    """Whatever the waits."""
    off = door(on=False)
    off.wait(5.0, turns=100)
    assert off.take(1000) == 1000
    assert off.told == []


def test_more_slots_give_more_places_at_once() -> None:
    """A plan upgrade while the program runs."""
    upgraded = door()
    upgraded.take(100)
    upgraded.admission.slots = 2
    upgraded.settle()
    assert upgraded.take(100) == TABLE.fit(ttfb=0.1, rtf=0.1, talk_share=0.57, slots=2) - AT_FAST


def test_a_provider_that_becomes_slow_takes_places() -> None:
    """As the table says for its new speed, within a minute's pieces."""
    slowing = door()
    slowing.see_pieces(0.2, 0.3, pieces=60)
    assert slowing.admission.fitting == TABLE.fit(ttfb=0.2, rtf=0.3, talk_share=0.57, slots=1)


@given(st.integers(0, 1000))
def test_an_uneven_pace_does_not_make_places_come_and_go(seed: int) -> None:
    """Times to first audio that vary by a third, and a factor that varies by a tenth: hardly a change in 500 pieces."""
    rng, uneven = Random(f"{seed}"), door()
    for _ in range(500):
        uneven.see_pieces(max(0.02, rng.gauss(0.1, 0.03)), max(0.02, rng.gauss(0.1, 0.01)), pieces=1)
    assert len(uneven.told) <= 4
    assert abs(uneven.admission.fitting - AT_FAST) <= 1


# --- what the waits ask for ---


def test_a_long_wait_costs_one_place_in_two_minutes() -> None:
    """The next step is taken on what was measured after this one."""
    crowded = door()
    crowded.take(AT_FAST)
    crowded.wait(0.6, turns=100)
    assert crowded.admission.places == AT_FAST - 1
    crowded.wait(0.6, turns=60)
    assert crowded.admission.places == AT_FAST - 2
    assert [event.places for event in crowded.told[-2:]] == [AT_FAST - 1, AT_FAST - 2]
    assert crowded.told[-1].p95_wait == 0.6
    assert crowded.told[-1].fitting == AT_FAST


def test_where_there_are_places_left_those_that_are_taken_are_enough() -> None:
    """A place that nobody has would cost the waits nothing."""
    crowded = door()
    crowded.take(4)
    crowded.wait(0.6, turns=30)
    assert crowded.admission.places == 4


def test_places_come_back_one_by_one() -> None:
    """From well below the level: as many as were too many the last time after three minutes, else one a half minute."""
    eased = door()
    eased.take(AT_FAST)
    eased.wait(0.6, turns=400)
    eased.wait(0.1, turns=800)
    lowest, moved_at = min((event.places, event.at) for event in eased.told[2:])
    back = [event for event in eased.told if event.at > moved_at]
    assert [event.places for event in back] == list(range(lowest + 1, AT_FAST + 1))
    assert back[0].at - moved_at == pytest.approx(180, abs=TURN)
    assert all(later.at - earlier.at == pytest.approx(30, abs=TURN) for earlier, later in pairwise(back))


def test_places_do_not_hunt() -> None:
    """Where one call more is too many, it is tried every three minutes and not at every moment of calm."""
    edge = door()
    edge.take(AT_FAST)
    for _ in range(3600):
        edge.wait(0.6 if edge.admission.places == AT_FAST else 0.2)
    lowered = [event for event in edge.told if event.places < AT_FAST and event.at > 0]
    assert 6 <= len(lowered) <= 3600 / 180


def test_between_the_level_and_nine_tenths_of_it_nothing_moves() -> None:
    """Else places would come and go."""
    steady = door()
    steady.take(AT_FAST)
    steady.wait(0.6, turns=30)
    steady.wait(0.47, turns=200)
    told = len(steady.told)
    steady.wait(0.47, turns=600)
    assert len(steady.told) == told


def test_a_few_waits_say_nothing() -> None:
    """Of fewer than twenty the p95 is the longest."""
    quiet = door()
    quiet.wait(9.0, turns=19)
    assert quiet.admission.places == AT_FAST


def test_one_long_wait_in_many_does_not_count() -> None:
    """It is the p95 that is compared."""
    lucky = door()
    for _ in range(20):
        lucky.wait(0.1, turns=25)
        lucky.wait(9.0)
    assert lucky.admission.places == AT_FAST


def test_a_wait_that_never_ended_counts_as_far_as_it_went() -> None:
    """Where another voice took over, or the caller spoke."""
    taken_over = door()
    taken_over.take(AT_FAST)
    for _ in range(30):
        taken_over.now += TURN
        left = TicketLeft(at=taken_over.now, call="a", reply=1, ticket=1, first=True, waited=3.0)
        taken_over.admission.hear(left)
        taken_over.settle()
    assert taken_over.admission.places == AT_FAST - 1


def test_later_pieces_have_no_waits() -> None:
    """They are asked for ahead of their time."""
    ahead = door()
    for _ in range(100):
        ahead.now += TURN
        ahead.admission.hear(granted(ahead.now, 5.0, first=False))
        ahead.settle()
    assert ahead.admission.places == AT_FAST


steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.floats(0, 10), st.integers(1, 100)),
        st.tuples(st.just("speed"), st.floats(0.01, 5), st.integers(1, 30)),
        st.tuples(st.just("call"), st.just(0.0), st.integers(1, 20)),
        st.tuples(st.just("end"), st.just(0.0), st.integers(1, 20)),
        st.tuples(st.just("slots"), st.just(0.0), st.integers(1, 9)),
        st.tuples(st.just("calls"), st.just(0.0), st.integers(0, 40)),
        st.tuples(st.just("quiet"), st.floats(0, 600), st.just(1)),
    ),
    max_size=40,
)


@given(steps)
def test_whatever_happens_the_books_are_right(happened: list[tuple[str, float, int]]) -> None:
    """At least one place, never more than fit, a call is taken just if there is one, each change is told once."""
    any_door = door(fast=False)
    admission = any_door.admission
    for what, figure, count in happened:
        match what:
            case "wait":
                any_door.wait(figure, turns=count)
            case "speed":
                any_door.see_pieces(figure, figure, pieces=count)
            case "call":
                before, places = admission.calls, admission.places
                assert any_door.take(count) == max(0, min(count, places - before))
            case "end":
                for _ in range(min(count, admission.calls)):
                    admission.release()
            case "slots":
                admission.slots = count
            case "calls":
                admission.settings = evolve(admission.settings, calls=count)
            case _:
                any_door.now += figure
        any_door.settle()
        assert 1 <= admission.places <= max(1, admission.fitting)
        assert any_door.told[-1].places == admission.places
    assert all(earlier.places != later.places for earlier, later in pairwise(any_door.told))

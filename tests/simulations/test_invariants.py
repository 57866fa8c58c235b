"""Every rule is broken once, in a story that keeps them all otherwise: what is told names the rule, the call, the time.

That a real run keeps them, and one whose events are tampered with does not, is at the end.
"""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import events as e
from orchestrator.events import Event
from simulations.invariants import Invariants
from simulations.scenario import Group, Scenario
from simulations.waves.options import WavesOptions
from simulations.workload import Traits
from simulations.world import run
from simulations.world_events import SoundPlayed, WorldClosed
from tests.simulations.moments import asked, began, freed, granted, joined, left
from tests.simulations.tampering import (
    Tamper,
    also,
    closed,
    ended,
    instead,
    opened,
    piece,
    refused,
    sound,
    story,
    twice,
    without,
    world,
)


def broken(events: list[Event], scenario: Scenario | None = None) -> list[str]:
    """Return what the invariants say of these events."""
    invariants = Invariants(scenario or Scenario(name="test"))
    for event in events:
        invariants.add(event)
    return invariants.finish()


def test_a_story_that_keeps_all_rules() -> None:
    """Nothing is told of it, however the cut and the sound that it ended come in one instant."""
    assert broken(story()) == []
    swapped = story()
    swapped[8], swapped[9] = swapped[9], swapped[8]
    assert broken(swapped) == []


TAMPERED: list[tuple[Tamper, str]] = [
    (without(e.SlotFreed), "a slot was lost: granted to call 1 (ticket 1) at 2.200 s and never freed"),
    (twice(e.SlotFreed), "a ticket went astray: ticket 1 of call 1 came back without a grant at 2.600 s"),
    (twice(e.SlotGranted), "a ticket went astray: ticket 1 of call 1 was granted without waiting at 2.200 s"),
    (twice(e.TicketJoined), "a ticket went astray: ticket 1 of call 1 joined twice at 2.100 s"),
    (also(left(8.0, ticket=9)), "a ticket went astray: ticket 9 of call 1 left without waiting at 8.000 s"),
    (also(joined(19.0, ticket=9)), "a ticket went astray: ticket 9 of call 1 joined at 19.000 s and never left"),
    (
        also(joined(2.3, ticket=9), granted(2.4, ticket=9), freed(2.5, ticket=9, held=0.1)),
        "more in flight than the limit: 2 of 1 at 2.400 s, call 1 the latest",
    ),
    (
        also(joined(8.0, ticket=9), left(18.5, ticket=9)),
        "a slot idles while tickets wait: from 8.000 to 18.500 s, call 1 (ticket 9) waiting",
    ),
    (without(e.CallEnded), "a call does not begin and end once: call 1 began at 1.000 s and never ended"),
    (twice(e.CallEnded), "a call does not begin and end once: call 1 ended at 20.000 s without going on"),
    (twice(e.CallStarted), "a call does not begin and end once: call 1 began again at 1.000 s"),
    (without(e.ReplyEnded), "a reply does not begin and end once: reply 1 of call 1 began at 2.000 s and never ended"),
    (
        twice(e.ReplyEnded, 1),
        "a reply does not begin and end once: reply 2 of call 1 ended at 9.000 s without going on",
    ),
    (twice(e.ReplyStarted), "a reply does not begin and end once: reply 1 of call 1 began again at 2.000 s"),
    (also(asked(30.0)), "a reply does not begin and end once: reply 1 of call 1 began outside a call at 30.000 s"),
    (
        instead(e.ReplyEnded, heard=4),
        "words of a reply were lost or won: reply 1 of call 1, ended at 5.000 s, had 10 characters: 4 heard, 5 cut, "
        "0 unspoken",
    ),
    (
        instead(e.ReplyEnded, words_heard=3, words_cut=-1),
        "words of a reply were lost or won: reply 1 of call 1, ended at 5.000 s, had 2 words: 3 heard, -1 cut, "
        "0 unspoken",
    ),
    (instead(SoundPlayed, ended=5.02), "sound after a cut: in call 1 from 2.500 to 5.020 s, cleared at 5.000 s"),
    (also(sound(5.3, 5.6)), "sound that nobody asked for: in call 1 from 5.300 to 5.600 s"),
    (instead(SoundPlayed, 1, began=6.9), "sound that nobody asked for: in call 1 from 6.900 to 9.000 s"),
    (instead(SoundPlayed, began=2.1), "sound that nobody asked for: in call 1 from 2.100 to 5.000 s"),
    (also(sound(21.0, 22.0)), "sound outside a call: in call 1 from 21.000 to 22.000 s"),
    (instead(SoundPlayed, of="2"), "sound of another call: in call 1 from 2.500 to 5.000 s, made for call 2"),
    (instead(SoundPlayed, of=""), "sound of another call: in call 1 from 2.500 to 5.000 s, made for nobody"),
    (without(e.LinkClosed), "a link does not open and close once: link 1 opened at 0.100 s and never closed"),
    (twice(e.LinkOpened), "a link does not open and close once: link 1 opened again at 0.100 s"),
    (twice(e.LinkClosed), "a link does not open and close once: link 1 closed at 20.000 s without being open"),
    (
        also(*[opened(3.0, link) for link in range(2, 7)], *[closed(4.0, link) for link in range(2, 7)]),
        "more sockets than the limit: 6 of 5 at 3.000 s, link 6 the latest",
    ),
    (without(WorldClosed), "the world was not closed: no WorldClosed came"),
    (twice(WorldClosed), "something happened after the end: WorldClosed at 100.000 s"),
    (instead(WorldClosed, max_in_flight=2), "more in flight than the limit: 2 of 1, say the books"),
    (instead(WorldClosed, max_open=6), "more sockets than the limit: 6 of 5, say the books"),
    (instead(WorldClosed, refused_links=1), "more sockets than the limit: 1 were refused, say the books"),
    (instead(WorldClosed, tasks=2), "tasks outlived the run: 2 left at 100.000 s"),
    (instead(WorldClosed, sockets=1), "sockets outlived the run: 1 left at 100.000 s"),
    (instead(WorldClosed, in_flight=1), "requests in flight outlived the run: 1 left at 100.000 s"),
    (
        instead(WorldClosed, requests=3),
        "the program's accounts and the books differ: at 100.000 s: 2 pieces were asked for, the books have 3 requests",
    ),
    (
        instead(WorldClosed, requests=1),
        "the program's accounts and the books differ: at 100.000 s: 2 pieces came whole, the books have 1 requests",
    ),
    (
        also(refused(2.5)),
        "the program's accounts and the books differ: at 100.000 s: 1 refusals for concurrency were told, "
        "the books have 0",
    ),
]


@pytest.mark.parametrize(("tamper", "line"), TAMPERED, ids=lambda value: value if isinstance(value, str) else "")
def test_a_broken_rule_is_told(tamper: Tamper, line: str) -> None:
    """In one line, which names the rule, the call and the time; a single thing that is wrong may break two rules."""
    told = broken(tamper(story()))
    assert line in told
    assert len(told) <= 3


def test_being_refused_is_a_broken_rule_only_for_who_keeps_the_limit() -> None:
    """The policy `retry` runs into the limit on purpose; who learns the provider's settle time is refused meanwhile."""
    events = story()
    backed_off = e.BackedOff(at=7.2, kind="concurrency", seconds=0.0, in_a_row=1)
    events[17:17] = [refused(7.2), backed_off, piece(7.2, reply=2, ticket=3)]
    events[-1] = world(refused_concurrency=1)
    told = ["more in flight than the limit: 1 requests were refused, say the books"]
    assert broken(events) == told
    assert broken(events, Scenario(name="test", policy="fifo")) == told
    assert broken(events, Scenario(name="test", policy="retry")) == []
    assert broken(events, Scenario(name="test", server=WavesOptions(settle=0.5))) == []


def test_a_back_off_is_no_idling() -> None:
    """From a refusal on, ten seconds begin anew."""
    waits = [joined(8.0, ticket=9), left(18.5, ticket=9)]
    events = also(*waits, refused(9.0, "retry"))(story())
    assert broken(events) == []


def competition(lag: float, *, held: float) -> list[Event]:
    """Two calls that wait for a slot while a third has it; when they are granted, their accounts differ by `lag`."""
    calls = ("1", "2", "3")
    events: list[Event] = [opened(0.0), *(began(0.0, call=call) for call in calls)]
    events += [joined(1.0 + 0.1 * number, ticket=number, call=call) for number, call in enumerate(calls)]
    events.insert(5, granted(1.0, ticket=0, call="1"))
    at = 1.0
    for number, call in enumerate(calls):
        if number:
            events.append(granted(at, ticket=number, call=call, account=lag * (number - 1)))
        at += held
        events.append(freed(at, ticket=number, call=call, held=held))
    return [*events, *(ended(50.0, call) for call in calls), closed(50.0), world(requests=0)]


def test_nobody_starves() -> None:
    """Two calls that wait differ by at most twice the bound and one longest piece, more only with more slots."""
    assert broken(competition(4.9, held=1.0)) == []
    assert broken(competition(5.1, held=1.0)) == [
        "a call fell behind further than the bound: by 5.100 s of slot, 5.000 allowed, at 3.000 s, when call 3 was "
        "granted"
    ]
    assert broken(competition(5.1, held=1.2)) == []
    assert broken(competition(5.1, held=1.0), Scenario(name="test", server=WavesOptions(slots=2))) == []
    assert broken(competition(5.1, held=1.0), Scenario(name="test", groups=(Group(weight=0.5), Group()))) == []
    assert broken(competition(5.1, held=1.0), Scenario(name="test", policy="fifo")) == []


def test_only_the_first_few_of_a_kind_are_told() -> None:
    """However many there are, the list stays short, and says how many more there were."""
    events = also(*(sound(7.3 + at / 10, 7.4 + at / 10, of="7") for at in range(9)))(story())
    told = broken(events)
    assert len(told) == 4
    assert told[-1] == "sound of another call: 6 more"


@given(st.integers(0, len(story()) - 1))
def test_no_event_of_the_story_is_superfluous(which: int) -> None:
    """Each of them that pairs with another, or is the last, is missed; the others are what a rule may lack."""
    events = story()
    missing = events.pop(which)
    harmless = (e.PieceEnded, e.LegCleared, SoundPlayed, e.RunEnded)
    assert bool(broken(events)) is not isinstance(missing, harmless)


# --- a real run ---


@pytest.fixture(scope="module")
def real() -> tuple[Scenario, list[Event]]:
    """A minute and a half with cuts, hang-ups and competition for the slot."""
    traits = Traits(barge_in=0.4, hang_up=0.2)
    server = WavesOptions.of_profile("slow")
    scenario = Scenario(name="real", hours=0.025, wire=False, groups=(Group(calls=6, traits=traits),), server=server)
    return scenario, run(scenario, 1)


PAIRED = (
    e.TicketJoined,
    e.SlotGranted,
    e.SlotFreed,
    e.CallStarted,
    e.CallEnded,
    e.ReplyStarted,
    e.ReplyEnded,
    e.LinkOpened,
    e.LinkClosed,
)
"""What a rule misses wherever it is."""


def test_a_real_run_breaks_no_rule(real: tuple[Scenario, list[Event]]) -> None:
    """Though it has all that could break one."""
    scenario, events = real
    assert broken(events, scenario) == []
    assert {type(event) for event in events} >= {*PAIRED, e.LegCleared, e.TicketLeft, SoundPlayed, e.PieceAsked}


@given(st.data())
def test_no_event_can_be_taken_from_a_real_run(real: tuple[Scenario, list[Event]], data: st.DataObject) -> None:
    """Of those that pair with another: whichever it is, somebody misses it."""
    scenario, events = real
    which = data.draw(st.sampled_from([place for place, event in enumerate(events) if type(event) in PAIRED]))
    assert broken(events[:which] + events[which + 1 :], scenario)


@given(st.data(), st.floats(0.001, 5.0))
def test_no_sound_of_a_real_run_may_outlast_its_cut(
    real: tuple[Scenario, list[Event]], data: st.DataObject, longer: float
) -> None:
    """Nor may any be another call's."""
    scenario, events = real
    cuts = {(event.call, event.at) for event in events if isinstance(event, e.LegCleared)}
    sounds = [place for place, event in enumerate(events) if isinstance(event, SoundPlayed)]
    place = data.draw(st.sampled_from(sounds))
    sound = events[place]
    assert isinstance(sound, SoundPlayed)
    other = attrs.evolve(sound, of=str(int(sound.of) + 1))
    (told,) = broken([*events[:place], other, *events[place + 1 :]], scenario)
    assert told.startswith("sound of another call: in call ")
    cut = data.draw(st.sampled_from([place for place in sounds if _is_cut(events[place], cuts)]))
    sound = events[cut]
    assert isinstance(sound, SoundPlayed)
    (told,) = broken([*events[:cut], *_late(events[cut:], attrs.evolve(sound, ended=sound.ended + longer))], scenario)
    assert told.startswith("sound after a cut: in call ")


def _is_cut(sound: Event, cuts: set[tuple[str, float]]) -> bool:
    return isinstance(sound, SoundPlayed) and (sound.call, sound.ended) in cuts


def _late(events: list[Event], sound: SoundPlayed) -> list[Event]:
    """Put `sound` in the place of the first event, behind the clear that was to end it."""
    clear = next(place for place, event in enumerate(events) if isinstance(event, e.LegCleared))
    return [*events[1 : clear + 1], sound, *events[clear + 1 :]]

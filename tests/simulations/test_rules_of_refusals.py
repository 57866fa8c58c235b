"""The rules of refusals, ours of calls at the door and the provider's of requests: each is broken once."""

from __future__ import annotations

import attrs
import pytest

from orchestrator import events as e
from orchestrator.events import Event
from simulations.invariants import Invariants
from simulations.scenario import PolicyName, Scenario
from tests.simulations.moments import asked, began, granted, joined, left
from tests.simulations.tampering import also, ended_reply, refused, sound, story, world


def broken(events: list[Event], scenario: Scenario | None = None) -> list[str]:
    """Return what the invariants say of these events."""
    invariants = Invariants(scenario or Scenario(name="test"))
    for event in events:
        invariants.add(event)
    return invariants.finish()


# --- at the door ---


def door(*events: Event, reason: str = "refused") -> list[Event]:
    """A call at the door, from second 1 to 9."""
    end = e.CallEnded(at=9.0, call="1", reason=reason, seconds=8.0)
    return sorted([began(1.0), *events, end, world(requests=0)], key=lambda event: event.at)


REFUSED = e.CallRefused(at=2.0, call="1", reason="full", calls=4, places=4)
QUEUED = e.CallQueued(at=1.0, call="1", waiting=1)


@pytest.mark.parametrize("of", ["phrase", "local"])
def test_who_is_refused_is_told_so(of: str) -> None:
    """From the cache or in the local voice; in the queue, and when the program drains, too."""
    assert broken(door(REFUSED, sound(2.1, 4.0, of=of))) == []
    assert broken(door(QUEUED, sound(1.1, 1.9, of=of), REFUSED, sound(2.1, 4.0, of=of))) == []
    drained = door(e.DrainStarted(at=2.0, calls=1, within=1.0), sound(3.1, 4.0, of=of), reason="drained")
    assert broken(drained) == []


WAITED = [QUEUED, sound(1.1, 1.9, of="phrase"), asked(3.0), ended_reply(5.0)]
DOOR: list[tuple[list[Event], str]] = [
    (
        door(REFUSED, sound(1.5, 4.0, of="phrase")),
        "sound that no event told of: a phrase in call 1 from 1.500 to 4.000 s",
    ),
    (
        door(*WAITED, sound(3.5, 4.0, of="phrase"), reason="caller"),
        "sound that no event told of: a phrase in call 1 from 3.500 to 4.000 s",
    ),
    (
        door(REFUSED, reason="bot"),
        "a call that is refused does not end so: call 1 was refused and ended as bot at 9.000 s",
    ),
    (door(), "a call that is refused does not end so: call 1 was not refused and ended as refused at 9.000 s"),
    (door(REFUSED, REFUSED), "a call that is refused does not end so: call 1 was refused again at 2.000 s"),
    (
        door(REFUSED, asked(3.0)),
        "a reply does not begin and end once: reply 1 of call 1 began after its refusal at 3.000 s",
    ),
    (
        [attrs.evolve(REFUSED, at=0.5), *door(reason="bot")],
        "a call that is refused does not end so: call 1 was refused outside a call at 0.500 s",
    ),
]


@pytest.mark.parametrize(("events", "line"), DOOR, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_wrong_at_the_door_is_told(events: list[Event], line: str) -> None:
    """One line each."""
    assert broken(events) == [line]


# --- back-offs, and a provider that is lost ---


def backed_off(at: float, seconds: float) -> e.BackedOff:
    """The account was refused."""
    return e.BackedOff(at=at, kind="concurrency", seconds=seconds, in_a_row=1)


def stands(at: float, standing: str) -> e.StandingChanged:
    """The provider stands otherwise with us."""
    return e.StandingChanged(at=at, standing=standing)


def test_nobody_asks_before_the_back_off_is_over() -> None:
    """Neither is the slot granted; a hair early is rounding, and `retry` does not coordinate."""
    early = also(backed_off(6.5, 0.6))(story())
    assert broken(early) == [
        "the account was asked before its back-off was over: call 1 was granted the slot at 7.000 s, not 7.100 s",
        "the account was asked before its back-off was over: call 1 asked for a piece at 7.000 s, not 7.100 s",
    ]
    assert broken(early, Scenario(name="test", policy="retry")) == []
    assert broken(also(backed_off(6.5, 0.5 + 1e-7))(story())) == []
    assert broken(also(backed_off(6.0, 0.5), backed_off(6.4, 0.1))(story())) == []


@pytest.mark.parametrize("kind", ["concurrency", "rate"])
def test_a_refusal_of_the_account_begins_a_back_off(kind: str) -> None:
    """Else who asks next breaks the rule, once. Other refusals are no reason to wait; `retry` does not coordinate."""

    def told(*events: Event, policy: PolicyName = "deadline") -> list[str]:
        lines = broken(also(*events)(story()), Scenario(name="test", policy=policy))
        return [line for line in lines if "back-off" in line]  # the books have no such refusal: that is told, too

    assert told(refused(6.5, kind)) == [
        "a refusal of the account began no back-off: call 1 was granted the slot at 7.000 s, refused at 6.500 s"
    ]
    assert told(refused(6.5, kind), policy="retry") == []
    assert told(refused(6.5, kind), backed_off(6.5, 0.5)) == []
    assert told(refused(6.5, "retry")) == []


def test_idling_counts_from_the_end_of_a_back_off() -> None:
    """Ten seconds later it is too long all the same."""
    waits = [joined(8.0, ticket=9), left(19.5, ticket=9), backed_off(8.5, 1.5)]
    assert broken(also(*waits)(story())) == []
    waits[2] = backed_off(7.9, 1.0)
    assert broken(also(*waits)(story())) == [
        "a slot idles while tickets wait: from 8.900 to 19.500 s, call 1 (ticket 9) waiting"
    ]


@pytest.mark.parametrize("standing", ["out", "final"])
def test_tickets_may_wait_for_a_provider_that_is_lost(standing: str) -> None:
    """However long; from its return on ten seconds count again. A doubtful one serves on."""
    waits = [joined(7.6, ticket=9), left(19.9, ticket=9)]

    def lost(name: str, back: float) -> list[Event]:
        return also(*waits, stands(8.0, name), stands(back, "up"))(story())

    assert broken(lost(standing, 19.0)) == []
    assert broken(lost(standing, 9.8)) == [
        "a slot idles while tickets wait: from 9.800 to 19.900 s, call 1 (ticket 9) waiting"
    ]
    assert len(broken(lost("doubtful", 7.9))) == 1


def test_phrases_are_asked_for_in_slots_of_their_own() -> None:
    """The books have requests for them; one that was never sent is none."""

    def slot(at: float, *, cause: str, ticket: int) -> list[Event]:
        key = {"ticket": ticket, "call": "phrases"}
        return [
            joined(at, ticket=ticket, call="phrases"),
            granted(at, ticket=ticket, call="phrases"),
            e.SlotFreed(at=at + 0.1, held=0.1, cause=cause, **key),  # type: ignore[arg-type]  # they are what they are
        ]

    events = also(*slot(10.0, cause="complete", ticket=8), *slot(11.0, cause="unused", ticket=9))(story())
    events[-1] = world(requests=3)
    assert broken(events) == []
    events[-1] = world(requests=4)
    assert len(broken(events)) == 1
    events.insert(-1, refused(20.0))
    assert len(broken(events)) == 2

"""A story that keeps every rule of a run, and ways to tamper with the events of any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from orchestrator import events as e
from orchestrator.events import Event, Outcome
from simulations.world_events import SoundPlayed, WorldClosed
from tests.simulations.moments import asked, began, freed, granted, joined


def ended_reply(at: float, **changed: Any) -> e.ReplyEnded:
    """A reply of ten characters and two words ends, half of it heard."""
    whole: dict[str, Any] = {"call": "1", "reply": 1, "outcome": Outcome.CUT, "characters": 10, "heard": 5, "cut": 5}
    whole |= {"unspoken": 0, "words": 2, "words_heard": 1, "words_cut": 1, "words_unspoken": 0}
    return e.ReplyEnded(at=at, **(whole | changed))


def ended(at: float, call: str = "1") -> e.CallEnded:
    """The call is over."""
    return e.CallEnded(at=at, call=call, reason="caller", seconds=at)


def piece(at: float, *, call: str = "1", reply: int = 1, ticket: int = 1) -> e.PieceAsked:
    """A piece goes out."""
    key: dict[str, Any] = {"call": call, "reply": reply, "piece": ticket, "ticket": ticket, "link": 1}
    return e.PieceAsked(at=at, characters=10, start=0, first=True, breaks_sentence=False, **key)


def piece_ended(at: float, *, call: str = "1", reply: int = 1, number: int = 1, cause: str = "complete") -> Event:
    """A piece is over."""
    return e.PieceEnded(at=at, call=call, reply=reply, piece=number, cause=cause, audio=1.0, seconds=0.3)


def sound(began: float, ended: float, *, call: str = "1", of: str | None = None) -> SoundPlayed:
    """The caller heard something."""
    return SoundPlayed(at=ended, call=call, began=began, ended=ended, of=call if of is None else of)


def cleared(at: float, *, call: str = "1") -> e.LegCleared:
    """A cut."""
    return e.LegCleared(at=at, call=call)


def refused(at: float, kind: str = "concurrency") -> e.ProviderRefused:
    """The provider refused a request."""
    return e.ProviderRefused(at=at, kind=kind, error="no", call="1")


def opened(at: float, link: int = 1) -> e.LinkOpened:
    """A link is there."""
    return e.LinkOpened(at=at, link=link, after=0.1)


def closed(at: float, link: int = 1) -> e.LinkClosed:
    """A link is gone."""
    return e.LinkClosed(at=at, link=link, reason="idle")


def world(**changed: Any) -> WorldClosed:
    """The end of everything, nothing left."""
    books: dict[str, Any] = dict.fromkeys((field.name for field in attrs.fields(WorldClosed)), 0)
    books |= {"at": 100.0, "slots": 1, "links": 5, "max_in_flight": 1, "max_open": 1, "requests": 2}
    return WorldClosed(**(books | changed))


def story() -> list[Event]:
    """One call: a reply that is cut at 5.0, and one that is heard; each in one piece."""
    return [
        opened(0.1),
        began(1.0),
        asked(2.0),
        joined(2.1),
        granted(2.2),
        piece(2.2),
        freed(2.6, held=0.4),
        piece_ended(2.6),
        cleared(5.0),
        sound(2.5, 5.0),
        ended_reply(5.0),
        asked(7.0, reply=2),
        joined(7.0, ticket=2, reply=2),
        granted(7.0, ticket=2, reply=2),
        piece(7.0, reply=2, ticket=2),
        freed(7.5, held=0.5, ticket=2),
        piece_ended(7.5, reply=2, number=2),
        sound(7.3, 9.0),
        ended_reply(9.0, reply=2, outcome=Outcome.HEARD, heard=10, cut=0, words_heard=2, words_cut=0),
        ended(20.0),
        closed(20.0),
        e.RunEnded(at=20.0, reason="finished"),
        world(),
    ]


def without(kind: type[Event], which: int = 0) -> Callable[[list[Event]], list[Event]]:
    """Drop the first (or a later) event of a kind."""

    def change(events: list[Event]) -> list[Event]:
        event = [event for event in events if type(event) is kind][which]
        return [other for other in events if other is not event]

    return change


def twice(kind: type[Event], which: int = 0) -> Callable[[list[Event]], list[Event]]:
    """Have the first (or a later) event of a kind twice in a row."""

    def change(events: list[Event]) -> list[Event]:
        event = [event for event in events if type(event) is kind][which]
        return [again for other in events for again in ([other, other] if other is event else [other])]

    return change


def instead(kind: type[Event], which: int = 0, **changed: Any) -> Callable[[list[Event]], list[Event]]:
    """Have the first (or a later) event of a kind say something else."""

    def change(events: list[Event]) -> list[Event]:
        event = [event for event in events if type(event) is kind][which]
        return [attrs.evolve(other, **changed) if other is event else other for other in events]

    return change


def also(*more: Event) -> Callable[[list[Event]], list[Event]]:
    """Put more events in, each where its time is."""

    def change(events: list[Event]) -> list[Event]:
        return sorted([*events[:-1], *more], key=lambda event: event.at) + events[-1:]

    return change


Tamper = Callable[[list[Event]], list[Event]]

"""How soon the account is used again after a cut, by the provider's own books: a barge-in storm, lifelike, and busy."""

from __future__ import annotations

from bisect import bisect_right

import pytest

from orchestrator.events import BargedIn, Event, PieceAsked, PieceEnded, TicketJoined
from simulations.invariants import Invariants
from simulations.scenario_file import load_scenario
from simulations.world import run_world

TRANSPORT = 0.010
AT_MOST = 0.050
"""Seconds from when the books have the slot free until the next request begins: 0.1 s of settle time by the program's
setting, from the close on, less 0.05 s by the provider's, from the close's arrival; and the message's way."""


def waits_after(uses: tuple[tuple[float, float], ...], events: list[Event]) -> dict[str, list[float]]:
    """Return for each way in which pieces ended how long the freed slot was left, by the books, though a ticket waited
    for it: from the end of a use to the beginning of the next. Each use is that of the piece asked for just before."""
    joined = {event.ticket: event.at for event in events if isinstance(event, TicketJoined)}
    ended = {(e.call, e.reply, e.piece): e.cause for e in events if isinstance(e, PieceEnded)}
    asked = [event for event in events if isinstance(event, PieceAsked)]
    times = [event.at + TRANSPORT for event in asked]
    pieces = [asked[bisect_right(times, begun + 1e-6) - 1] for begun, _ in uses]
    found: dict[str, list[float]] = {}
    for place in range(len(uses) - 1):
        piece, following = pieces[place], pieces[place + 1]
        (_, free), (next_begins, _) = uses[place], uses[place + 1]
        if joined[following.ticket] + TRANSPORT <= free:
            cause = ended[piece.call, piece.reply, piece.piece]
            found.setdefault(cause, []).append(next_begins - free)
    return found


@pytest.mark.sweep
@pytest.mark.parametrize("close_after_complete", [True, False])
def test_the_next_request_follows_a_cut_at_once(close_after_complete: bool) -> None:
    """No slot is lost, no link leaked, never more than the limits; whether links are closed after each piece or not."""
    settings = [
        "lifelike=true",
        "hours=0.1",
        "calls=9",
        f"server.close_after_complete={str(close_after_complete).lower()}",
    ]
    scenario = load_scenario("barge_in_storm", assignments=settings)
    events: list[Event] = []
    ended = run_world(scenario, seed=1, sinks=[events.append])
    invariants = Invariants(scenario)
    for event in events:
        invariants.add(event)
    assert invariants.finish() == []
    assert sum(isinstance(event, BargedIn) for event in events) > 100
    assert ended.books["max_open"] <= ended.books["links"] == 5
    assert ended.books["refused_links"] == ended.books["refused_concurrency"] == 0
    assert len(ended.uses) == ended.books["requests"]
    waits = waits_after(ended.uses, events)
    assert len(waits["cut"]) > 10
    assert max(waits["cut"]) <= AT_MOST + 1e-6
    assert min(waits["cut"]) >= 2 * TRANSPORT - 1e-6
    assert max(waits["complete"]) <= 2 * TRANSPORT + 1e-6

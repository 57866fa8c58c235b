"""Outlooks in any state, and what of them a test needs to know."""

from __future__ import annotations

from hypothesis import strategies as st

from orchestrator.slot import outlook as rules
from orchestrator.slot.outlook import Outlook, Waiting
from orchestrator.slot.pace import Pace

NOW = 1000.0
FAST = Pace(0.1, 0.1, 1 / 15, 9)

paces = st.builds(Pace, ttfb=st.floats(0.01, 1), rtf=st.floats(0.01, 1.2), pieces=st.just(9))
needs = st.floats(NOW - 5, NOW + 30)
calls = st.sampled_from("abcdefgh")


@st.composite
def outlooks(draw: st.DrawFn) -> Outlook:
    """An outlook before `NOW`, with some use of the slots and calls that will ask."""
    outlook = Outlook(pace=draw(paces), slots=draw(st.integers(1, 4)), patience=draw(st.floats(0, 2)))
    for second in range(round(NOW) - draw(st.integers(0, 700)), round(NOW)):
        held = draw(st.just(0.0) | st.floats(0, outlook.slots)) if second % 60 == 0 else 0.0
        outlook.gave_back("any", held, now=float(second), interrupted=False)
    for call in draw(st.sets(st.sampled_from("stuv"))):
        outlook.expect(call, NOW - draw(st.floats(0, 5)), need_in=draw(st.none() | st.floats(0, 30)))
    return outlook


@st.composite
def queues(draw: st.DrawFn) -> list[Waiting]:
    """Tickets in the order of their need, as the queue yields them, of calls that the outlook has not heard from."""
    return sorted(draw(st.lists(st.tuples(needs, st.booleans(), calls), max_size=8)))


def room(outlook: Outlook, waiting: list[Waiting], *, first: bool = False, now: float = NOW, free: int = 0) -> float:
    """Ask for the room of a piece of "me", all who wait being known to the outlook as having asked."""
    for _, _, other in waiting:
        outlook.asked(other)
    outlook.asked("me")
    return outlook.room("me", first=first, now=now, free=free, waiting=waiting)


def least(outlook: Outlook) -> float:
    """The room where another is late already."""
    return outlook.room("me", first=True, now=NOW, free=0, waiting=[(NOW - 99, False, "late")])


def needs_of(outlook: Outlook, waiting: list[Waiting]) -> list[float]:
    """When each other call will need a slot at the latest, in order."""
    patience = outlook.patience_now()
    kept_free = patience * rules._PATIENCE_KEPT_FREE
    due = [need_by - (patience - kept_free) * first for need_by, first, call in waiting if call != "me"]
    for call, prospect in outlook._prospects.items():
        if not outlook.will_need(call):
            due.append(max(prospect.due, NOW) + kept_free)
        else:
            due.append(prospect.due if prospect.due > NOW else NOW + kept_free)
    return sorted(due)


def share(outlook: Outlook) -> float:
    """Seconds of all slots that one other call is reckoned to take."""
    ttfb, clause = outlook.pace.ttfb, outlook.pace.ttfb + outlook.pace.rtf * rules._CLAUSE
    return max(clause, ttfb + rules._OTHERS_SHARE * (least(outlook) - ttfb)) / outlook.slots

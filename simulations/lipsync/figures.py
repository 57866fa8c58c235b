"""What a run of the queue's world came to, in figures, by books and events; what must hold is rules.py's.

The ideal time is that of a plan whose places are all in use as long as there is a job: the seconds that our generations
lived, and those of others' from the first order to the last end, divided by the places. Or, where that is longer, the
whole minutes in which no further generation could be begun.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from attrs import Factory, define, frozen

from orchestrator.events import Event, VideoEnded, VideoRefused
from simulations.lipsync.network import TRANSPORT, Exchange
from simulations.lipsync.refusals import Look, Refused, Span, Told, needless
from simulations.lipsync.world import Ended
from simulations.lipsync.world_events import LifeBegan
from simulations.sync.minutes import MINUTE

SCHEMA = 1
_SAME = 1e-6


@define
class Watch:
    """A sink that notes what only events tell."""

    ends: Counter[str] = Factory(Counter)
    """How often each job was said to have ended."""
    told_by: Counter[str] = Factory(Counter)
    refused: Counter[str] = Factory(Counter)
    """Refusals and failures that the program met, by kind."""
    full_at: list[float] = Factory(list)
    """When it was told that there was no place."""
    births: list[float] = Factory(list)

    def add(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, VideoEnded):
            self.ends[event.job] += 1
            self.told_by[event.told_by] += 1
        elif isinstance(event, LifeBegan):
            self.births.append(event.at)
        elif isinstance(event, VideoRefused):
            self.refused[event.kind] += 1
            if event.kind == "concurrency":
                self.full_at.append(event.at)


@frozen(kw_only=True)
class Pace:
    """How long it took, and how long it would have taken with every place in use; in seconds."""

    seconds: float
    ours: float
    others: float
    places: int
    full_minutes: int

    @property
    def ideal(self) -> float:
        """The ideal time."""
        return max((self.ours + self.others) / self.places, MINUTE * self.full_minutes)

    @property
    def ratio(self) -> float:
        """How many times longer it took; 0 where nothing was made."""
        return self.seconds / self.ideal if self.ideal else 0.0


def pace_of(ended: Ended) -> Pace:
    """Return how fast it went, from the first order to the last end of a job."""
    began = min(order.at for order in ended.orders)
    until = max((job.ended_at - ended.since for job in ended.jobs if job.ended_at is not None), default=began)
    ours, others = spans(ended)
    plan = ended.account.plan
    return Pace(
        seconds=until - began,
        ours=sum(min(each.ends, until) - each.begun for each in ours if each.begun < until),
        others=sum(max(0.0, min(each.ends, until) - max(each.begun, began)) for each in others),
        places=plan.generations,
        full_minutes=(len(ours) - 1) // plan.creates if ours and plan.creates else 0,
    )


def spans(ended: Ended) -> tuple[list[Span], list[Span]]:
    """Return when our generations and others' lived, by the service's books."""
    made = ended.account.generations.values()
    ours = [Span(each.begun, each.ends) for each in made if each.source == "api"]
    return ours, [Span(each.begun, each.ends) for each in made if each.source == "studio"]


def needless_refusals(ended: Ended, watch: Watch) -> list[Refused]:
    """Return the refusals for concurrency that the program could have known of."""
    ours, others = spans(ended)
    looks = [Look(each.begun + TRANSPORT, each.answered) for each in ended.exchanges if _is_look(each)]
    told = Told(limit=ended.account.plan.generations, ours=ours, others=others, looks=looks, births=watch.births)
    creates = [each for each in ended.exchanges if each.method == "POST" and each.status == 429]
    full = [each for each in creates if any(abs(each.answered - at) < _SAME for at in watch.full_at)]
    return needless([Refused(each.begun, each.answered - TRANSPORT) for each in full], told)


def _is_look(exchange: Exchange) -> bool:
    return exchange.target.startswith("/v2/generations?") and "PENDING" in exchange.target and exchange.status == 200


def figures(ended: Ended, watch: Watch, *, seed: int) -> dict[str, Any]:
    """Return the object that a run came to. Seconds are rounded to the thousandth."""
    pace, books = pace_of(ended), ended.account.books.snapshot()
    return {
        "seed": seed,
        "jobs": len(ended.jobs),
        "places": pace.places,
        "seconds": round(pace.seconds, 3),
        "ideal_s": round(pace.ideal, 3),
        "ratio": round(pace.ratio, 4),
        "generation_s": {"ours": round(pace.ours, 3), "others": round(pace.others, 3)},
        "states": dict(sorted(Counter(job.state.value for job in ended.jobs).items())),
        "told_by": dict(sorted(watch.told_by.items())),
        "refused": dict(sorted(watch.refused.items())),
        "needless_refusals": len(needless_refusals(ended, watch)),
        "kills": len(ended.kills),
        "kills_wanted": ended.kills_wanted,
        "killed_at": dict(sorted(Counter(what.partition(":")[0] for what in ended.kills).items())),
        "faults": ended.faults,
        "service": books,
    }

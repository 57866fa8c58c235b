"""What a run comes to: the one object that `--json` prints (section 6 of the design), from events and the books.

It is pure. What is counted is tally.py's and places.py's; reading books and printing are the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
from attrs import Factory, frozen

from orchestrator.events import (
    BargedIn,
    CallEvent,
    CallRefused,
    CallStarted,
    Event,
    GapCause,
    LinkOpened,
    PieceAsked,
    ReplyResumed,
    RunEnded,
)
from orchestrator.settings import RUNGS
from simulations.reports.percentiles import percentile, spread
from simulations.reports.places import Places
from simulations.reports.slot_use import by_weight, jain
from simulations.reports.tally import Tally

SCHEMA = 1


@frozen(kw_only=True)
class RunFacts:
    """What a command knows of its run besides the events; None is what it can't know.

    `seconds` is how long the run was to last: what it lasted is taken from RunEnded where that came. `weights` are the
    calls' shares of the slot (1 where none is given), `groups` the names of theirs, in the
    order to tell them in; the frames are 20 ms each, counted by the legs.
    """

    calls: int
    seconds: float
    seed: int | None = None
    policy: str = "deadline"
    profile: str | None = None
    slots: int | None = None
    links: int | None = None
    weights: Mapping[str, float] = Factory(dict)
    groups: Sequence[str] = ()
    late_frames: int | None = None
    dropped_frames: int | None = None


class Summary:
    """The summary as a sink: `add` every event in order, then ask for the `result` once, when the run is over.

    Only what percentiles need is kept, so it may follow a run of any length.
    """

    def __init__(self) -> None:
        self._all = Tally()
        self._groups: dict[str, Tally] = {}
        self._group_of: dict[str, str] = {}
        self._places = Places()
        self._ended: float | None = None

    def add(self, event: Event) -> None:
        """Take in the next event; never raises, so that it may stand behind `Emit`."""
        self._all.add(event)
        self._places.add(event)
        if isinstance(event, RunEnded):
            self._ended = event.at
        if isinstance(event, CallStarted) and event.group is not None:
            self._group_of[event.call] = event.group
        if isinstance(event, CallEvent) and event.call in self._group_of:
            self._groups.setdefault(self._group_of[event.call], Tally()).add(event)

    def result(self, *, run: RunFacts, books: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the object of section 6; `books` is the simulated provider's snapshot, None for a real one.

        `groups` is there only where calls have a group; what belongs to the whole run is null in a group. `admission`
        is there only where the program said how many calls fit: places.py says what it holds.
        """
        lasted = run.seconds if self._ended is None else self._ended
        known = _Known(run, books, lasted)
        found = _report(self._all, known)
        if (admission := self._places.result(lasted)) is not None:
            found["admission"] = admission
        if self._groups:
            names = [name for name in dict.fromkeys((*run.groups, *self._groups)) if name in self._groups]
            tallies = {name: self._groups[name] for name in names}
            found["groups"] = {name: _report(tally, known.of_group(tally)) for name, tally in tallies.items()}
        rounded: dict[str, Any] = _rounded(found)
        return rounded


def summarise(events: Iterable[Event], *, run: RunFacts, books: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the object of section 6 for a run whose events are all at hand."""
    summary = Summary()
    for event in events:
        summary.add(event)
    return summary.result(run=run, books=books)


@frozen
class _Known:
    """What is known of a run besides its events."""

    run: RunFacts
    books: Mapping[str, Any] | None
    lasted: float

    def book(self, name: str) -> Any:
        return None if self.books is None else self.books.get(name)

    def of_group(self, tally: Tally) -> _Known:
        calls = len(tally.slot.seconds)
        facts = attrs.evolve(self.run, calls=calls, links=None, late_frames=None, dropped_frames=None)
        return _Known(facts, None, self.lasted)


def _report(tally: Tally, known: _Known) -> dict[str, Any]:
    tally.finish(known.lasted)
    run = known.run
    return {
        "schema": SCHEMA,
        "calls": run.calls,
        "seconds": min(run.seconds, known.lasted),  # an interrupted run lasted less; closing down takes a moment more
        "seed": run.seed,
        "policy": run.policy,
        "profile": run.profile,
        "turns": tally.turns,
        "pieces": tally.count(PieceAsked),
        "breaks_inside_sentences_per_100": _per_100(tally.counts["breaks"], tally.count(PieceAsked)),
        **_latencies(tally),
        "slot": _slot(tally, known),
        "links": _links(tally, known),
        "provider": {
            name: known.book(name) for name in ("refused_concurrency", "refused_rate", "refused_links", "errors")
        },
        "words": {name: tally.words[name] for name in ("reply", "heard", "cut", "unspoken")},
        "rungs": {rung: tally.rungs[rung] for rung in RUNGS},
        "local_voice_share": tally.local_voice_share,
        "barge_ins": tally.count(BargedIn),
        "holds_resumed": tally.count(ReplyResumed),
        "calls_refused": tally.count(CallRefused),
        "calls_failed": len(tally.failed),
        "fairness": {
            "jain": jain(by_weight(tally.slot.seconds, run.weights)),
            "largest_lag_s": tally.slot.largest_lag,
        },
        "loop_lag_s": spread(tally.loop_lag),
        "legs": {"late_frames": run.late_frames, "dropped_frames": run.dropped_frames},
    }


def _latencies(tally: Tally) -> dict[str, Any]:
    found = tally.latencies
    over = found.gap_causes.total()
    censored = sum(wait.censored for wait in found.waits)
    return {
        "wait_s": {**spread(wait.seconds for wait in found.waits), "censored": censored},
        "first_audio_s": spread(found.first_audio),
        "response_s": spread(found.response),
        "dead_air_s": spread(found.dead_air),
        "gaps": {
            "over_100ms": over,
            "per_100_turns": _per_100(over, tally.turns),
            "p95_s": percentile(found.joins, 95),
            "causes": {cause.value: found.gap_causes[cause] for cause in GapCause},
        },
    }


def _slot(tally: Tally, known: _Known) -> dict[str, Any]:
    room = known.lasted * (known.run.slots or 0)
    return {
        "limit": known.run.slots,
        "utilisation": tally.slot.busy(known.lasted) / room if room else None,
        "max_in_flight": known.book("max_in_flight"),
        "seconds_per_call": list(tally.slot.seconds.values()),
    }


def _links(tally: Tally, known: _Known) -> dict[str, Any]:
    # A group has no links of its own, so no limit either: only what its requests lost is told.
    return {
        "limit": known.run.links,
        "opened": tally.count(LinkOpened) if known.run.links is not None else None,
        "max_open": known.book("max_open"),
        "dropped": tally.counts["links_dropped"],
    }


def _per_100(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _rounded(value: Any) -> Any:
    """To the microsecond, as events are written."""
    match value:
        case float():
            return round(value, 6)
        case dict():
            return {key: _rounded(each) for key, each in value.items()}
        case list():
            return [_rounded(each) for each in value]
    return value

"""Says how long replies must be silent when calls wait all the time; how long they were silent is latencies.py's.

With N calls on c slots that are never free, each call gets a slot's time for one reply in N/c replies' slot time. What
is left of that after its natural cycle (the cycle of a call that never waits) is silence that no order of calls avoids.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, frozen

from orchestrator.events import Event, FirstAudioPlayed, Gapped, ReplyEnded, ReplyReady

SATURATED = 0.95
"""The part of the slots' time in use above which calls are taken to wait all the time."""


@define
class _Cycle:
    """A cycle that is under way: it began when reply `reply` was ready, and was silent for `silent` seconds."""

    reply: int
    ready: float
    silent: float = 0.0
    sounded: bool = False


class Cycles:
    """Measures natural cycles as a sink, over any calls.

    A cycle lasts from one reply's ready to the next one's in the same call. It is natural without the time from ready
    to the reply's own first audio (to its end, where none came; a filler shortens no wait) and without the gaps.
    """

    def __init__(self) -> None:
        self._open: dict[str, _Cycle] = {}
        self._seconds = 0.0
        self._count = 0

    @property
    def mean(self) -> float | None:
        """Seconds of a natural cycle; None before the first was over."""
        return self._seconds / self._count if self._count else None

    def add(self, event: Event) -> None:
        """Take in the next event."""
        match event:
            case ReplyReady():
                before = self._open.get(event.call)
                if before is not None:
                    self._seconds += event.at - before.ready - before.silent
                    self._count += 1
                self._open[event.call] = _Cycle(event.reply, event.at)
            case FirstAudioPlayed() | ReplyEnded() | Gapped():
                cycle = self._open.get(event.call)
                if cycle is not None and cycle.reply == event.reply:
                    _note(cycle, event)


def _note(cycle: _Cycle, event: FirstAudioPlayed | ReplyEnded | Gapped) -> None:
    if isinstance(event, Gapped):
        cycle.silent += event.seconds
    elif not cycle.sounded:
        cycle.silent += event.at - cycle.ready
        cycle.sounded = True


@frozen(kw_only=True)
class Offered:
    """What was asked of the slots: by so many endless calls, over so many slots."""

    calls: int
    slots: int


def overload(summary: Mapping[str, Any], *, offered: Offered, natural_cycle: float | None) -> dict[str, float] | None:
    """Return slot seconds per reply, the natural cycle and the bound of a reply's mean silence, in seconds, patience
    included; None where the slots were free at times, or nothing can be said."""
    slot, turns = summary["slot"], summary["turns"]
    if not turns or natural_cycle is None or (slot["utilisation"] or 0.0) <= SATURATED:
        return None
    per_reply = sum(slot["seconds_per_call"]) / turns
    bound = max(0.0, offered.calls * per_reply / offered.slots - natural_cycle)
    return {
        "slot_seconds_per_reply": round(per_reply, 6),
        "natural_cycle_s": round(natural_cycle, 6),
        "bound_s": round(bound, 6),
    }

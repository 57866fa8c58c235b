"""Follows how many calls had a place and how many places there were; when calls are taken is the program's decision."""

from __future__ import annotations

from typing import Any

from orchestrator.events import (
    CallEnded,
    CallEvent,
    CallQueued,
    CallRefused,
    CallStarted,
    CallState,
    CallStateChanged,
    Event,
    PlacesChanged,
)


class Places:
    """Places and the calls on them as a sink: `add` every event in order, ask for the `result` when the run is over.

    It counts from the first PlacesChanged on: before it, or without one, admission was off. A call has its place from
    CallStarted to CallEnded, or from where it no longer waits for it; one that is refused never had one.
    """

    def __init__(self) -> None:
        self._places: int | None = None
        self._calls: set[str] = set()
        self._waiting: set[str] = set()
        self._refused = self._queued = 0
        self._then = 0.0
        self._seconds = self._place_seconds = self._call_seconds = 0.0

    def add(self, event: Event) -> None:
        """Take in the next event."""
        match event:
            case CallStarted():
                self._pass(event.at)
                self._calls.add(event.call)
            case CallQueued():
                self._leave(event)
                self._waiting.add(event.call)
                self._queued += 1
            case CallStateChanged() if event.call in self._waiting and event.state is not CallState.WAITING:
                self._pass(event.at)
                self._waiting.remove(event.call)
                self._calls.add(event.call)
            case CallRefused():
                self._leave(event)
                self._refused += 1
            case CallEnded():
                self._leave(event)
            case PlacesChanged():
                self._pass(event.at)
                self._places = event.places

    def result(self, at: float) -> dict[str, Any] | None:
        """Return the places at the end of the run, `at`, their mean over time, the part of them that calls had, and
        how many calls were refused and queued; None where admission was off."""
        if self._places is None:
            return None
        self._pass(at)
        return {
            "places": self._places,
            "mean_places": self._place_seconds / self._seconds if self._seconds else float(self._places),
            "occupancy": self._call_seconds / self._place_seconds if self._place_seconds else None,
            "refused": self._refused,
            "queued": self._queued,
        }

    def _leave(self, event: CallEvent) -> None:
        self._pass(event.at)
        self._calls.discard(event.call)
        self._waiting.discard(event.call)

    def _pass(self, at: float) -> None:
        passed, self._then = max(at - self._then, 0.0), max(at, self._then)
        if self._places is not None:
            self._seconds += passed
            self._place_seconds += passed * self._places
            self._call_seconds += passed * len(self._calls)

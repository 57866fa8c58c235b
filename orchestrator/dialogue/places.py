"""Hands out places to calls: at once, from a bounded queue, or none; and takes no more calls once the program stops.

How many places there are is admission.py's, what a caller hears who has none reception's.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

import trio
from attrs import Factory, define

from orchestrator import events
from orchestrator.dialogue.admission import Admission
from orchestrator.ports import Emit, Now
from orchestrator.settings import AdmissionSettings

_SETTLED_EVERY = 1.0
"""Seconds between two looks at the waits: they change with every reply."""


class Stage(Enum):
    """Where a call stands at the door."""

    WAITING = "waiting"
    TAKEN = "taken"
    REFUSED = "refused"


@define(eq=False)
class Seat:
    """One call's place, or its wish for one. `why` it was refused: "full", "waited" or "draining".

    `scope` covers the call as long as it has its place: cancelled, it is told goodbye.
    """

    call: str
    stage: Stage = Stage.REFUSED
    why: str = ""
    scope: trio.CancelScope = Factory(trio.CancelScope)
    decided: trio.Event = Factory(trio.Event)
    gone: trio.Event = Factory(trio.Event)


class Places:
    """The calls that have places, those that wait for one, and those that are being refused.

    Feed it every event with `hear`. Every seat that `ask` gives must `leave` when its call is over.
    """

    def __init__(self, admission: Admission, *, emit: Emit, now: Now) -> None:
        self._admission = admission
        self._emit = emit
        self._now = now
        self._draining = False
        self._here: dict[Seat, None] = {}
        self._queue: deque[Seat] = deque()
        self._none_taken = trio.Event()
        self._settled_at = float("-inf")

    @property
    def calls(self) -> int:
        """How many calls have a place."""
        return self._admission.calls

    @property
    def full(self) -> bool:
        """Whether a call that asked now would be refused for want of a place."""
        settings = self._admission.settings
        return settings.on and self.calls >= self._admission.places and len(self._queue) >= settings.queue

    def ask(self, call: str) -> Seat:
        """Take a place for a call, or have it wait for one, or refuse it: decided synchronously."""
        self._settle()
        seat = Seat(call)
        self._here[seat] = None
        if self._draining:
            self._refuse(seat, "draining")
        elif not self._queue and self._admission.reserve():
            self._take(seat)
        elif len(self._queue) < self._admission.settings.queue:
            seat.stage = Stage.WAITING
            self._queue.append(seat)
            self._emit(events.CallQueued(at=self._now(), call=call, waiting=len(self._queue)))
        else:
            self._refuse(seat, "full")
        return seat

    def give_up(self, seat: Seat) -> None:
        """The call has waited for too long; harmless when it has its place by now."""
        if seat.stage is Stage.WAITING:
            self._queue.remove(seat)
            self._refuse(seat, "waited")

    def leave(self, seat: Seat) -> None:
        """The call is over; harmless a second time."""
        if seat.gone.is_set():
            return
        seat.gone.set()
        del self._here[seat]
        if seat.stage is Stage.TAKEN:
            self._admission.release()
        elif seat.stage is Stage.WAITING:
            self._queue.remove(seat)
        self._settle()

    def hear(self, event: events.Event) -> None:
        """Take in what happened."""
        if self._admission.hear(event) and event.at >= self._settled_at + _SETTLED_EVERY:
            self._settle()

    def use(self, settings: AdmissionSettings, *, slots: int) -> None:
        """Go by other settings from now on."""
        self._admission.settings = settings
        self._admission.slots = slots
        self._settle()

    # --- the end of the program ---

    def shut(self) -> None:
        """Take no more calls; those that wait are refused."""
        self._draining = True
        while self._queue:
            self._refuse(self._queue.popleft(), "draining")
        self._settle()

    def dismiss(self) -> None:
        """Have the calls that still go on told goodbye."""
        for seat in self._taken():
            seat.scope.cancel()

    async def wait_none_taken(self) -> None:
        """Wait until no call has a place."""
        while self.calls:
            if self._none_taken.is_set():
                self._none_taken = trio.Event()
            await self._none_taken.wait()
        await trio.lowlevel.checkpoint()

    async def wait_gone(self) -> None:
        """Wait until the calls that are here now, refused ones included, are over."""
        for seat in tuple(self._here):
            await seat.gone.wait()
        await trio.lowlevel.checkpoint()

    # --- one settle function ---

    def _settle(self) -> None:
        """Look how many places there are, and hand out those that are free."""
        self._settled_at = self._now()
        changed = self._admission.settle(self._settled_at)
        if changed is not None:
            self._emit(changed)
        while self._queue and self._admission.reserve():
            self._take(self._queue.popleft())
        if not self.calls:
            self._none_taken.set()

    def _take(self, seat: Seat) -> None:
        seat.stage = Stage.TAKEN
        seat.decided.set()

    def _refuse(self, seat: Seat, why: str) -> None:
        seat.stage, seat.why = Stage.REFUSED, why
        seat.decided.set()
        calls, places = self.calls, self._admission.places
        self._emit(events.CallRefused(at=self._now(), call=seat.call, reason=why, calls=calls, places=places))

    def _taken(self) -> list[Seat]:
        return [seat for seat in self._here if seat.stage is Stage.TAKEN]

"""What everything that works on one call needs to know of it: its leg, its clock, and what it is doing just now."""

from __future__ import annotations

from orchestrator.events import CallState, CallStateChanged
from orchestrator.ports import Emit, Leg, Now
from orchestrator.settings import Settings


class Line:
    """One call's leg and state. `call` is its id, `began` its zero on the run's clock.

    `caller_waits` from the end of the caller's turn to the first word of any voice. `weight` is its share of the slot
    when calls compete; the replies to come go by it.
    """

    def __init__(self, leg: Leg, *, settings: Settings, emit: Emit, now: Now) -> None:
        self.call = leg.facts.id
        self.leg = leg
        self.settings = settings
        self.emit = emit
        self.now = now
        self.began = now()
        self.state: CallState | None = None
        self.caller_waits = False
        self.weight = 1.0

    def enter(self, state: CallState) -> None:
        """Note that the call is in `state` now."""
        if state is not self.state:
            self.state = state
            self.emit(CallStateChanged(at=self.now(), call=self.call, state=state))

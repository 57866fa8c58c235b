"""Which faults are armed at one provider and which have struck; what they do where they strike is not decided here."""

from __future__ import annotations

import random
from collections import deque

from orchestrator.ports import Now
from simulations.waves.faults.fault import Fault

_STRUCK_KEPT = 1000


class Faults:
    """The faults of one provider. Struck where the provider asks: `strike("stall", ...)` at the point of each kind."""

    def __init__(self, *, now: Now, rng: random.Random) -> None:
        self._now = now
        self._rng = rng
        self._armed: deque[Fault] = deque()
        self.struck: deque[tuple[float, str]] = deque(maxlen=_STRUCK_KEPT)

    def strike(self, *names: str) -> Fault | None:
        """Return the first armed fault of these names, which strikes now and is noted; None as mostly."""
        for fault in self._armed:
            if fault.name in names:
                self._armed.remove(fault)
                self.struck.append((self._now(), fault.name))
                return fault
        return None

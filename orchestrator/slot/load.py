"""How busy the slots have been of late: running shares, pure, told the time.

What follows from it is outlook.py's.
"""

from __future__ import annotations

import math

from attrs import define, field


@define
class BusyShare:
    """The part of all slots' time that was used, weighted towards the last `window` seconds.

    It starts at one half, since nothing is known.
    """

    window: float
    slots: int
    _share: float = field(default=0.5, init=False)
    _at: float = field(default=0.0, init=False)

    def used(self, seconds: float, now: float) -> None:
        """A slot came back at `now` after so many seconds."""
        self._share = self.at(now) + seconds / (self.window * self.slots)
        self._at = now

    def at(self, now: float) -> float:
        """Return the share as of `now`, about 0 to 1."""
        return self._share * math.exp(-max(0.0, now - self._at) / self.window)

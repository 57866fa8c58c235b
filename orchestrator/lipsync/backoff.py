"""How long something is left alone that failed several times in a row: full jitter, growing to a minute; pure.

What failed, and what is left alone because of it, is account.py's.
"""

from __future__ import annotations

from typing import Self

from attrs import evolve, frozen

_FIRST = 1.0
"""Seconds that the first pause lasts at most, doubled with each further failure in a row."""
_MOST = 60.0
_LEAST = 0.2
"""Whatever is drawn: never a tight loop."""


def pause(failures: int, *, draw: float, asked_for: float | None = None) -> float:
    """Return how many seconds to wait after so many earlier failures in a row, `draw` (0 to 1) being the jitter.

    What the service asked for is enough the first time; if it was not enough, it is the least.
    """
    drawn = draw * min(_MOST, _FIRST * 2.0 ** min(failures, 10))
    if asked_for is not None:
        drawn = max(asked_for, drawn if failures else 0.0)
    return max(_LEAST, drawn)


@frozen
class Backoff:
    """Failures in a row, and until when (in Unix seconds) no other try is made because of them."""

    failures: int = 0
    until: float = 0.0
    well: bool = False
    """Whether the last try was successful, as far as is known."""

    def failed(self, now: float, seconds: float) -> Self:
        """A try failed, which asks for so many seconds of rest.

        One that fails during a rest began before it, and so counts as no further one.
        """
        failures = max(1, self.failures + (now >= self.until))
        return evolve(self, failures=failures, until=max(self.until, now + seconds), well=False)

    def passed(self) -> Self:
        """A try was successful; a rest that was asked for in the meantime is kept."""
        return evolve(self, failures=0, well=True)


@frozen
class Held(Backoff):
    """A single job, batch or look, left alone because of its own failures, of which the last one said `error`."""

    own: int = 0
    """How many of a job's failures were its own fault: when they came, the last one of another job had passed."""
    error: str = ""
    code: str = ""

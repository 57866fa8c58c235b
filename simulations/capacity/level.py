"""Decides when a run shows that its calls are inside the service level, and when that is clear enough to stop; pure.

Running calls is runs.py's, how many calls to try search.py's.
"""

from __future__ import annotations

import math

from attrs import field, frozen, validators

WAIT_PERCENT = 95
"""So many of a hundred waits are to be no longer than the level says."""

# --- the sequential test: what it may get wrong, and how uneven the world is before it was measured ---

_ERROR = 0.02
"""Chance of a wrong verdict, either way, where the true rate lies at an edge of the zone."""
_ZONE = 1.25
"""Rates within this factor of the limit are as good as at it: there a clear verdict may be wrong more often."""
_UNEVEN_CALLS, _UNEVEN_BLOCKS = 3.0, 4
"""A third of the calls is taken for the dispersion before it was measured, and counts as much as four blocks. Measured
for late waits / gaps, fast, in blocks of 1, 2, 5 and 10 minutes: 2.0/3.7, 1.8/3.5, 1.3/3.0, 0.9/3.5 with nine calls at
a talk share of 0.57; 3.2/7.9, 4.1/9.5, 6.7/12.8, 9.5/11.7 with 17 at 0.3 (one too many, with longer bad moments); about
1 with two and three calls at slow and mid."""
LEAST_BLOCKS = 4
"""No verdict is clear before."""


@frozen(kw_only=True)
class Level:
    """The service level: what a caller may have to bear."""

    wait: float = field(default=0.5, validator=validators.ge(0.0))
    """Seconds that 95 of 100 waits are not to exceed."""
    gaps: float = field(default=1.0, validator=validators.ge(0.0))
    """Gaps over 100 ms in 100 turns, at most."""

    def __str__(self) -> str:
        gaps = "1 gap" if self.gaps == 1 else f"{self.gaps:g} gaps"
        return f"p95 wait <= {self.wait:g} s and at most {gaps} over 100 ms in 100 turns"


@frozen(kw_only=True)
class Counts:
    """What was counted in a stretch of time; `late` waits were longer than the level's."""

    waits: int = 0
    late: int = 0
    turns: int = 0
    gaps: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            waits=self.waits + other.waits,
            late=self.late + other.late,
            turns=self.turns + other.turns,
            gaps=self.gaps + other.gaps,
        )


class RateTest:
    """Whether something happens at most `limit` times per trial: Wald's sequential test, fed with blocks of trials.

    It tells limit / 1.25 from limit * 1.25 with at most 2 errors in 100 either way; between them (the indifference
    zone) errors are likelier and the test takes long. What happens in one block tends to happen in heaps: one bad
    moment of a full slot makes several callers wait. So the likelihood ratio (of two Poisson rates) is divided by the
    dispersion of the blocks' counts: variance by mean, as measured, `uneven` to begin with, at least 1. Blocks should
    be longer than a bad moment.
    """

    def __init__(self, limit: float, *, uneven: float) -> None:
        self._limit = limit
        self._uneven = max(1.0, uneven)
        self._trials = 0
        self._events = 0
        self._blocks = 0
        self._squares = 0.0

    def add(self, events: int, *, trials: int) -> None:
        """Take in a block; one without trials says nothing."""
        if trials == 0:
            return
        self._blocks += 1
        self._trials += trials
        self._events += events
        self._squares += events**2 / trials

    @property
    def dispersion(self) -> float:
        """Variance by mean of the blocks' counts (Pearson's statistic), drawn towards what it is taken for at first."""
        if self._events == 0:
            return self._uneven
        pearson = self._squares * self._trials / self._events - self._events
        return max(1.0, (_UNEVEN_BLOCKS * self._uneven + pearson) / (_UNEVEN_BLOCKS + self._blocks - 1))

    @property
    def within(self) -> bool | None:
        """Whether the rate is at most the limit; None where that is not clear yet."""
        log_ratio = 2 * math.log(_ZONE) * self._events - self._limit * (_ZONE - 1 / _ZONE) * self._trials
        bound = math.log((1 - _ERROR) / _ERROR) * self.dispersion
        if self._blocks < LEAST_BLOCKS or abs(log_ratio) < bound:
            return None
        return log_ratio < 0


class LevelTest:
    """Whether so many `calls` are inside the level, block by block: inside needs both parts of it, outside either."""

    def __init__(self, level: Level, *, calls: int) -> None:
        self.counts = Counts()
        self._level = level
        uneven = calls / _UNEVEN_CALLS
        self._late = RateTest((100 - WAIT_PERCENT) / 100, uneven=uneven)
        self._gaps = RateTest(level.gaps / 100, uneven=uneven)

    def add(self, block: Counts) -> None:
        """Take in what was counted in the next stretch of time; all of them are as long as each other."""
        self.counts += block
        self._late.add(block.late, trials=block.waits)
        self._gaps.add(block.gaps, trials=block.turns)

    @property
    def clear(self) -> bool | None:
        """The verdict once it is clear (True: inside), else None."""
        parts = (self._late.within, self._gaps.within)
        if False in parts:
            return False
        return None if None in parts else True

    @property
    def inside(self) -> bool:
        """The verdict: the clear one, or what the counts themselves say. Nothing said at all is not inside."""
        if self.clear is not None:
            return self.clear
        counts = self.counts
        late_allowed = counts.waits * (100 - WAIT_PERCENT) // 100
        return counts.waits > 0 and counts.late <= late_allowed and 100 * counts.gaps <= self._level.gaps * counts.turns

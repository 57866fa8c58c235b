"""One life of the program, which may end at any moment: between two effects, or in the middle of one; it does nothing.

An effect is what somebody else can see: a write to the store, bytes on a connection. Whoever is about to have one asks
first (`step`); from the end on nobody gets leave.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Literal

import trio
from attrs import define, field, frozen

Start = Literal["anything", "accept", "create", "upload", "look", "fetch", "webhook", "notice"]
STARTS: tuple[Start, ...] = ("anything", "accept", "create", "create", "upload", "look", "fetch", "webhook", "notice")
_MOST_EFFECTS = 12
"""A create request, from its first bytes to its answer in the store, has about as many."""
_DOWN = (0.5, 5.0)


class Killed(BaseException):
    """The process does not live any more. No program can catch it: what it still does has no effect."""


@frozen(kw_only=True)
class Kill:
    """When a life ends: so many `effects` after the first `start` from `at` (run clock) on, or after the first effect
    of any sort where that does not come by `late`; then nothing lives for `down` seconds."""

    at: float
    late: float
    start: Start
    effects: int
    down: float


def draw_kills(count: int, *, seed: int, within: float) -> tuple[Kill, ...]:
    """Return so many kills, spread over so many seconds."""
    rng = random.Random(f"{seed}:kills")
    times = sorted(rng.uniform(0.0, within) for _ in range(count))
    patience = within / (2 * count) if count else 0.0
    return tuple(
        Kill(
            at=at,
            late=at + patience,
            start=rng.choice(STARTS),
            effects=rng.randrange(_MOST_EFFECTS),
            down=rng.uniform(*_DOWN),
        )
        for at in times
    )


@define(eq=False)
class Life:
    """One life; `kill` ends it (None: it ends by itself), the first of so many `kills` that are still to come.

    `jobs` says how many jobs have not ended yet: where no more of them are left than kills, the kill does not wait for
    its time, and with the last job it comes at the next effect.
    """

    kill: Kill | None = None
    kills: int = 1
    jobs: Callable[[], float] = lambda: math.inf
    over: bool = field(default=False, init=False)
    last: str = field(default="", init=False)
    """What it was about to do when it ended."""
    _left: int | None = field(default=None, init=False)

    def step(self, what: str) -> None:
        """Something is about to happen that others see, `what`: its sort first. Raises Killed where it does not."""
        if self.over:
            raise Killed
        if self._is_due(what):
            self.over, self.last = True, what
            raise Killed

    def _is_due(self, what: str) -> bool:
        kill = self.kill
        if kill is None:
            return False
        jobs = self.jobs()
        if jobs <= 1:
            return True
        pressing = jobs <= self.kills
        if trio.current_time() < kill.at and not pressing:
            return False
        if self._left is None:
            late = pressing or trio.current_time() > kill.late
            if not late and kill.start not in ("anything", what.partition(":")[0]):
                return False
            self._left = kill.effects
        self._left -= 1
        return self._left < 0

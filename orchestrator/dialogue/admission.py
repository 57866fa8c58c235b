"""Decides how many calls fit, from what is known of the provider, of the calls and of their waits; pure, told the time.

What becomes of a call that finds no place is places.py's and reception's.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from functools import partial

from attrs import define, field

from orchestrator.dialogue.talk_share import TalkShare
from orchestrator.events import Event, PlacesChanged, SlotGranted, TicketLeft
from orchestrator.settings import AdmissionSettings
from orchestrator.slot.capacity import CapacityTable
from orchestrator.slot.pace import Pace

_WINDOW = 120.0
"""Seconds of which the waits count (DESIGN.md 5.6)."""
_ENOUGH = 20
"""Waits from which on their p95 says something: of fewer it would be the longest."""
_RESTORED_BELOW = 0.9
"""Part of the level to which the p95 must have come down before a place is given back."""
_RESTORED_EVERY = 30.0
"""Seconds between two places that are given back."""
_TRIED_EVERY = 180.0
"""Seconds until as many places are given as were too many the last time: they may still be, and no caller should pay
for that every other minute."""
_PIECES_SEEN = 3
"""Pieces after which the pace is no guess any more."""
_GUESSED_PER_SLOT = 4
"""Calls a slot until then: the published rule of thumb (facts/waves.md). A guessed pace would refuse the first
callers of a fast account, no bound at all would let in what a slow one cannot bear."""
_SHARE = 0.05
"""Weight of a newer pace in the running means: the scheduler's own would have places come and go."""
_MEASURED = 0.03
"""Part by which work that was measured may be above its true value: at a cell of the table its number holds."""
_BAND = 0.05
"""Part by which the work must be less or more than at the next number of calls before that number holds."""


@define
class _Speed:
    """Slow means of the provider's pace."""

    ttfb: float = 0.0
    rtf: float = 0.0
    pieces: int = 0
    """How many pieces the pace had seen when it was looked at last."""
    _looks: int = 0

    def look(self, pace: Pace) -> bool:
        """Take the pace in if it is news; return whether it was."""
        if pace.pieces == self.pieces:
            return False
        self._looks += 1
        share = max(1 / self._looks, _SHARE)
        self.ttfb += share * (pace.ttfb - self.ttfb)
        self.rtf += share * (pace.rtf - self.rtf)
        self.pieces = pace.pieces
        return True


@define
class _Waits:
    """The waits of first pieces: when each ended (run clock), how long it was, how many calls there were then."""

    _ended: deque[tuple[float, float, int]] = field(factory=deque)

    def add(self, now: float, seconds: float, *, calls: int) -> None:
        """Note a wait that ended now."""
        self._ended.append((now, seconds, calls))
        self._forget(now)

    @property
    def most_calls(self) -> int:
        """How many calls the waits were shared by, at most."""
        return max((calls for _, _, calls in self._ended), default=0)

    def p95(self, now: float) -> float | None:
        """Return the p95 (nearest rank) of the last two minutes; None while there are too few to tell."""
        self._forget(now)
        if len(self._ended) < _ENOUGH:
            return None
        return sorted(seconds for _, seconds, _ in self._ended)[math.ceil(0.95 * len(self._ended)) - 1]

    def _forget(self, now: float) -> None:
        while self._ended and self._ended[0][0] < now - _WINDOW:
            self._ended.popleft()


class Admission:
    """How many calls there may be, and how many there are. `settings` and `slots` may be set anew at any time.

    `fitting` is what the table (or `admission.calls`) says, `places` that less what the measured waits ask for: never
    below 1. Feed it every event with `hear`; `settle` says when the places have changed.
    """

    def __init__(self, table: CapacityTable, *, settings: AdmissionSettings, pace: Pace, slots: int) -> None:
        self.settings = settings
        self.slots = slots
        self.calls = 0
        self.fitting = 0
        self.talk_share = TalkShare()
        self._table = table
        self._pace = pace
        self._speed = _Speed()
        self._waits = _Waits()
        self._withheld = 0
        """Places that the waits have cost."""
        self._too_many = math.inf
        """How many places there were when the waits were too long the last time."""
        self._moved_at = -math.inf
        self._told = 0
        self._hearing: dict[type[Event], Callable[..., None]] = {
            SlotGranted: self._granted,
            TicketLeft: self._left,
            **self.talk_share.handlers(),
        }
        self._fit()

    @property
    def places(self) -> int:
        """How many calls there may be."""
        return max(1, self.fitting - self._withheld)

    def reserve(self) -> bool:
        """Take a place for a call; False if there is none (with admission off there always is)."""
        if self.settings.on and self.calls >= self.places:
            return False
        self.calls += 1
        return True

    def release(self) -> None:
        """A call that had a place is over."""
        self.calls -= 1

    def hear(self, event: Event) -> bool:
        """Take in what happened; return whether it bears on the places."""
        handler = self._hearing.get(type(event))
        if handler is not None:
            handler(event)
        return isinstance(event, SlotGranted | TicketLeft)

    def settle(self, now: float) -> PlacesChanged | None:
        """Decide anew how many places there are; return the event that tells it, if the number is another one."""
        if not self.settings.on:
            return None
        self._fit()
        p95 = self._waits.p95(now)
        self._weigh(p95, now)
        if self.places == self._told:
            return None
        self._told = self.places
        return PlacesChanged(at=now, places=self.places, fitting=self.fitting, p95_wait=p95)

    # --- what fits ---

    def _fit(self) -> None:
        self._speed.look(self._pace)
        if self.settings.calls:
            self.fitting = self.settings.calls
        elif self._speed.pieces < _PIECES_SEEN:
            self.fitting = _GUESSED_PER_SLOT * self.slots
        elif not self._fits(1 + _BAND) <= self.fitting <= self._fits(1 - _BAND):
            self.fitting = self._fits(1.0)

    def _fits(self, more: float) -> int:
        """Return the table's number for `more` times the work that was measured."""
        work = more * (1 - _MEASURED)
        fit = partial(self._table.fit, ttfb=work * self._speed.ttfb, rtf=work * self._speed.rtf)
        return max(1, fit(talk_share=min(work * self.talk_share.share, 1.0), slots=self.slots))

    # --- what the waits ask for ---

    def _granted(self, event: SlotGranted) -> None:
        if event.first:
            wait = event.waited if event.wait is None else event.wait
            self._waits.add(event.at, wait, calls=self.calls)

    def _left(self, event: TicketLeft) -> None:
        # A wait that never ended, because the caller spoke or another voice did, counts as far as it went.
        if event.first:
            self._waits.add(event.at, event.waited, calls=self.calls)

    def _weigh(self, p95: float | None, now: float) -> None:
        """Withhold a place while the waits are too long, once in a window: the next step bears on waits after this one.

        What is given back comes place by place, and only from well below the level: so the places do not hunt.
        """
        if p95 is not None and p95 > self.settings.level:
            if now >= self._moved_at + _WINDOW:
                self._withhold(now)
        elif p95 is None or p95 <= _RESTORED_BELOW * self.settings.level:
            within = _TRIED_EVERY if self.places + 1 == self._too_many else _RESTORED_EVERY
            if self._withheld and now >= self._moved_at + within:
                self._withheld -= 1
                self._moved_at = now

    def _withhold(self, now: float) -> None:
        """One place less; where there were fewer calls than places all the time, no more than they are enough."""
        self._too_many = self.places
        self._withheld = self.fitting - max(1, min(self.places - 1, self._waits.most_calls))
        self._moved_at = now

"""Decides how long a piece may hold the slot, from what the other calls will need and when; pure, told the time.

Who gets the slot is queue.py's, what text fills the time portions.py's. The figures were found by search over the
reference workload in a model of it, and checked with other seeds; `simulations` measures what they come to.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from attrs import Factory, define, field, frozen

from orchestrator.ports import Ask
from orchestrator.slot.crowd import Crowd
from orchestrator.slot.load import BusyShare
from orchestrator.slot.lulls import Lulls
from orchestrator.slot.pace import Pace

_CLAUSE = 1.3
"""Seconds of speech in a usual clause: the least that another call will ask for."""
_CLAUSES_OF_PATIENCE = 1.5
"""A first piece is late when it has waited for the setting and as long as so many clauses hold the slot."""
_LONGEST_PATIENCE = 0.6
_CROWDED, _CROWDED_PATIENCE, _CROWD_PER_SECOND = 1.0, 0.25, 6.0
"""Where pieces must be longer than so many seconds of speech, patience grows by a second for every 6 more, a quarter of
a second at most: fewer gaps for longer waits, where both can't be had."""
_PATIENCE_KEPT_FREE = 2 / 3
"""Part of its patience that is kept for a first piece when lengths are chosen: the rest covers surprises."""
_KEEPING_UP = 0.75
"""Seconds of slot up to which pieces grow so that a round of all calls keeps up."""
_LONGEST_IN_CROWD = 1.0
"""Seconds of slot that every piece may take where nothing keeps up: each request saved is time for all."""
_SPARE = 0.2
"""Part of the calls that have nothing to ask for just now which is reckoned with all the same."""
_OTHERS_SHARE = 0.6
"""Others ask for so much of a piece that keeps up, or for a clause where that is more."""
_HOPELESS = 0.93
"""From this share of the slots' time on no length of pieces keeps up."""
_LONG, _LONG_IN_CALM = 0.6, 2.0
"""Seconds of slot that a later piece takes at most for the sake of calls that nobody knows of yet."""
_ODD_TURNAROUND = 5.0
"""Seconds: a longer time until a bot's first text says nothing of the usual one."""
_CALM = 0.5
"""The slots' share of use, over a minute, and the seconds of speech a round needs, below both of which all is calm."""
_LEISURE = 0.3
"""Seconds that a first piece waits, at most, for its sentence to be complete when all is calm."""


Waiting = tuple[float, bool, str]
"""A ticket in the queue: when it is needed, whether it is for a first piece, whose it is."""


@frozen
class Prospect:
    """A call that will ask for a piece about `due`: its caller is `silent_since` then, or has sound until then."""

    due: float
    silent_since: float | None = None

    def need_by(self, now: float, patience: float) -> float:
        """When its piece is needed: a call that begins, or should have asked by now, can wait from then on."""
        return max(self.due, now) + patience if self.silent_since is not None or self.due <= now else self.due


@define
class Turnaround:
    """How long it takes from a caller's falling silent to the first text: running mean and spread, in seconds."""

    mean: float = 1.0
    variance: float = 0.1
    _share: float = 0.05

    def learn(self, seconds: float) -> None:
        """Take one in."""
        off = seconds - self.mean
        self.mean += self._share * off
        self.variance += self._share * (off * off - self.variance)

    @property
    def early(self) -> float:
        """How soon it may well be: half a standard deviation under the mean."""
        return max(0.0, self.mean - 0.5 * math.sqrt(self.variance))


@define(kw_only=True)
class Outlook:
    """What is known of the calls' needs. `patience` is the setting, in seconds."""

    pace: Pace
    slots: int
    patience: float
    turnaround: Turnaround = field(factory=Turnaround)
    _lately: BusyShare = field(default=Factory(lambda new: BusyShare(60.0, new.slots), takes_self=True), init=False)
    _prospects: dict[str, Prospect] = field(factory=dict, init=False)
    _calls: set[str] = field(factory=set, init=False)
    _active: set[str] = field(factory=set, init=False)
    """Calls that have more to ask for, from their caller's falling silent to their reply's last piece."""
    _crowd: Crowd = field(factory=Crowd, init=False)
    _lulls: Lulls = field(factory=Lulls, init=False)

    # --- what is known of the calls ---

    def expect(self, call: str, now: float, *, need_in: float | None = None) -> None:
        """The call will ask: by `need_in` seconds from now, or some time after its caller fell silent just now."""
        self._calls.add(call)
        self._active.add(call)
        if need_in is None:
            self._lulls.spoke(call, now)
            self._prospects[call] = Prospect(now + self.turnaround.early, now)
        else:
            self._prospects[call] = Prospect(now + need_in - self.pace.ttfb)

    def will_need(self, call: str) -> bool:
        """Whether the call is in the middle of a reply, and has not asked for the next piece yet."""
        prospect = self._prospects.get(call)
        return prospect is not None and prospect.silent_since is None

    def unexpect(self, call: str) -> None:
        """The call will not ask for anything in the near future."""
        self._prospects.pop(call, None)
        self._active.discard(call)

    def forget(self, call: str) -> None:
        """The call is over."""
        self.unexpect(call)
        self._calls.discard(call)
        self._lulls.forget(call)
        self._crowd.forget(call)

    def asks(self, ask: Ask, now: float) -> tuple[float, float]:
        """The call queues up; return when its piece is needed, and how many seconds before that it goes in a crowd."""
        self._lulls.will_sound(ask.call, now + self.pace.audio_within(ask.expected) + max(0.0, ask.need_in))
        ready_at = now - ask.since_ready
        self.asked(ask.call, ready_at=ready_at if ask.first else None)
        if ask.first:
            return ready_at + self.patience_now(), 0.0
        return now + ask.need_in - self.pace.ttfb, self._crowd.behind(ask.call)

    def asked(self, call: str, *, ready_at: float | None = None) -> None:
        """The call has queued up; `ready_at` for the first piece of a reply: since when there is text for it."""
        prospect = self._prospects.pop(call, None)
        self._calls.add(call)
        self._active.add(call)
        since = None if prospect is None else prospect.silent_since
        if since is not None and ready_at is not None and ready_at >= since:  # else it answers an earlier turn
            self.turnaround.learn(min(ready_at - since, _ODD_TURNAROUND))

    def allow(self, slots: int) -> None:
        """The account has so many slots from now on."""
        self.slots = self._lately.slots = slots

    def granted(self, ask: Ask, *, late: float, alone: bool) -> None:
        """A ticket was granted, `late` seconds after its need; `alone` says that our own calls are the only reason."""
        self._crowd.granted(ask, late=late, alone=alone)

    def gave_back(self, call: str, held: float, *, now: float, interrupted: bool) -> None:
        """The call's slot came back after so many seconds; `interrupted` says that its reply was cut."""
        self._lately.used(held, now)
        if interrupted:
            self._lulls.spoke(call, now)

    # --- what follows ---

    def patience_now(self) -> float:
        """Return how long a first piece may wait, in seconds: by the learned speed, longer in a crowd."""
        learned = min(self.patience + _CLAUSES_OF_PATIENCE * self.pace.holds(_CLAUSE), _LONGEST_PATIENCE)
        crowd = max(0.0, self._audio_to_keep_up(self._reckoned) - _CROWDED) / _CROWD_PER_SECOND
        return max(self.patience, learned) + min(_CROWDED_PATIENCE, crowd)

    @property
    def crowded(self) -> bool:
        """Whether there is more to say than time to say it."""
        return self._crowd.is_there

    def leisure(self, now: float) -> float:
        """Return the seconds that a first piece should wait for the rest of its sentence; 0 if not all is calm."""
        idle = _CALM - self._lately.at(now)
        if idle <= 0 or self._audio_to_keep_up(len(self._active)) >= _CALM:
            return 0.0
        return min(_LEISURE, 2 * idle)

    def idle_for(self, now: float) -> float:
        """Return for how many seconds nobody will need a slot if no caller interrupts; 0 while one speaks."""
        return min((self._idle(call, now) for call in self._calls), default=float("inf"))

    def _idle(self, call: str, now: float) -> float:
        prospect = self._prospects.get(call)
        if prospect is not None and prospect.silent_since is None:
            return max(0.0, prospect.due - now)
        return 0.0 if call in self._active else self._lulls.of(call, now, thinks=self.turnaround.early)

    def room(self, call: str, *, first: bool, now: float, free: int, waiting: Iterable[Waiting]) -> float:
        """Return for how many seconds a piece of `call` may hold the slot.

        `free` slots are left beside it; `waiting` are the most urgent tickets that are still in the queue.
        """
        slack = self._slack(call, now=now, free=free, waiting=waiting)
        if not first:
            longest = _LONG if self.leisure(now) <= 0 else _LONG_IN_CALM
            slack = min(slack, longest + self.pace.trail)
        return max(slack, self._keeping_up)

    @property
    def _keeping_up(self) -> float:
        """Seconds of slot that pieces need so that a round of all calls keeps up, within reason."""
        keeping_up = self.pace.holds(self._audio_to_keep_up(self._reckoned))
        return _LONGEST_IN_CROWD if self.crowded else min(_KEEPING_UP, keeping_up)

    @property
    def _reckoned(self) -> float:
        """How many calls to reckon with in a round."""
        return len(self._active) + _SPARE * (len(self._calls) - len(self._active))

    def _audio_to_keep_up(self, calls: float) -> float:
        """Return the seconds of audio a piece needs so that so many calls, one after the other, don't run dry."""
        calls /= self.slots
        share = calls * self.pace.rtf
        return calls * self.pace.overhead / (1 - share) if share < _HOPELESS else float("inf")

    def _slack(self, call: str, *, now: float, free: int, waiting: Iterable[Waiting]) -> float:
        """Seconds until some other call would be late, each in order of need taking a piece of its own.

        The free slots serve as many of them; a call that should have asked by now is waited for as if it came anew.
        """
        patience = self.patience_now()
        kept_free = _PATIENCE_KEPT_FREE * patience
        overhead = self.pace.overhead
        each = max(self.pace.holds(_CLAUSE), overhead + _OTHERS_SHARE * (self._keeping_up - overhead))
        needs = [(need_by - (patience - kept_free) * first, other) for need_by, first, other in waiting]
        needs += [(prospect.need_by(now, kept_free), other) for other, prospect in self._prospects.items()]
        needs = sorted(need for need in needs if need[1] != call)
        slack = float("inf")
        for place, (need_by, _) in enumerate(needs[free:]):
            slack = min(slack, need_by - now - place * each / self.slots)
        return slack

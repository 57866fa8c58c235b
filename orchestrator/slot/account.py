"""Decides when the account may be asked next, from its refusals, other programs' holds and its rate; pure.

It is told the time and a drawn number. Back-offs are the account's, not a call's: while one is on, nobody asks. Who is
granted then is queue.py's; what a refusal means limits.py's.
"""

from __future__ import annotations

import math
from typing import Self

from attrs import define, field

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.settings import ProviderSettings
from orchestrator.slot.limits import ANSWERS, Answer
from orchestrator.slot.others import Others
from orchestrator.slot.rate import RateWindow

_JITTER = 0.02
"""Part of a predicted wait by which it may be longer: other programs may have been refused in the same moment."""
_DOUBLINGS = 30
_REFUSED_AGAIN = 0.2
"""The part of a whole wait for others by which a back-off is likely to be prolonged."""
_MOST_SHARE = 0.8
_APART = 0.25
"""Seconds between two asks in an episode: a second slot is not tried before the first could be refused."""
_AFTER_DROP = 1.0
"""Seconds after a link was dropped in which a refusal may mean that the provider still counts it."""
_SETTLE_STEP = 0.4
"""How far a refusal then lengthens the settle time, in natural logarithms."""
_DROPS_REFUSED = 0.05
"""The part of asks after a drop that may be refused, beyond what others account for: to be sure takes too long."""
_LONGEST_SETTLE = 2.0
_SETTLE_FORGOTTEN = 600.0
"""Seconds in which what the settle time exceeds its setting by falls to 1/e."""


@define
class Episode:
    """Refusals in a row: from the first one (at `began`) until a request is let in that was made after it."""

    kind: FaultKind
    began: float
    since: float
    """For how many seconds before it the slot had not been ours."""
    after_drop: bool = False
    refused: list[float] = field(factory=lambda: [0.0])
    """When, in seconds from its beginning."""

    @property
    def latest(self) -> float:
        """When it was refused last."""
        return self.began + self.refused[-1]


@define
class Account:
    """What is learned of the account. Made by `of`; times are in seconds of any one clock.

    It is told of each grant, then of `asked` if it was used, of `refused` if it was, and when it is over.
    """

    backoff: float
    most: float
    least_settle: float
    rate: RateWindow
    others: Others = field(factory=Others, init=False)
    until: float = field(default=float("-inf"), init=False)
    """When the back-off ends."""
    _episode: Episode | None = field(default=None, init=False)
    _apart_until: float = field(default=float("-inf"), init=False)
    _excess: float = field(default=0.0, init=False)
    """By what factor the settle time exceeds its setting, in natural logarithms, at `_excess_at`."""
    _excess_at: float = field(default=0.0, init=False)
    _dropped_at: float = field(default=float("-inf"), init=False)
    """When a dropped link's slot came back, if nothing was granted since."""
    _ours_at: float = field(default=float("-inf"), init=False)
    """When a slot was ours for the last time, as far as is known: a hold found later began after that."""
    _after_drop: bool = field(default=False, init=False)
    """Whether the latest request followed right upon a drop, and nothing is known of it yet."""

    @classmethod
    def of(cls, settings: ProviderSettings) -> Self:
        """Return an account of which nothing is known but the settings."""
        return cls(
            backoff=settings.backoff,
            most=settings.backoff_most,
            least_settle=settings.settle,
            rate=RateWindow(settings.requests_per_minute),
        )

    # --- what is told ---

    def granted(self, now: float) -> None:
        """Somebody may ask."""
        self.rate.granted()
        self._after_drop = now - self._dropped_at <= _AFTER_DROP
        self._dropped_at = float("-inf")
        if self._episode is not None:
            self._apart_until = now + _APART

    def asked(self, now: float) -> None:
        """Who was granted asks."""
        self.rate.asked(now)

    def gave_back(self, cause: str, *, asked_at: float | None, now: float) -> None:
        """The slot of who was granted came back, with the cause as told of it; it had `asked_at` then, if it had."""
        if asked_at is None:
            self.rate.unused()
        elif cause in ("complete", "settled"):
            self._accepted(asked_at, now)
        if cause == "settled":
            self._dropped_at = now

    def refused(self, fault: ProviderFault, *, draw: float, now: float) -> int:
        """Begin a back-off, `draw` in [0, 1) its jitter; return how many refusals there were in a row.

        Other faults than the account's own have no effect: 0.
        """
        if ANSWERS[fault.kind] not in (Answer.WAIT_SLOT, Answer.WAIT_WINDOW):
            return 0
        wait = fault.retry_after or 0.0
        in_flight = now < self.until  # made before the refusal that began the back-off: it says nothing new
        episode = self._refusal(fault.kind, now=now, counts=not in_flight)
        if not in_flight:
            wait = max(wait, self._pause(episode, draw=draw, now=now), self.settle(now))
        self.until = max(self.until, now + wait)
        return len(episode.refused)

    # --- what follows ---

    def may_ask_at(self, now: float) -> float:
        """Return when the next request may go out: `now` or a time to come."""
        return max(now, self.until, self._apart_until, self.rate.opens_at(now))

    def settle(self, now: float) -> float:
        """Return for how long the provider counts a request whose link is gone, as far as is known, in seconds."""
        return self.least_settle * math.exp(self._excess_now(now))

    def delay(self, seconds: float, now: float) -> float:
        """Predict how long a wait is that would take `seconds` if nobody else used the account."""
        share = min(self.others.share, _MOST_SHARE)
        seconds = max(seconds / (1.0 - share), self.may_ask_at(now) - now)
        chance = share if self._episode is None else _REFUSED_AGAIN
        return seconds + chance * (self.others.left([0.0], since=float("inf"), now=now) or 0.0)

    # --- how ---

    def _accepted(self, asked_at: float, now: float) -> None:
        """A request was let in that was made at `asked_at`."""
        episode, after_drop = self._episode, self._was_after_drop()
        self._ours_at = now
        if episode is not None:
            if asked_at >= episode.latest:
                self._end(episode, free=asked_at - episode.began, now=now)
        elif after_drop:
            self._learn_settle(refused=False, now=now)
        else:
            self.others.found(taken=False)

    def _refusal(self, kind: FaultKind, *, now: float, counts: bool) -> Episode:
        episode = self._episode
        if episode is None or episode.kind is not kind:
            self._episode = episode = Episode(kind, now, now - self._ours_at, self._was_after_drop())
            if episode.after_drop:
                self._learn_settle(refused=True, now=now)
            elif kind is FaultKind.CONCURRENCY:
                self.others.found(taken=True)
        elif counts:
            episode.refused.append(now - episode.began)
        return episode

    def _pause(self, episode: Episode, *, draw: float, now: float) -> float:
        """Return for how long nobody asks: until the others are predicted to be done, or ever longer blindly."""
        refusals = len(episode.refused)
        if episode.kind is FaultKind.CONCURRENCY and (refusals > 1 or not episode.after_drop):
            left = self.others.left(episode.refused, since=episode.since, now=now)
            if left is not None:
                return left * (1.0 + _JITTER * draw)
        return draw * min(self.most, self.backoff * 2.0 ** min(refusals - 1, _DOUBLINGS))

    def _end(self, episode: Episode, *, free: float, now: float) -> None:
        self._episode = None
        self._apart_until = float("-inf")
        settling = episode.after_drop and len(episode.refused) == 1
        if episode.kind is FaultKind.CONCURRENCY and not settling:
            self.others.ended(episode.refused, since=episode.since, free=free, now=now)

    def _was_after_drop(self) -> bool:
        was, self._after_drop = self._after_drop, False
        return was

    def _learn_settle(self, *, refused: bool, now: float) -> None:
        usual = min(0.9, _DROPS_REFUSED + 1.5 * self.others.share)
        step = _SETTLE_STEP * ((1.0 - usual) if refused else -usual)
        longest = math.log(max(1.0, _LONGEST_SETTLE / self.least_settle))
        self._excess = min(max(0.0, self._excess_now(now) + step), longest)
        self._excess_at = now

    def _excess_now(self, now: float) -> float:
        return self._excess * math.exp(-max(0.0, now - self._excess_at) / _SETTLE_FORGOTTEN)

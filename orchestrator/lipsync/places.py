"""How many generations the account makes at a time: the plan's number, or a smaller one learned from refusals; pure.

How many are live is said by the list and by our own jobs; other refusals are account.py's.
"""

from __future__ import annotations

from typing import Self

from attrs import evolve, frozen

_SURE = 3
"""So many refusals in a row that the list does not explain say that the limit is smaller than the plan says: one or
two may come from a generation that ended between the refusal and the look at the list."""
_HIGHER_AFTER = 180.0
"""Seconds after which one more is tried than was learned."""


@frozen
class Refusal:
    """The last create request that was refused for concurrency: when, and with how many live generations of ours."""

    at: float
    ours: int


@frozen
class Learned:
    """A limit smaller than the plan's, and from when on one more is tried."""

    limit: int
    higher_at: float


@frozen(kw_only=True)
class Places:
    """The generations that may be live at a time, others' too. `limit` is the plan's; times are Unix seconds."""

    limit: int
    refusal: Refusal | None = None
    """Until a create request is taken that was made after a look at the list."""
    is_seen: bool = True
    """Whether the list was looked at since the refusal."""
    doubts: int = 0
    """Refusals in a row that the list did not explain."""
    learned: Learned | None = None

    @property
    def must_look(self) -> bool:
        """Whether the list is to be looked at before the next create request."""
        return not self.is_seen

    def at_a_time(self, now: float) -> int:
        """Return how many may be live."""
        if self.learned is None:
            return self.limit
        return min(self.limit, self.learned.limit + (now >= self.learned.higher_at))

    def more_at(self, now: float) -> float:
        """Return when one more is tried than now; infinite if time alone does not bring it."""
        if self.learned is None or now >= self.learned.higher_at:
            return float("inf")
        return self.learned.higher_at

    def refused(self, now: float, *, ours: int, others: int) -> Self:
        """A create request was refused for concurrency with so many live as far as we know."""
        learned = self.learned
        if learned is not None and ours + others >= learned.limit:  # this was the try of one more
            learned = Learned(learned.limit, now + _HIGHER_AFTER)
        return evolve(self, refusal=Refusal(now, ours), is_seen=False, learned=learned)

    def looked(self, now: float, *, others: int) -> Self:
        """The list, asked for at `now`, explains the refusal, or it does not, and then the limit may be smaller."""
        if self.is_seen or self.refusal is None or now < self.refusal.at:
            return self
        live = self.refusal.ours + others
        if live >= self.at_a_time(self.refusal.at):
            return evolve(self, is_seen=True, doubts=0)
        doubts = self.doubts + 1
        learned = Learned(max(1, live), now + _HIGHER_AFTER) if doubts >= _SURE else self.learned
        return evolve(self, is_seen=True, doubts=doubts, learned=learned)

    def took(self, now: float, *, live: int) -> Self:
        """A create request was taken, which makes so many live."""
        learned = self.learned
        if learned is not None and live > learned.limit:  # and the next one is tried at once
            learned = Learned(live, now) if live < self.limit else None
        if not self.is_seen:  # it was under way when another one was refused
            return evolve(self, learned=learned)
        return evolve(self, refusal=None, doubts=0, learned=learned)

"""Decides by what a slot is known to be free again: the provider's `complete`, or quiet after the sound; pure."""

from __future__ import annotations

from typing import Literal

from attrs import define, field

_TRAILS = 0.5
"""Seconds: a `complete` so long after the last sound keeps the slot from others for nothing."""
_PIECES = 3
"""So many in a row are no chance."""
_BLAMED = 1.0
"""Seconds after a freeing in which a refusal is blamed on it."""
_RAISED, _RAISED_MOST = 2.0, 4.0
"""How much longer the quiet is after each refusal, and how long it may become: beyond it the link is closed instead,
which frees the slot. One or two may come by chance, from others who use the account."""
_RECOVERS = 0.95
"""With each freeing that brought no refusal the time comes back by so much towards the setting."""


@define
class Freeing:
    """How slots are freed, `least` being the seconds of quiet that the settings ask for.

    `trusts_quiet` is False once the provider was found to count a request for long after its sound: then its link is
    closed instead of used again.
    """

    by: Literal["complete", "quiet"]
    least: float
    trusts_quiet: bool = True
    _raised: float = 1.0
    _trailing: int = 0
    _freed_at: float = field(default=float("-inf"))

    @property
    def quiet(self) -> float:
        """Seconds of quiet after the sound of a whole piece that free its slot."""
        return self.least * self._raised

    def trailed(self, seconds: float) -> bool:
        """`complete` came `seconds` after the last sound, or not even then; return whether quiet is tried now."""
        self._trailing = self._trailing + 1 if seconds >= _TRAILS else 0
        if self.by == "quiet" or self._trailing < _PIECES:
            return False
        self.by = "quiet"
        return True

    def freed(self, now: float) -> None:
        """A slot was taken to be free by quiet, its link open."""
        self._freed_at = now
        self._raised = max(1.0, self._raised * _RECOVERS)

    def refused(self, now: float) -> None:
        """A request was refused, for the account had too many."""
        if now - self._freed_at > _BLAMED:
            return
        self._freed_at = float("-inf")
        self._raised *= _RAISED
        if self._raised > _RAISED_MOST:
            self.trusts_quiet, self._raised = False, 1.0

"""Stands in for an outlook where nothing is to be known of the calls: what is told is believed; pure."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.ports import Ask


class Trusting:
    """Every piece is needed when its call says, and may be as long as it likes; the methods are Outlook's."""

    crowded = False

    def expect(self, call: str, now: float, *, need_in: float | None = None) -> None:
        """Nothing is kept for a call that has not asked."""

    def unexpect(self, call: str) -> None:
        """Nothing was kept."""

    def forget(self, call: str) -> None:
        """Nothing was known."""

    def allow(self, slots: int) -> None:
        """It makes no difference."""

    def will_need(self, call: str) -> bool:
        """Nobody knows."""
        return False

    def leisure(self, now: float) -> float:
        """Nobody knows whether all is calm."""
        return 0.0

    def idle_for(self, now: float) -> float:
        """Nobody knows whether anybody will ask."""
        return 0.0

    def patience_now(self) -> float:
        """Return 0: what is asked for is needed."""
        return 0.0

    def asks(self, ask: Ask, now: float) -> tuple[float, float]:
        """Return when the piece is needed; it never goes before that."""
        return now + ask.need_in, 0.0

    def granted(self, ask: Ask, *, late: float, alone: bool) -> None:
        """It makes no difference."""

    def gave_back(self, call: str, held: float, *, now: float, interrupted: bool) -> None:
        """It makes no difference."""

    def room(
        self, call: str, *, first: bool, now: float, free: int, waiting: Iterable[tuple[float, bool, str]]
    ) -> float:
        """Return that there is no limit."""
        return float("inf")

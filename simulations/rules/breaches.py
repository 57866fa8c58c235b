"""Where rules tell what was broken: one plain line each, the first few of a kind; what a rule is, is not known here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from orchestrator.events import Event

_TOLD_OF_A_KIND = 3

Handlers = Mapping[type[Event], Callable[[Any], None]]
"""Which of a rule's methods takes which events."""


class Rule(Protocol):
    """Reads the events that concern it, and tells Breaches what was broken."""

    def handlers(self) -> Handlers:
        """Return what is to be called with each event of a type."""

    def finish(self) -> None:
        """The run is over: tell what was left open."""


class Breaches:
    """Lines that say what was broken, in the order in which it was found; however many, only the first few are kept."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._counts: Counter[str] = Counter()

    def tell(self, kind: str, where: str) -> None:
        """Note that the rule `kind` was broken; `where` names the time and the call."""
        self._counts[kind] += 1
        if self._counts[kind] <= _TOLD_OF_A_KIND:
            self._lines.append(f"{kind}: {where}")

    def lines(self) -> list[str]:
        """Return the lines, then how many more there were of each kind."""
        more = ((kind, count - _TOLD_OF_A_KIND) for kind, count in self._counts.items())
        return self._lines + [f"{kind}: {count} more" for kind, count in more if count > 0]

"""Counts the recognition sessions of one account and holds them to their limit; speech's own books are books.py's."""

from __future__ import annotations

from attrs import define, field

MOST_SESSIONS = 100
"""At a time, of one account (published for the standard plan)."""


@define
class Sessions:
    """The sessions of one account, which are counted apart from its speech."""

    open: int = field(default=0, init=False)
    max_open: int = field(default=0, init=False)
    opened: int = field(default=0, init=False)
    refused: int = field(default=0, init=False)
    utterances: int = field(default=0, init=False)
    audio_seconds: float = field(default=0.0, init=False)
    """Sound that was heard."""

    def enter(self) -> bool:
        """Count a session in; False where that would be one too many."""
        if self.open >= MOST_SESSIONS:
            self.refused += 1
            return False
        self.open += 1
        self.opened += 1
        self.max_open = max(self.max_open, self.open)
        return True

    def leave(self) -> None:
        """Count a session out."""
        self.open -= 1

    def snapshot(self) -> dict[str, int | float]:
        """Return the counts as one JSON object."""
        return {
            "sessions": self.open,
            "max_open": self.max_open,
            "opened": self.opened,
            "refused": self.refused,
            "utterances": self.utterances,
            "audio_seconds": round(self.audio_seconds, 6),
        }

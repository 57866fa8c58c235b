"""Decides what a reply asks for next, and when it is worth asking; where text may be cut is chunking.py's, who gets the
slot the queue's.

It is asked twice for each piece: before the reply queues up, and once more at the grant, with the slack that the other
calls leave. Simulations compare other ways with this one: they put another `Portions` in its place.
"""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from orchestrator.settings import SpeechSettings
from orchestrator.slot.pace import Pace
from orchestrator.speech.chunking import Piece, ReplyText

_NEARLY_DRY = 0.6
"""Seconds of sound left at which clauses go out if no whole sentence has come."""
_ALWAYS_AHEAD = 1.0
"""Seconds of the look-ahead that no piece takes up: so much is left to be heard when the longest one is asked for."""
_JOINED_SECONDS = 3.0
"""Short sentences are joined up to about this length."""


@frozen(kw_only=True)
class Situation:
    """Where a reply stands when it is asked what comes next.

    `start` is the text offset up to which pieces went out, `begun` whether any sound has come, `ahead` the seconds of
    sound that the caller has yet to hear, `slack` the seconds for which the slot may be held without making another
    call late (infinite before the grant).
    """

    text: ReplyText
    start: int
    begun: bool
    ahead: float
    slack: float = float("inf")


class Portions(Protocol):
    """How a reply is portioned into pieces."""

    def next_piece(self, now: Situation) -> Piece | None:
        """Return what would be asked for now, None while the text for it is not there."""

    def too_early(self, piece: Piece | None, now: Situation) -> float:
        """Return the seconds until asking is worth it if nothing changes: 0 for at once, infinite for not before."""


class Sparing:
    """A short first piece, then as much as the others' slack allows, never more ahead than is set."""

    def __init__(self, settings: SpeechSettings, pace: Pace) -> None:
        self._settings = settings
        self._pace = pace

    def next_piece(self, now: Situation) -> Piece | None:
        """Return what would be asked for now, None while the text for it is not there."""
        start, text, settings = now.start, now.text, self._settings
        most = min(settings.piece_characters, self._characters(settings.look_ahead - _ALWAYS_AHEAD))
        if not now.begun:
            first = text.first_piece(start)
            too_long = first is not None and len(first.text) > most
            return text.clauses_piece(start, most_characters=most) if too_long else first
        room = settings.look_ahead - now.ahead
        joined = text.next_piece(start, most_characters=min(most, self._characters(min(_JOINED_SECONDS, room))))
        if joined is None or not joined.ends_sentence:
            joined = text.next_piece(start, most_characters=most)
        if joined is None and now.ahead <= _NEARLY_DRY:
            joined = text.clauses_piece(start, most_characters=most)
        return joined

    def too_early(self, piece: Piece | None, now: Situation) -> float:
        """Return the seconds until `piece` fits into the look-ahead; without one, until clauses will have to do."""
        if piece is None:
            return now.ahead - _NEARLY_DRY if now.ahead > _NEARLY_DRY else float("inf")
        if now.ahead <= 0:  # the caller hears silence: nothing is too early
            return 0.0
        # While the piece is made the caller hears on: so much more may be asked for.
        length = len(piece.text)
        then_ahead = now.ahead + self._pace.audio_seconds(length) - self._pace.slot_seconds(length)
        return then_ahead - self._settings.look_ahead

    def _characters(self, seconds: float) -> int:
        return max(self._settings.least_characters, int(seconds / self._pace.seconds_per_character))

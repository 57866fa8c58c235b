"""Decides what a reply asks for next, and when it is worth asking; where text may be cut is chunking.py's, how long a
piece may hold the slot slot/outlook.py's, who gets it the queue's.

It is asked twice for each piece: before the reply queues up, and once more at the grant, with the room that the other
calls leave. Simulations compare other ways with this one: they put another `Portions` in its place.
"""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from orchestrator.settings import SpeechSettings
from orchestrator.slot.pace import Pace
from orchestrator.speech.chunking import Piece, ReplyText

_NEARLY_DRY = 1.5
"""Seconds of sound left at which clauses go out where a whole sentence should, but can't; in a crowd nothing goes
before, unless it is all the rest: each request that is saved is time for everybody."""
_GATHERED = 0.3
"""Seconds for which text gathers before a reply's first piece is asked for in a crowd: a clause alone would cost a
request more."""
_SHORT = 0.5
"""Whole sentences that fill less than this part of the room give way to the clauses that fill it."""
_ROUNDING = 1e-6
"""Characters: what fits exactly does not wait because a quotient came out a hair too small."""


@frozen(kw_only=True)
class Situation:
    """Where a reply stands when it is asked what comes next; times in seconds.

    `start` is the text offset up to which pieces went out, `begun` whether any sound has come, `ahead` the sound that
    the caller has yet to hear. `room` is for how long the slot may be held (infinite before the grant). `leisure` is
    how long a first piece may wait for its sentence, above 0 when all is calm; `since_ready` how long it has waited.
    `crowded` says that there is more to say than time to say it.
    """

    text: ReplyText
    start: int
    begun: bool
    ahead: float
    room: float = float("inf")
    leisure: float = 0.0
    since_ready: float = 0.0
    crowded: bool = False


class Portions(Protocol):
    """How a reply is portioned into pieces."""

    def next_piece(self, now: Situation) -> Piece | None:
        """Return what would be asked for now, None while there is nothing that should be."""

    def too_early(self, piece: Piece | None, now: Situation) -> float:
        """Return the seconds until asking is worth it if nothing changes: 0 for at once, infinite for not before."""


class Sparing:
    """As much as the others' needs allow, in whole sentences where that is possible, never more ahead than is set."""

    def __init__(self, settings: SpeechSettings, pace: Pace) -> None:
        self._settings = settings
        self._pace = pace

    def next_piece(self, now: Situation) -> Piece | None:
        """Return what would be asked for now, None while there is nothing that should be."""
        fits = self._fitting(now)
        allowed = min(fits, self._characters(self._pace.audio_within(now.room)))
        sentence = self._sentence(now)
        if not self._settings.join and sentence is not None:
            allowed = min(allowed, len(sentence.text))
        sentences = self._sentences(now, sentence, allowed=allowed)
        if not self._settings.split:
            return self._unsplit(now, sentences or sentence)
        clauses = self._clauses(now, sentence, allowed=allowed, fits=fits)
        if not now.begun or clauses is None:
            return clauses
        if sentences is not None:
            short = now.leisure <= 0 and len(sentences.text) < _SHORT * allowed
            return clauses if short and clauses.end > sentences.end else sentences
        granted = now.room < float("inf")  # others need the slot: it can't be as long as the sentence
        filling = sentence is not None and now.leisure <= 0
        dry = now.ahead <= _NEARLY_DRY and not self._can_wait(sentence, now)
        return clauses if granted or filling or dry else None

    def too_early(self, piece: Piece | None, now: Situation) -> float:
        """Return the seconds until asking is worth it if nothing changes: 0 for at once, infinite for not before."""
        if now.crowded and self._settings.split and (now.begun or piece is not None):
            return self._too_early_in_crowd(now)
        sentence = self._sentence(now)
        if piece is not None:
            holds_back = not now.begun and sentence is None and not now.text.finished
            return max(0.0, now.leisure - now.since_ready) if holds_back else 0.0
        if not self._settings.split:
            whole = sentence or now.text.next_piece(now.start, most_characters=self._settings.piece_characters)
            return float("inf") if whole is None else self._until_due(whole, now)
        clause = now.text.first_piece(now.start)
        if clause is None:
            return float("inf")
        dry = max(now.ahead - _NEARLY_DRY, self._excess(0, now))  # then clauses do, and parts of them
        until = float("inf") if self._can_wait(sentence, now) else min(dry, now.ahead)
        if sentence is not None:
            until = min(until, self.excess(clause if now.leisure <= 0 else sentence, now))
        return min(until, self.excess(clause, now)) if clause.ends_sentence else until

    def _too_early_in_crowd(self, now: Situation) -> float:
        rest = now.text.length - now.start
        if now.begun:
            excess = self._excess(rest, now) if now.text.finished else float("inf")
            return max(0.0, min(excess, now.ahead - _NEARLY_DRY))
        gathered = now.text.finished or rest >= self._fitting(now)
        return 0.0 if gathered else max(0.0, _GATHERED - now.since_ready)

    def _can_wait(self, sentence: Piece | None, now: Situation) -> bool:
        """Whether the whole sentence will fit the look-ahead while there is still sound enough to make it behind."""
        return sentence is not None and 0 < self.excess(sentence, now) <= now.ahead - 2 * self._pace.ttfb

    def excess(self, piece: Piece, now: Situation) -> float:
        """Return the seconds by which `piece` would pass the look-ahead; 0 or less where the caller hears silence."""
        return self._excess(len(piece.text), now)

    def _excess(self, characters: int, now: Situation) -> float:
        if now.ahead <= 0:
            return 0.0
        made = self._pace.audio_seconds(max(characters, self._settings.least_characters))
        return made * self._growth - self._left(now)

    @property
    def _growth(self) -> float:
        """How much more the caller has yet to hear per second of a piece: the caller hears on while it is made.

        As long as no piece was seen nothing is known of that.
        """
        return max(0.0, 1 - self._pace.rtf) if self._pace.pieces else 1.0

    def _left(self, now: Situation) -> float:
        """Seconds that the look-ahead leaves when a piece's first audio comes."""
        return self._settings.look_ahead - max(0.0, now.ahead - self._pace.ttfb)

    def _fitting(self, now: Situation) -> int:
        """How many characters the look-ahead and a request take; less than the fewest when it is full."""
        left, growth = self._left(now), self._growth
        seconds = left / growth if growth > 0 else float("inf") if left >= 0 else 0.0
        within = min(seconds / self._pace.seconds_per_character, self._settings.piece_characters)
        least = self._settings.least_characters if now.ahead <= 0 else 0
        return max(least, int(within + _ROUNDING))

    def _characters(self, seconds: float) -> int:
        within = min(seconds / self._pace.seconds_per_character, self._settings.piece_characters)
        return max(self._settings.least_characters, int(within))

    def _sentence(self, now: Situation) -> Piece | None:
        most = self._settings.piece_characters
        return now.text.first_sentence(now.start, most_characters=most)

    def _sentences(self, now: Situation, sentence: Piece | None, *, allowed: int) -> Piece | None:
        """The whole sentences that are allowed, not more than one if they are not to be joined; None if none is."""
        piece = now.text.next_piece(now.start, most_characters=allowed) if self._settings.join else sentence
        most = max(allowed, self._settings.least_characters)
        return piece if piece is not None and piece.ends_sentence and len(piece.text) <= most else None

    def _unsplit(self, now: Situation, whole: Piece | None) -> Piece | None:
        """The whole sentences; broken is only what no request can hold."""
        piece = whole or now.text.next_piece(now.start, most_characters=self._settings.piece_characters)
        return None if piece is None or self._until_due(piece, now) > 0 else piece

    def _until_due(self, sentence: Piece, now: Situation) -> float:
        """Seconds until a sentence that may not be broken is asked for, if it is longer than the look-ahead, too."""
        return min(self.excess(sentence, now), now.ahead - _NEARLY_DRY)

    def _clauses(self, now: Situation, sentence: Piece | None, *, allowed: int, fits: int) -> Piece | None:
        """The clauses that are allowed, but one at least; part of one only where none will fit in time."""
        first = now.text.first_piece(now.start)
        if first is None or fits < self._settings.least_characters:
            return None
        if len(first.text) > fits:
            parts = now.ahead <= _NEARLY_DRY and not self._can_wait(sentence, now)
            return now.text.clauses_piece(now.start, most_characters=fits) if parts else None
        return first if len(first.text) >= allowed else now.text.clauses_piece(now.start, most_characters=allowed)

"""Decides how a reply is cut into pieces while its text still streams in; when a piece goes out is the mouth's affair.

Positions are character offsets into the reply: all that the bot yielded, concatenated. Pieces are taken one after the
other, each from where the last one ended, and so cover the text without gap or overlap. What a piece is depends on the
text known when it is taken (and on the phrase ends of `Clauses.feed`), not on how it came in deltas.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import attrgetter

from attrs import Factory, define, field, frozen

from orchestrator.speech.clauses import Break, Clauses
from orchestrator.speech.speakable import SpokenWord, is_voiced


@frozen
class Piece:
    """The text of one synthesis request: `[start, end)` of the reply.

    `text` is what the provider gets: cleaned, white space runs as one space, stripped; "" where there is nothing to say
    (make no request then). `words` are the spans, in the reply, of the white-space-separated words of `text`.
    `ends_sentence` is False where the break lies inside a sentence.
    """

    start: int
    end: int
    text: str
    ends_sentence: bool
    words: tuple[tuple[int, int], ...]

    def offset_after(self, words: int) -> int:
        """Return up to where the reply was heard once the first `words` words of the piece were."""
        if words >= len(self.words):
            return self.end
        return self.words[words][0] if words > 0 else self.start


@define(eq=False, kw_only=True)
class ReplyText:
    """A reply's text as it grows, and the pieces that it can be cut into.

    A piece has `least_characters` at least unless it ends a sentence or the reply, and `most_characters` at most (one
    long word may pass it). Text without any mark for more than `unbroken_characters` may be broken between words. All
    lengths are those of the cleaned text.
    """

    least_characters: int = 12
    most_characters: int = 250
    unbroken_characters: int = 100
    _deltas: list[str] = field(init=False, default=Factory(list))
    _length: int = field(init=False, default=0)
    _clauses: Clauses = field(init=False, default=Factory(Clauses))

    @property
    def text(self) -> str:
        """All that was fed."""
        self._deltas = ["".join(self._deltas)]
        return self._deltas[0]

    @property
    def length(self) -> int:
        """How long `text` is, without the cost of joining it."""
        return self._length

    @property
    def finished(self) -> bool:
        """Whether the bot has said all."""
        return self._clauses.finished

    def feed(self, delta: str, *, apart: bool = False) -> None:
        """Take what the bot yielded next; any string will do. `apart`: its words are its own, whatever lies around."""
        if apart:
            self._clauses.close_word()
        self._deltas.append(delta)
        self._length += len(delta)
        self._clauses.feed(delta)
        if apart:
            self._clauses.close_word()

    def finish(self) -> None:
        """The bot has said all: the rest is complete as it is."""
        self._clauses.finish()

    def ready(self, start: int) -> bool:
        """Whether something at `start` may go out, however long its piece will then be."""
        piece = self.first_piece(start)
        return piece is not None and piece.text != ""

    def first_piece(self, start: int) -> Piece | None:
        """Return the shortest piece from `start`, None if there is none yet: how a reply begins.

        A clause takes along the rest of its sentence if that is known and too short to stand alone.
        """
        begin = self._clauses.word_at(start)
        for cut in self._clauses.breaks_within(begin, self.most_characters):
            if self._may_end(begin, cut):
                return self._piece(start, begin, end=self._with_short_rest(begin, cut))
        return self._silent_rest(start, begin) or self._unbroken(start, begin, most=self.most_characters)

    def next_piece(self, start: int, *, most_characters: int) -> Piece | None:
        """Return as many whole sentences from `start` as fit, None if none is complete yet.

        If not even the first can fit, it is broken at its last clause end that fits, else at the last word that does.
        """
        begin, most = self._clauses.word_at(start), self._clamped(most_characters)
        for cut in reversed(self._clauses.breaks_within(begin, most)):
            if cut.sentence:
                return self._piece(start, begin, end=cut.after)
        return self._silent_rest(start, begin) or self._broken(start, begin, most=most)

    def first_sentence(self, start: int, *, most_characters: int) -> Piece | None:
        """Return the sentence that begins at `start`, or its rest; None while it is not complete, or longer."""
        begin = self._clauses.word_at(start)
        end = self._clauses.sentence_end(begin, most_characters)
        return None if end is None else self._piece(start, begin, end=end)

    def span_piece(self, start: int, end: int) -> Piece:
        """Return the text `[start, end)`, fed apart from what lies around it, as one piece."""
        words = self._clauses.words
        begin, after = self._clauses.word_at(start), bisect_left(words, end, key=attrgetter("start"))
        return self._piece(start, begin, end=after)

    def clauses_piece(self, start: int, *, most_characters: int) -> Piece | None:
        """Return all complete clauses from `start` that fit: for a slow stream, when the playout runs dry."""
        begin, most = self._clauses.word_at(start), self._clamped(most_characters)
        place = self._last_clause(begin, most)
        if place is not None:
            return self._piece(start, begin, end=place)
        piece = self._silent_rest(start, begin) or self._broken(start, begin, most=most)
        return piece or self._unbroken(start, begin, most=most)

    def _clamped(self, most: int) -> int:
        return max(self.least_characters, min(most, self.most_characters))

    def _may_end(self, begin: int, cut: Break) -> bool:
        return cut.sentence or self._clauses.length(begin, cut.after) >= self.least_characters

    def _last_clause(self, begin: int, most: int) -> int | None:
        fitting = reversed(self._clauses.breaks_within(begin, most))
        return next((cut.after for cut in fitting if self._may_end(begin, cut)), None)

    def _with_short_rest(self, begin: int, cut: Break) -> int:
        """Return the break's place, or its sentence's end where too little lies between and all of it fits."""
        end = None if cut.sentence else self._clauses.sentence_end(cut.after, self.least_characters - 1)
        return end if end and self._clauses.length(begin, end) <= self.most_characters else cut.after

    def _silent_rest(self, start: int, begin: int) -> Piece | None:
        """Return what is left of a finished reply when no word is: white space, pictures."""
        left = self.finished and begin == len(self._clauses.words) and start < self._clauses.start_of(begin)
        return self._piece(start, begin, end=begin) if left else None

    def _broken(self, start: int, begin: int, *, most: int) -> Piece | None:
        """Break a sentence that cannot fit, and leave no rest that is too short to stand alone."""
        clauses, least = self._clauses, self.least_characters
        if clauses.length(begin) <= most:
            return None
        short_rest = clauses.sentence_end(begin, most + least) is not None
        room = max(most - least, least) if short_rest else most
        place = self._last_clause(begin, room)
        if place is None:
            place = clauses.last_word(begin, least=least, most=room)
        return self._piece(start, begin, end=place)

    def _unbroken(self, start: int, begin: int, *, most: int) -> Piece | None:
        """Break text between words that has gone on for too long without a mark."""
        room = min(most, self.unbroken_characters)
        if self._clauses.length(begin) <= room:
            return None
        return self._piece(start, begin, end=self._clauses.last_word(begin, least=self.least_characters, most=room))

    def _piece(self, start: int, begin: int, *, end: int) -> Piece:
        text, words = _joined(self._clauses.words[begin:end])
        ends_sentence = begin == end or self._clauses.is_sentence_end(end)
        return Piece(start, self._clauses.start_of(end), text, ends_sentence, words)


def _joined(words: Sequence[SpokenWord]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the words as one text, and the span of each that has white space around it; nothing if all are silent."""
    text = ""
    spans: list[tuple[int, int]] = []
    for word in words:
        if word.joined and spans:
            text += word.text
            spans[-1] = (spans[-1][0], word.end)
        else:
            text += f" {word.text}" if spans else word.text
            spans.append((word.start, word.end))
    return (text, tuple(spans)) if is_voiced(text) else ("", ())

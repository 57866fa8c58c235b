"""A playout answers as the plain one does that looks at every piece each time, and an endless reply stays cheap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.audio import SAMPLE_BYTES, samples_in
from orchestrator.ports import WordTime
from orchestrator.speech.chunking import Piece
from orchestrator.speech.play_clock import PlayClock
from orchestrator.speech.playout import Playout
from orchestrator.speech.timing import heard_words
from tests.speech.playing import PER_CHARACTER, RATE, pieces_of, sound

TEXT = "We do. Of York, well-known, a hundred and ten. No. 😀 Tomorrow, then! A. Go on, please. We do so. " * 8


class Plain(Playout):
    """The model: it walks over all pieces, as is plain to see."""

    def take(self, seconds: float) -> bytes:
        most = round(seconds * self.clock.rate)
        starts = (piece.start for piece in self._pieces if piece.start > self._taken)
        wanted = min(most, next(starts, self._received) - self._taken) * SAMPLE_BYTES
        waiting = b"".join(self._waiting)
        self._waiting.clear()
        self._waiting.append(waiting[wanted:])
        self._taken += wanted // SAMPLE_BYTES
        return waiting[:wanted]

    def joins_at(self, position: int) -> bool:
        return position > 0 and any(piece.start == position and piece.samples for piece in self._pieces)

    def heard(self, now: float) -> int:
        sounded = self.clock.sounded(now)
        offset = 0
        for piece in self._pieces:
            if not piece.done or sounded < piece.start + piece.samples:
                times = piece.times(self.clock.rate, self.seconds_per_character)
                words = heard_words(times, (sounded - piece.start) / self.clock.rate) if sounded > piece.start else 0
                words = min(words, piece.certain_words)
                return piece.piece.offset_after(words) if words > 0 else offset
            offset = piece.piece.end
        return offset


@define
class Both:
    """A playout and its model, treated alike; what they answer must be equal."""

    ours: Playout = field(factory=lambda: Playout(PlayClock(RATE), 1 / 20))
    model: Playout = field(factory=lambda: Plain(PlayClock(RATE), 1 / 20))
    now: float = 0.0
    pieces: list[Piece] = field(factory=lambda: pieces_of(TEXT))
    at_work: Piece | None = None
    words: int = 0

    def same(self, ask: Callable[[Playout], object]) -> object:
        answer = ask(self.ours)
        assert ask(self.model) == answer
        return answer

    def piece(self, amount: float) -> None:
        """The next piece is asked for; a small `amount` ends the one before, a larger one gives it up."""
        if self.at_work is not None:
            self.same(lambda playout: playout.end() if amount < 0.5 else playout.give_up())
        piece = self.at_work = self.pieces.pop(0)
        self.words = 0
        self.same(lambda playout: playout.begin(piece))

    def sound(self, amount: float) -> None:
        """Some of the piece's sound arrives."""
        if self.at_work is not None:
            pcm = sound(int(amount * 20) * PER_CHARACTER)
            self.same(lambda playout: playout.add(pcm, lead_trimmed=0.01))

    def word(self, amount: float) -> None:
        """The provider times the next word."""
        texts = self.at_work.text.split() if self.at_work else []
        if self.words < len(texts):
            word = WordTime("1", self.words, texts[self.words], amount, amount + 0.1)
            self.words += 1
            self.same(lambda playout: playout.add_word(word))

    def play(self, amount: float) -> None:
        """The leg takes some; its mark comes back early, on time or late."""
        self.now += amount / 3
        position = self.same(lambda playout: playout.clock.written)
        assert isinstance(position, int)
        pcm = self.same(lambda playout: playout.take(amount))
        assert isinstance(pcm, bytes)
        self.same(lambda playout: playout.clock.marked(position, self.now))
        self.same(lambda playout: playout.clock.wrote(samples_in(pcm)))
        self.same(lambda playout: playout.joins_at(position))

    def ask(self, amount: float) -> None:
        """Something is asked, of any moment and any place."""
        now = self.now + 2 * amount - 1
        self.same(lambda playout: playout.heard(now))
        self.same(lambda playout: playout.ahead(now))
        self.same(lambda playout: playout.words(now))
        for position in {int(amount * 8000), *(piece.start for piece in self.ours._pieces)}:
            self.same(lambda playout: playout.joins_at(position))  # noqa: B023  # called at once


STEPS = st.lists(
    st.tuples(st.sampled_from([Both.piece, Both.sound, Both.sound, Both.word, Both.play, Both.ask]), st.floats(0, 1)),
    min_size=5,
    max_size=20,
)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_a_playout_answers_as_its_model_does(steps: list[tuple[Callable[[Both, float], None], float]]) -> None:
    """Whatever comes in whatever order: what is heard, what joins, what is taken, what is ahead, when words sounded."""
    both = Both()
    for step, amount in steps:
        step(both, amount)
        both.ask(amount)


class Watched(list[Any]):
    """A list that counts how often an element of it is looked at."""

    looks = 0

    def __getitem__(self, index: Any) -> Any:
        self.looks += 1
        return super().__getitem__(index)

    def __iter__(self) -> Iterator[Any]:
        for element in super().__iter__():
            self.looks += 1
            yield element


def test_a_mark_two_hours_into_a_reply_looks_at_few_pieces() -> None:
    """Of 2,500 pieces each question looks at fifteen or so, one more for twice as many."""
    playout = Playout(PlayClock(RATE), 1 / 20)
    piece, second = pieces_of("One. ")[0], sound(RATE)
    for _ in range(2500):
        playout.begin(piece)
        playout.add(second, lead_trimmed=0.0)
        playout.end()
    playout.clock.marked(0, 0.0)
    playout.clock.wrote(2500 * RATE)
    playout._pieces = looked = Watched(playout._pieces)
    for moment in range(2500):
        assert playout.take(1.0) == second
        assert playout.joins_at(moment * RATE) is (moment > 0)
        playout.heard(moment + 0.5)
        playout.ahead(moment)
    assert looked.looks < 2500 * 3 * 15

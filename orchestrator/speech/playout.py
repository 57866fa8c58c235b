"""A reply's sound that was received and not yet heard, and which of its words the caller has heard; pure.

Where silence is trimmed is joins.py's, when a sample sounds play_clock.py's, when a word sounds within its piece
timing.py's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from operator import attrgetter

import attrs
from attrs import define, field, frozen

from orchestrator.audio import SAMPLE_BYTES, samples_in
from orchestrator.ports import WordTime
from orchestrator.speech.chunking import Piece
from orchestrator.speech.play_clock import PlayClock
from orchestrator.speech.timing import WordAligner, heard_words, word_times
from orchestrator.speech.word_weights import Times

_start, _end = attrgetter("start"), attrgetter("end")


@frozen
class WordSpan:
    """A word of the reply: its offsets in the text, and when it sounded (run clock), None if it never began to."""

    start: int
    end: int
    begins: float | None
    ends: float | None
    voice: str = ""
    """Who spoke it, where that was not the call's own voice."""


@define
class PieceSound:
    """One piece's place in the reply's sound: from sample `start`, `samples` long so far.

    `voice` is whose it is where it is not the call's own. A `rung` of the ladder is no part of the reply: its piece has
    no words, `speaks` says whether the caller hears some all the same.
    """

    piece: Piece
    start: int
    samples: int = 0
    voice: str = ""
    rung: str = ""
    speaks: bool = True
    lead_trimmed: float = 0.0
    done: bool = False
    aligner: WordAligner | None = None
    """None as long as the provider has timed no word."""

    @property
    def end(self) -> int:
        """The sample after its last one: where the next piece starts."""
        return self.start + self.samples

    def times(self, rate: int, seconds_per_character: float) -> Times:
        """When each word sounds, in seconds from the piece's first sample as it is played."""
        received = self.samples / rate
        expected = received if self.done else max(received, len(self.piece.text) * seconds_per_character)
        if self.aligner is None:
            return word_times(self.piece, expected)
        provided = self.aligner.times(expected + self.lead_trimmed if self.done else None)
        return [(begin - self.lead_trimmed, end - self.lead_trimmed) for begin, end in provided]

    @property
    def certain_words(self) -> int:
        """How many words have times to rely on: as long as sound may follow, an estimate of the last one has not."""
        if self.done:
            return len(self.piece.words)
        return len(self.piece.words) - 1 if self.aligner is None else self.aligner.timed_words

    def place(self, seconds: float, rate: int) -> int:
        """Which sample of the reply's sound lies `seconds` into the piece: none of its neighbours'."""
        within = max(0, round(seconds * rate))
        return self.start + (min(within, self.samples) if self.done else within)


@define
class Playout:
    """One reply's pieces in order, from the first sample received to the last one heard.

    `seconds_per_character` is the voice's learned speaking rate, for a piece whose end has not come. A reply may go on
    for hours: pieces lie end to end, so whatever is asked at each mark is found by bisection.
    """

    clock: PlayClock
    seconds_per_character: float = 1 / 15
    _pieces: list[PieceSound] = field(factory=list)
    _whole: int = 0
    """How many pieces have all arrived: all, or all but the one in work."""
    _waiting: deque[bytes] = field(factory=deque)
    _received: int = 0
    _taken: int = 0
    _spoken: int = 0
    """Where the last words end so far, the reply's own or a rung's."""
    _spoken_before: int = 0
    """The same without the piece in work."""

    def begin(self, piece: Piece, *, voice: str = "") -> None:
        """A piece was asked for, the one before has ended: what is added from now on is its sound."""
        self._pieces.append(PieceSound(piece, self._received, voice=voice))
        self._spoken_before = self._spoken

    @property
    def own_end(self) -> int:
        """Where the reply's own sound ends so far, in samples; 0 before there is any."""
        return next((sound.end for sound in reversed(self._pieces) if sound.samples and not sound.rung), 0)

    @property
    def in_work(self) -> bool:
        """Whether a piece was begun that has not ended."""
        return self._whole < len(self._pieces)

    @property
    def may_insert(self) -> bool:
        """Whether a rung's sound could follow all that there is: not in the middle of a piece."""
        return not self.in_work or self._pieces[-1].samples == 0

    def insert(self, pcm: bytes, *, rung: str, speaks: bool = True) -> None:
        """Let a rung sound next, before a piece in work that has no sound yet."""
        waits = self._pieces.pop() if self.in_work else None
        offset = self._pieces[-1].piece.end if self._pieces else 0
        self._pieces.append(PieceSound(Piece(offset, offset, "", True, ()), self._received, rung=rung, speaks=speaks))
        self.add(pcm, lead_trimmed=0.0)
        self.end()
        if waits is not None:
            waits.start, self._spoken_before = self._received, self._spoken
            self._pieces.append(waits)

    def add(self, pcm: bytes, *, lead_trimmed: float) -> None:
        """Sound of the piece in work arrived; `lead_trimmed` seconds of it were cut off at its head."""
        current = self._pieces[-1]
        current.lead_trimmed = lead_trimmed
        if pcm:
            current.samples += samples_in(pcm)
            self._received += samples_in(pcm)
            self._waiting.append(pcm)
            if current.speaks:
                self._spoken = self._received

    def add_word(self, word: WordTime) -> None:
        """The provider said when a word of the piece in work sounds."""
        current = self._pieces[-1]
        if current.aligner is None:
            current.aligner = WordAligner(current.piece)
        current.aligner.add(word)

    def end(self) -> None:
        """All of the piece in work has arrived."""
        self._pieces[-1].done = True
        self._whole = len(self._pieces)

    def give_up(self) -> int:
        """The piece in work will not be completed: keep its whole words, return the offset from which to ask again."""
        current, rate = self._pieces[-1], self.clock.rate
        times = current.times(rate, self.seconds_per_character)
        whole = heard_words(times, current.samples / rate) if current.samples else 0
        end = current.piece.offset_after(whole)
        keep = round(times[whole - 1][1] * rate) if whole else 0
        # A word may count as whole a hair before its end: then there is nothing to drop.
        self._drop_tail(max(0, min(current.samples - keep, self._received - self._taken)))
        current.piece = attrs.evolve(current.piece, end=end, words=current.piece.words[:whole])
        self.end()
        return end

    def take(self, seconds: float) -> bytes:
        """Take at most so much sound to hand it to the leg, never past the end of a piece; empty if there is none."""
        if not self._waiting:
            return b""
        most = round(seconds * self.clock.rate)
        following = bisect_right(self._pieces, self._taken, key=_start)
        end = self._pieces[following].start if following < len(self._pieces) else self._received
        wanted = min(most, end - self._taken) * SAMPLE_BYTES
        self._taken += wanted // SAMPLE_BYTES
        return _taken_from(self._waiting, wanted)

    def ahead(self, now: float) -> float:
        """Seconds of sound that the caller has yet to hear of what was received."""
        return (self._received - self.clock.sounded(now)) / self.clock.rate

    def silent_since(self, now: float) -> float | None:
        """When the last words ended (run clock); None while there are words to hear, or none have sounded yet."""
        if not self._spoken or self.clock.sounded(now) < self._spoken:
            return None
        return self.clock.time_of(self._spoken)

    def sounding_at(self, position: int) -> PieceSound | None:
        """Return the piece whose sound lies at `position`, None where there is none yet."""
        begun = bisect_right(self._pieces, position, key=_start)
        if not begun:
            return None
        sound = self._pieces[begun - 1]  # of those that start at one place only the last has any sound
        return sound if position < sound.end else None

    def joins_at(self, position: int) -> bool:
        """Whether the sound passes from one piece to the next at `position`."""
        sound = self.sounding_at(position)
        return sound is not None and sound.start == position > 0

    def heard(self, now: float) -> int:
        """The offset in the reply's text up to which the caller has heard it, rounded down to a word."""
        sounded = self.clock.sounded(now)
        index = bisect_right(self._pieces, sounded, hi=self._whole, key=_end)
        offset = self._pieces[index - 1].piece.end if index else 0
        if index == len(self._pieces):
            return offset
        sound = self._pieces[index]
        times = sound.times(self.clock.rate, self.seconds_per_character)
        words = heard_words(times, (sounded - sound.start) / self.clock.rate) if sounded > sound.start else 0
        words = min(words, sound.certain_words)
        return sound.piece.offset_after(words) if words > 0 else offset

    def words(self, now: float) -> list[WordSpan]:
        """Every word that was asked for, with when it sounded as far as it did by `now`."""
        begun, slowness = self.clock.begun(now), self.seconds_per_character
        return [span for sound in self._pieces for span in _spans(sound, self.clock, begun=begun, slowness=slowness)]

    def _drop_tail(self, samples: int) -> None:
        self._received -= samples
        self._spoken = self._received if self._pieces[-1].samples > samples else self._spoken_before
        self._pieces[-1].samples -= samples
        _drop_from(self._waiting, samples * SAMPLE_BYTES)


def _taken_from(waiting: deque[bytes], size: int) -> bytes:
    """Take the first `size` bytes."""
    taken = bytearray()
    while len(taken) < size:
        pcm = waiting.popleft()
        room = size - len(taken)
        taken += pcm[:room]
        if len(pcm) > room:
            waiting.appendleft(pcm[room:])
    return bytes(taken)


def _drop_from(waiting: deque[bytes], size: int) -> None:
    """Drop the last `size` bytes."""
    while size > 0:
        pcm = waiting.pop()
        if len(pcm) > size:
            waiting.append(pcm[:-size])
        size -= len(pcm)


def _spans(sound: PieceSound, clock: PlayClock, *, begun: int, slowness: float) -> Iterator[WordSpan]:
    """Yield a piece's words; those before the sample `begun` have sounded, as far as they lie before it."""
    times = sound.times(clock.rate, slowness)
    for (start, end), (begins, ends) in zip(sound.piece.words, times, strict=False):
        first, last = sound.place(begins, clock.rate), sound.place(ends, clock.rate)
        began = clock.time_of(first) if first < begun else None
        ended = None if began is None else clock.time_of(min(last, begun))
        yield WordSpan(start, end, began, ended, sound.voice)

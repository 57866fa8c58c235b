"""Decides which portions sound goes out in to carriers that take no small messages, or multiples of some size only.

What the messages look like is the codecs' affair.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence

from attrs import frozen

from orchestrator.adapters.telephony.codecs.json_media import JsonMediaCodec, SoundFormat
from orchestrator.audio import SAMPLE_BYTES
from orchestrator.ports import WireMessage


@frozen(kw_only=True)
class PortionSizes:
    """What a carrier takes in one message, in bytes: at least `least`, at most `most`, only multiples of `step`.

    `least` and `most` are multiples of `step`.
    """

    least: int
    step: int
    most: int


class Portions:
    """Sound on its way out, and the marks behind sound that is still kept: they may not overtake it."""

    def __init__(self, sizes: PortionSizes) -> None:
        self._sizes = sizes
        self._kept = bytearray()
        self._marks: list[tuple[int, str]] = []
        """Marks with how many kept bytes come before them."""

    @property
    def least(self) -> int:
        """The fewest bytes that go out in one message; fewer are kept."""
        return self._sizes.least

    def add(self, data: bytes) -> list[bytes]:
        """Take sound; return the portions that can go now, in order."""
        self._kept += data
        return list(self._cut())

    def fill(self, silence: bytes) -> list[bytes]:
        """Return the kept rest, filled up with `silence` (one sample); nothing where nothing is kept."""
        if not self._kept:
            return []
        missing = max(self._sizes.least - len(self._kept), -len(self._kept) % self._sizes.step)
        return self.add(silence * (missing // len(silence)))

    def mark(self, name: str) -> list[str]:
        """Return the marks that can go now: this one, or none while sound before it is kept."""
        self._marks.append((len(self._kept), name))
        return self.due()

    def due(self) -> list[str]:
        """Return the marks whose sound has all gone out, in order."""
        due = [name for place, name in self._marks if place <= 0]
        del self._marks[: len(due)]
        return due

    def clear(self) -> Sequence[str]:
        """Throw the kept sound away; return the marks behind it, which the carrier is to hear of before the clear."""
        self._kept.clear()
        waiting = [name for _, name in self._marks]
        self._marks.clear()
        return waiting

    def _cut(self) -> Iterator[bytes]:
        sizes = self._sizes
        while len(self._kept) >= sizes.least:
            size = min(len(self._kept) - len(self._kept) % sizes.step, sizes.most)
            yield bytes(self._kept[:size])
            del self._kept[:size]
            self._marks = [(place - size, name) for place, name in self._marks]


class PortionedCodec(JsonMediaCodec):
    """A codec of JSON whose carrier is particular about how much sound a message has.

    A mark waits for the kept sound before it; when that is cleared, the mark goes out before the clear.
    """

    def __init__(self, sound: SoundFormat, sizes: PortionSizes) -> None:
        super().__init__(sound)
        self._portions = Portions(sizes)

    @property
    def keeps(self) -> float:
        """Seconds of sound that may be kept back, until they are enough for a message."""
        return self._portions.least / (self._sound.rate * self._sound.sample_bytes)

    def media(self, pcm: bytes) -> Sequence[WireMessage]:
        """Return the messages that carry sound; what is too little for one is kept for the next call."""
        return self._messages(self._portions.add(self._sound.pack(pcm)))

    def fill(self) -> Sequence[WireMessage]:
        """Return what carries the kept rest, filled up with silence; nothing where nothing is kept."""
        return self._messages(self._portions.fill(self._sound.pack(bytes(SAMPLE_BYTES))))

    def mark(self, name: str) -> Sequence[WireMessage]:
        """Return the message that asks for MarkBack(name): at once, or after the kept sound before it."""
        return [self._mark(due) for due in self._portions.mark(name)]

    def clear(self) -> Sequence[WireMessage]:
        """Return the message that empties the carrier's buffer; the kept rest is thrown away with it."""
        return [*map(self._mark, self._portions.clear()), self._clear()]

    def _resize(self, sizes: PortionSizes) -> None:
        """Take other sizes, before anything was sent."""
        self._portions = Portions(sizes)

    @abstractmethod
    def _mark(self, name: str) -> WireMessage:
        """Return a mark as the carrier has it."""

    @abstractmethod
    def _clear(self) -> WireMessage:
        """Return a clear as the carrier has it."""

    def _messages(self, portions: Sequence[bytes]) -> Sequence[WireMessage]:
        sound = [self._message(portion) for portion in portions]
        return sound + [self._mark(name) for name in self._portions.due()] if sound else sound

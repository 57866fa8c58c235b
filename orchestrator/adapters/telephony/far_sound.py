"""When sound sounded that lies in a carrier's buffer, for recordings: laid by the marks that come back; pure.

Positions count bytes of PCM over the whole call; times are points of the run's clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from attrs import define, field

from orchestrator.audio import SAMPLE_BYTES


@define(kw_only=True)
class FarSound:
    """The sound that was sent and not yet told of. What no mark told of is placed where it was expected, by as much
    sooner or later as the last mark was."""

    _rate: int
    _sent: deque[tuple[int, float, bytes]] = field(factory=deque, init=False)

    def add(self, position: int, pcm: bytes, *, expected: float) -> None:
        """`pcm` was sent behind so many bytes and is expected to begin at `expected`."""
        self._sent.append((position, expected, pcm))

    def sounded(self, position: int, *, at: float) -> Iterator[tuple[float, bytes]]:
        """Yield what lies before `position`, of which the last sample sounded at `at`, with when it began."""
        late = 0.0
        while self._sent and self._sent[0][0] < position:
            start, expected, pcm = self._sent.popleft()
            cut = position - start
            late = at - (expected + self._seconds(cut))
            yield at - self._seconds(cut), pcm[:cut]
            if pcm[cut:]:
                self._sent.appendleft((position, at - late, pcm[cut:]))
        self._sent = deque((start, expected + late, pcm) for start, expected, pcm in self._sent)

    def cut(self, now: float) -> Iterator[tuple[float, bytes]]:
        """Yield what is expected to have begun by `now`, up to there, and forget the rest."""
        for _, expected, pcm in self._sent:
            size = SAMPLE_BYTES * max(0, round((now - expected) * self._rate))
            if size:
                yield expected, pcm[:size]
        self._sent.clear()

    def _seconds(self, size: int) -> float:
        return size / (SAMPLE_BYTES * self._rate)

"""Decides which silence and which fades a piece of speech keeps where it joins its neighbours; knows neither clock nor
words.

A provider sends each piece with silence around it. What may be played is one run of the piece: from `before` seconds
ahead of its first sound to at most `after` seconds past its last, faded at both ends so that no join clicks. Silence
inside the piece stays. The result does not depend on how the sound was cut into chunks.
"""

from __future__ import annotations

import numpy as np
from attrs import define, field

from orchestrator.audio import SAMPLE_BYTES, sounding, sounds, to_samples, window_samples

FADE_SECONDS = 0.005


@define(kw_only=True)
class Joiner:
    """Trims one piece while it arrives: `feed` what came, play what it returns, then `finish`.

    `rate` is in samples a second; `before` and `after` are the silence left at the head and, at most, at the tail, in
    seconds. Of the sound that came, at most `after`, one window and one fade (10 ms) are held back.
    """

    rate: int
    before: float = 0.02
    after: float = 0.3
    _held: bytearray = field(init=False, factory=bytearray)
    _dropped: int = field(init=False, default=0)
    """Bytes at the piece's head that were trimmed."""
    _judged: int = field(init=False, default=0)
    """Bytes of `_held` whose windows were told from silence."""
    _kept: int = field(init=False, default=0)
    """Bytes of `_held` that play whatever follows; what lies behind may be a tail too long."""
    _heard_any: bool = field(init=False, default=False)
    _begun: bool = field(init=False, default=False)
    _window: int = field(init=False)
    """Bytes of one window."""
    _fade: int = field(init=False)
    """Bytes of one fade."""

    def __attrs_post_init__(self) -> None:
        self._window = SAMPLE_BYTES * window_samples(self.rate)
        self._fade = self._bytes(FADE_SECONDS)

    @property
    def silent(self) -> bool:
        """True as long as no sound was found: nothing of this piece is played."""
        return not self._heard_any

    @property
    def lead_trimmed(self) -> float:
        """Seconds removed at the head: the provider's time minus this is the time in what is played."""
        return self._dropped / (SAMPLE_BYTES * self.rate)

    def feed(self, pcm: bytes) -> bytes:
        """Take what arrived next, cut anywhere, and return what may be played now (often nothing)."""
        self._held += pcm
        self._judge((len(self._held) - self._judged) // self._window * self._window)
        ready = min(self._kept, self._judged) - self._fade
        return self._play(ready) if not self.silent and (self._begun or ready >= self._fade) else b""

    def finish(self) -> bytes:
        """Return the rest, its tail shortened and faded out; the piece is over."""
        self._judge((len(self._held) - self._judged) // SAMPLE_BYTES * SAMPLE_BYTES)
        if self.silent:
            return b""
        rest = self._play(min(self._kept, self._judged))
        return _faded(rest, self._fade // SAMPLE_BYTES, out=True)

    def _bytes(self, seconds: float) -> int:
        return SAMPLE_BYTES * round(seconds * self.rate)

    def _judge(self, size: int) -> None:
        """Tell sound from silence in the next `size` bytes, and move the two ends of what plays accordingly."""
        start, width = self._judged, self._window
        self._judged += size
        last = start + max(0, size - 1) // width * width
        if self._heard_any and sounds(self._held[last : self._judged], self.rate):  # speech mostly goes on
            self._keep(last + width)
            return
        loud = np.flatnonzero(sounding(self._held[start : self._judged], self.rate))
        if len(loud):
            self._keep(start + (int(loud[-1]) + 1) * width)
            if self.silent:
                self._heard_any = True
                self._drop(start + int(loud[0]) * width - self._bytes(self.before))
        elif self.silent:
            self._drop(self._judged - self._bytes(self.before))

    def _keep(self, heard: int) -> None:
        self._kept = heard + self._bytes(self.after)

    def _drop(self, size: int) -> None:
        size = max(0, size)
        self._dropped += size
        self._advance(size)

    def _advance(self, size: int) -> None:
        del self._held[:size]
        self._judged -= size
        self._kept -= size

    def _play(self, size: int) -> bytes:
        if size <= 0:
            return b""
        out = bytes(self._held[:size])
        self._advance(size)
        if not self._begun:
            self._begun = True
            out = _faded(out, self._fade // SAMPLE_BYTES, out=False)
        return out


def _faded(pcm: bytes, length: int, *, out: bool) -> bytes:
    """Return `pcm` with a straight fade over its first (or last, `out`) `length` samples, or fewer if it is shorter."""
    samples = to_samples(pcm).copy()
    length = min(length, len(samples))
    ramp = (np.arange(length, dtype=np.float32) + 0.5) / max(1, length)
    edge = slice(len(samples) - length, None) if out else slice(0, length)
    samples[edge] = np.rint(samples[edge] * (ramp[::-1] if out else ramp))
    return samples.tobytes()

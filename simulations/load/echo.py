"""Measures the way there and back on a line that echoes: frames of a known loudness go out and are looked for, pure."""

from __future__ import annotations

import math

import numpy as np

from simulations.carriers.carrier import Carrier, Payload
from simulations.carriers.line import Line
from simulations.carriers.playback import Playback
from simulations.carriers.sound import decoding

EVERY = 5
"""Frames: one of so many is marked."""
_LOST_AFTER = 2.0
"""Seconds after which a marked frame that has not come back is lost."""
_LEVELS = [level for level in sorted({int(each) for each in decoding()}) if level >= 1500]
"""Loudnesses that mu-law carries unchanged."""


class Echo:
    """One line's marked frames: `make_playback` for its carrier, `choose` for its line.

    `times` are the seconds from sending a marked frame to its arrival, before any buffer; `lost` those that never came.
    """

    def __init__(self) -> None:
        self.times: list[float] = []
        self.lost = 0
        self._sent: dict[int, float] = {}
        self._frame = 0
        self._payloads: list[Payload] = []
        self._silence: Payload = b""
        self._frame_samples = 160

    def make_playback(self, *, rate: int, jitter: float = 0.0, most: float = math.inf) -> Playback:
        """Return a buffer that looks for the marks in what arrives."""
        return _EchoPlayback(self, rate=rate, jitter=jitter, most=most)

    def open_line(self, carrier: Carrier) -> Line:
        """Return a line that sends marked frames."""
        self._frame_samples = carrier.frame_bytes // 2
        half = self._frame_samples // 2
        frames = [np.array([level, -level] * half, "<i2").tobytes() for level in _LEVELS]
        self._payloads = [carrier.payload(frame) for frame in frames]
        self._silence = carrier.payload(bytes(carrier.frame_bytes))
        return Line(carrier, choose=self._choose)

    def finish(self, now: float) -> None:
        """Count what did not come back in time."""
        self.lost += sum(now - sent > _LOST_AFTER for sent in self._sent.values())
        self._sent.clear()

    def seen(self, pcm: bytes, now: float) -> None:
        """Look for marks in what arrives: the loudest sample of each 20 ms, among the marks that are on their way."""
        samples = np.abs(np.frombuffer(pcm, "<i2", count=len(pcm) // 2).astype(np.int32))
        for start in range(0, len(samples), self._frame_samples):
            loudest = int(samples[start : start + self._frame_samples].max())
            if loudest >= _LEVELS[0] // 2:
                place = int(np.argmin(np.abs(_LEVEL_ARRAY - loudest)))
                if (sent := self._sent.pop(place, None)) is not None:
                    self.times.append(now - sent)

    def _choose(self, now: float) -> Payload:
        self._frame += 1
        if self._frame % EVERY:
            return self._silence
        place = self._frame // EVERY % len(_LEVELS)
        if place in self._sent:
            self.lost += 1
        self._sent[place] = now
        return self._payloads[place]


_LEVEL_ARRAY = np.array(_LEVELS)


class _EchoPlayback(Playback):
    """A buffer that tells an Echo what arrives."""

    def __init__(self, echo: Echo, *, rate: int, jitter: float, most: float) -> None:
        super().__init__(rate=rate, jitter=jitter, most=most)
        self._echo = echo

    def add(self, pcm: bytes, now: float, *, rate: int | None = None) -> None:
        """Look at what arrives, then play it."""
        if pcm.count(0) != len(pcm):
            self._echo.seen(pcm, now)
        super().add(pcm, now, rate=rate)

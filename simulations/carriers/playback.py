"""What a caller hears and when: a carrier's buffer played on a clock, pure; what comes in is the carrier's affair."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from attrs import frozen

SOUNDS_DBFS = -45.0
"""Louder windows are the bot's sound: above comfort noise, below the softest speech that matters to a listener."""
WINDOW_SECONDS = 0.005
_POWER = float(32768.0**2 * 10 ** (SOUNDS_DBFS / 10))
_JOINED = 0.001
"""Sounds that lie closer than this, in seconds, are one: clocks are not exact."""
_ROUNDING = 1e-6


@frozen
class Dry:
    """The buffer ran dry at `at` and got sound again `seconds` later."""

    at: float
    seconds: float


class Playback:
    """A buffer that is played in real time: 16 bit PCM in, what was heard when, marks by position, clear.

    It starts `jitter` seconds after the first sound that finds it empty, and holds at most `most` seconds: what comes
    on top is dropped. Every time is in seconds on the caller's clock and never goes back. `sounds` are the times, from
    and to, at which something above SOUNDS_DBFS is heard, those to come included; `dry` the times without anything to
    play between two arrivals; `dropped` and `cleared` the seconds that were thrown away.
    """

    def __init__(self, *, rate: int, jitter: float = 0.0, most: float = math.inf) -> None:
        self.rate = rate
        self.sounds: list[tuple[float, float]] = []
        self.dry: list[Dry] = []
        self.clears: list[float] = []
        self.received = self.dropped = self.cleared = 0.0
        self._jitter = jitter
        self._most = most
        self._marks: deque[tuple[float, str]] = deque()
        self._ends: float | None = None
        self._run = 0.0
        """Seconds of sound since the buffer was last empty: what is left of the jitter's wait is no sound."""

    def add(self, pcm: bytes, now: float, *, rate: int | None = None) -> None:
        """Put sound into the buffer, at the wire's rate or another one."""
        rate = rate or self.rate
        count = len(pcm) // 2
        self.received += count / rate
        if room := self._overflow(count, rate, now=now):
            self.dropped += room / rate
            count -= room
            pcm = pcm[: count * 2]
        if not count:
            return
        if self._ends is None or now >= self._ends:
            if self._ends is not None and now > self._ends + _ROUNDING:
                self.dry.append(Dry(self._ends, now - self._ends))
            self._ends, self._run = now + self._jitter, 0.0
        self._hear(pcm, rate)
        self._ends += count / rate
        self._run += count / rate

    def mark(self, name: str, now: float) -> None:
        """Put a mark behind all that is in the buffer; with nothing there it is reached at once."""
        self._marks.append((now if self._ends is None else max(now, self._ends), name))

    def reached(self, now: float) -> list[str]:
        """Return the marks whose place was played by now, each once, in their order."""
        names = []
        while self._marks and self._marks[0][0] <= now + _ROUNDING:
            names.append(self._marks.popleft()[1])
        return names

    def clear(self, now: float) -> list[str]:
        """Throw away what was not played yet; return the names of the marks that had not been reached."""
        self.clears.append(now)
        self.cleared += self.buffered(now)
        if self._ends is not None:
            self._ends, self._run = min(self._ends, now), 0.0
        while self.sounds and self.sounds[-1][1] > now:
            start, _ = self.sounds.pop()
            if start < now:
                self.sounds.append((start, now))
        names = [name for _, name in self._marks]
        self._marks.clear()
        return names

    def buffered(self, now: float) -> float:
        """Return how many seconds are still to be played."""
        return 0.0 if self._ends is None else max(0.0, min(self._ends - now, self._run))

    def position(self, now: float) -> float:
        """Return how many seconds of what came were played by now."""
        return max(0.0, self.received - self.dropped - self.cleared - self.buffered(now))

    def began(self, since: float, now: float) -> float | None:
        """Return when the bot first sounded at or after `since`, up to now; None while it has not."""
        found = None
        for start, end in reversed(self.sounds):
            if end <= since:
                break
            if start <= now:
                found = max(start, since)
        return found

    def quiet_for(self, now: float) -> float:
        """Return for how many seconds nothing has sounded; 0 while something does, infinity if nothing ever did."""
        for start, end in reversed(self.sounds):
            if start <= now:
                return max(0.0, now - end)
        return math.inf

    def _overflow(self, count: int, rate: int, *, now: float) -> int:
        """Return how many samples find no room."""
        if self._most == math.inf:
            return 0
        room = int((self._most - self.buffered(now)) * rate + _ROUNDING)
        return max(0, count - max(0, room))

    def _hear(self, pcm: bytes, rate: int) -> None:
        """Note the times at which the sound that begins at the buffer's end will sound."""
        if pcm.count(0) == len(pcm) or self._ends is None:
            return
        for start, end in sounding_spans(pcm, rate):
            start, end = self._ends + start, self._ends + end
            if self.sounds and start - self.sounds[-1][1] <= _JOINED:
                start = self.sounds.pop()[0]
            self.sounds.append((start, end))


def sounding_spans(pcm: bytes, rate: int) -> list[tuple[float, float]]:
    """Return the times, from and to in seconds, at which `pcm` lies above SOUNDS_DBFS, to 5 ms."""
    width = max(1, round(WINDOW_SECONDS * rate))
    samples = np.frombuffer(pcm, "<i2", count=len(pcm) // 2).astype(np.float32)
    length = len(samples) / rate
    if short := -len(samples) % width:
        samples = np.append(samples, np.zeros(short, np.float32))
    windows = samples.reshape(-1, width)
    loud = np.einsum("ij,ij->i", windows, windows) > width * _POWER
    if loud.all():
        return [(0.0, length)]
    if not loud.any():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate(([False], loud, [False])))).reshape(-1, 2)
    return [(float(first) * width / rate, min(length, float(last) * width / rate)) for first, last in edges]

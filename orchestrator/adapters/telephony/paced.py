"""Sound that our own clock lets out, one frame of 20 ms at its time, and the marks in it; pure, told the time."""

from __future__ import annotations

from collections import deque

from attrs import define, field

from orchestrator.audio import FRAME_SECONDS, SAMPLE_BYTES
from orchestrator.ports import MarkPlayed

_TOO_LATE = 2 * FRAME_SECONDS
"""Seconds behind its time from which a frame begins a schedule of its own: what is late by less is caught up with."""


@define(kw_only=True)
class PacedSound:
    """The sound of one call that waits. A spurt's frame n is due at t0 + 20n ms, however late the ones before were."""

    _rate: int
    _buffer: bytearray = field(factory=bytearray, init=False)
    _marks: deque[tuple[int, str]] = field(factory=deque, init=False)
    _accepted: int = field(default=0, init=False)
    _delivered: int = field(default=0, init=False)
    _began: float = field(default=0.0, init=False)
    _frames: int = field(default=0, init=False)
    _short: int = field(default=0, init=False)
    """Bytes that the last frame was filled up with."""
    sounding: bool = field(default=False, init=False)

    @property
    def waiting(self) -> float:
        """Seconds of sound that wait."""
        return len(self._buffer) / (SAMPLE_BYTES * self._rate)

    @property
    def due(self) -> float:
        """When the next frame is due, or the last one is over; while it sounds."""
        return self._began + FRAME_SECONDS * self._frames

    def take(self, pcm: bytes, now: float) -> None:
        """Take sound; where none was sounding, it begins now."""
        if not self.sounding:
            self.sounding = True
            self._begin(now)
        self._buffer += pcm
        self._accepted += len(pcm)

    def mark(self, name: str, now: float) -> list[MarkPlayed]:
        """Note a mark behind all that was taken; return it at once where nothing sounds."""
        self._marks.append((self._accepted, name))
        return [] if self.sounding else self._over(now)

    def next_frame(self, now: float) -> tuple[list[MarkPlayed], bytes]:
        """The time of the next frame has come: return the marks before it, and the frame (b"": the spurt is over).

        The last frame of a spurt is filled up with silence.
        """
        marks = self._over(self.due - self._short / (SAMPLE_BYTES * self._rate))
        size = SAMPLE_BYTES * round(self._rate * FRAME_SECONDS)
        frame = bytes(self._buffer[:size])
        if not frame:
            self.sounding = False
            return marks, b""
        if now - self.due > _TOO_LATE:
            self._begin(now)
        del self._buffer[:size]
        self._delivered += len(frame)
        self._frames += 1
        self._short = size - len(frame)
        return marks, frame + bytes(self._short)

    def clear(self) -> None:
        """Throw away what waits, and all marks; the frame that is on its way ends."""
        self._buffer.clear()
        self._marks.clear()
        self._accepted = self._delivered

    def _begin(self, now: float) -> None:
        self._began, self._frames, self._short = now, 0, 0

    def _over(self, delivered_at: float) -> list[MarkPlayed]:
        """Return the marks whose sound is over, each at the time when it was: in the middle of a frame, too."""
        over = []
        while self._marks and self._marks[0][0] <= self._delivered:
            position, name = self._marks.popleft()
            ago = (self._delivered - position) / (SAMPLE_BYTES * self._rate)
            over.append(MarkPlayed(name, delivered_at - ago))
        return over

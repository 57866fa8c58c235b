"""Owns the stereo WAV of one call, caller left and bot right on the call's clock; what sounds, and when, the leg says.

A channel is laid down as it arrives. Sound that comes a little late is jitter and is appended to what was there; a
wider gap is silence. What drift that leaves is corrected in silence only, so that no word is torn. Whatever both
channels have passed, or what is older than the horizon, is written a quarter of a second at a time, and the header with
it: killed at any moment, the file holds everything but the last second.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from attrs import define, field

from orchestrator.audio import SAMPLE_BYTES, SILENCE_DBFS, level_dbfs, window_samples

HORIZON_SECONDS = 0.5
"""How late sound may come and still find its place: until then it may miss in the file of a process that was killed."""
AHEAD_SECONDS = 1.0
"""How far ahead of time a channel may run, as after a stall of the network: memory has a bound."""
BLOCK_SECONDS = 0.25
"""Sound written at once, and with it the header."""
CALLER_JITTER_SECONDS = 0.06
"""Of sound placed at its arrival, over a network."""
BOT_JITTER_SECONDS = 0.03
"""Of sound placed by our own clock: one frame and a late wake-up."""


@define
class Recording:
    """A ports.Tap that writes `path`; `started_at` is the call's zero on the run's clock, `rate` in samples a second.

    Never raises: a file that cannot be written (no such directory, disk full) ends the recording and not the call. The
    error is kept in `failed`, for whoever reports it; everything after it is ignored.
    """

    path: Path
    rate: int = field(kw_only=True)
    started_at: float = field(kw_only=True)
    failed: OSError | None = field(init=False, default=None)
    _file: BinaryIO | None = field(init=False, default=None)
    _caller: _Channel = field(init=False)
    _bot: _Channel = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._caller = _Channel(rate=self.rate, jitter=round(CALLER_JITTER_SECONDS * self.rate))
        self._bot = _Channel(rate=self.rate, jitter=round(BOT_JITTER_SECONDS * self.rate))
        try:
            self._file = self.path.open("wb")
        except OSError as error:
            self.failed = error
        self._write(b"")  # a header from the first moment

    def from_caller(self, at: float, pcm: bytes) -> None:
        """Lay down the caller's `pcm`, which began at `at` on the run's clock."""
        self._place(pcm, at=at, channel=self._caller)

    def to_caller(self, at: float, pcm: bytes) -> None:
        """Lay down the bot's `pcm`, which began to sound to the caller at `at` on the run's clock."""
        self._place(pcm, at=at, channel=self._bot)

    def advance(self, now: float) -> None:
        """Write what is settled at `now` (run clock); call it every BLOCK_SECONDS, for the sound before a silence."""
        self._write_until(self._settled(self._position(now)))

    def close(self, now: float) -> None:
        """Write the rest, silence up to `now` (run clock) included, and the last header. Harmless a second time."""
        self._write_until(max(self._position(now), self._caller.end, self._bot.end))
        self._end()

    def _place(self, pcm: bytes, *, at: float, channel: _Channel) -> None:
        if self._file:
            settled = self._settled(self._position(at))
            if settled - self._caller.start >= round(BLOCK_SECONDS * self.rate):
                self._write_until(settled)
            channel.place(self._position(at), pcm[: len(pcm) // SAMPLE_BYTES * SAMPLE_BYTES])

    def _position(self, at: float) -> int:
        return round((at - self.started_at) * self.rate)

    def _settled(self, now: int) -> int:
        return max(now - round(HORIZON_SECONDS * self.rate), min(self._caller.end, self._bot.end))

    def _write_until(self, end: int) -> None:
        blocks = self._stereo(end)
        while self._file and (block := next(blocks, None)):
            self._write(block)

    def _write(self, block: bytes) -> None:
        """Write inline: 64 KB a second (at 16 kHz) reach the page cache in less time than a thread's round trip."""
        if not self._file:
            return
        try:
            self._file.write(block)
            self._file.seek(0)
            self._file.write(_header(self._caller.start, self.rate))
            self._file.seek(0, 2)
            self._file.flush()
        except OSError as error:
            self.failed = error
            self._end()

    def _stereo(self, end: int) -> Iterator[bytes]:
        block = round(BLOCK_SECONDS * self.rate)
        while (size := min(block, end - self._caller.start)) > 0:
            both = np.frombuffer(self._caller.take(size) + self._bot.take(size), "<i2")
            yield both.reshape(2, size).T.tobytes()

    def _end(self) -> None:
        closing, self._file = self._file, None
        try:
            if closing:
                closing.close()
        except OSError as error:
            self.failed = self.failed or error


def _header(length: int, rate: int) -> bytes:
    """Return the 44 bytes before `length` stereo samples; of more than 4 GB (18 h at 16 kHz) readers see the head."""
    frame = 2 * SAMPLE_BYTES
    size = min(length * frame, 0xFFFFFFFF - 36)
    form = struct.pack("<HHIIHH", 1, 2, rate, rate * frame, frame, 8 * SAMPLE_BYTES)
    return struct.pack("<4sI4s4sI16s4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", len(form), form, b"data", size)


@define(kw_only=True)
class _Channel:
    """One side's sound between what is written and what came last; positions are samples of the call's clock."""

    rate: int
    jitter: int
    start: int = 0
    _pending: bytearray = field(factory=bytearray)

    @property
    def end(self) -> int:
        return self.start + len(self._pending) // SAMPLE_BYTES

    def place(self, position: int, pcm: bytes) -> None:
        """Append `pcm` that belongs at `position`, after silence or with a part left out where that hurts nobody."""
        late = position - self.end
        if late < -round(AHEAD_SECONDS * self.rate):
            return  # more sound than time: a peer that sends faster than it speaks
        if late > self.jitter or (abs(late) > window_samples(self.rate) and level_dbfs(pcm) < SILENCE_DBFS):
            self._pending += bytes(SAMPLE_BYTES * max(0, late))
            pcm = pcm[SAMPLE_BYTES * max(0, -late) :]
        self._pending += pcm

    def take(self, size: int) -> bytes:
        """Remove and return the first `size` samples, silence where nothing came."""
        out = bytes(self._pending[: SAMPLE_BYTES * size]).ljust(SAMPLE_BYTES * size, b"\0")
        del self._pending[: SAMPLE_BYTES * size]
        self.start += size
        return out

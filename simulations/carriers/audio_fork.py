"""mod_audio_fork's own buffers between jambonz' wire and the line: sound waits, and marks are samples in it; pure.

From lws_glue.cpp of jambonz/freeswitch-modules, as read for facts/telephony.md, section 3.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulations.carriers.playback import Playback

MOST_MARKS = 30
_MARKER = -1
_NOTHING = np.empty(0, np.int16)
_FIRST, _LATER = 0.16, 0.08
"""Seconds of sound for which it waits: 1280 samples at first, then 640, of a channel of 8000 a second."""


class AudioFork:
    """One call's buffers before `playback`. `complain` hears of what a bot should not do.

    A mark lies before the sound that comes next, as the sample -1; where nothing comes and nothing plays it goes back
    at once. Any other -1 counts as the next mark while one is open. What was cleared while it lay in the sound still
    swallows a marker each.
    """

    def __init__(self, playback: Playback, *, rate: int, complain: Callable[[str], None]) -> None:
        self._playback = playback
        self._complain = complain
        self._rate = rate
        self._waiting = _NOTHING
        self._threshold = round(_FIRST * rate)
        self._inventory: list[str] = []
        self._placed: list[str] = []
        self._swallowing = 0

    def take(self, pcm: bytes, now: float) -> None:
        """Take sound, the marks before it; pass it on when enough is there."""
        sound = np.frombuffer(pcm, "<i2")
        markers = np.full(len(self._inventory), _MARKER, np.int16)
        self._placed += self._inventory
        self._inventory = []
        if self._placed and np.count_nonzero(sound == _MARKER) > self._swallowing:
            self._complain("the sample -1 while marks are open: it counts as a mark")
        self._waiting = np.concatenate((self._waiting, markers, sound))
        if len(self._waiting) >= self._threshold:
            self._threshold = round(_LATER * self._rate)
            self._pass_on(now)

    def mark(self, name: str) -> None:
        """Note a mark; of more than 30 nothing is ever heard."""
        if len(self._inventory) + len(self._placed) < MOST_MARKS:
            self._inventory.append(name)
        else:
            self._complain("more than 30 open marks: dropped")

    def reached(self, now: float) -> list[str]:
        """Return the marks that go back by now; asked every 20 ms."""
        names: list[str] = []
        for _marker in self._playback.reached(now):
            if self._swallowing:
                self._swallowing -= 1
            elif self._placed:
                names.append(self._placed.pop(0))
        if self._inventory and not (self._placed or self._swallowing or self._playback.buffered(now)):
            names.append(self._inventory.pop(0))
        return names

    def clear(self, now: float) -> list[str]:
        """Empty what plays, not what waits; return the names of all open marks."""
        self._playback.clear(now)
        names, self._swallowing = [*self._placed, *self._inventory], self._swallowing + len(self._placed)
        self._placed, self._inventory = [], []
        return names

    def _pass_on(self, now: float) -> None:
        """Play what waits, piece by piece between what may be markers."""
        sound, self._waiting = self._waiting, _NOTHING
        start = 0
        for place in np.flatnonzero(sound == _MARKER).tolist():
            self._play(sound[start:place], now)
            self._playback.mark("", now)
            start = place + 1
        self._play(sound[start:], now)

    def _play(self, sound: NDArray[np.int16], now: float) -> None:
        if len(sound):
            self._playback.add(sound.astype("<i2").tobytes(), now)

"""Where speech begins and ends in a stream of sound, by its loudness alone; pure: it knows the stream's time only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from orchestrator.audio import SAMPLE_BYTES, seconds_of

WINDOW_SECONDS = 0.02
VOICED_DBFS = -45.0
"""A window at least as loud is voiced: espeak's vowels lie at -15 dBFS, a quiet room before a microphone below -50."""
ONSET_WINDOWS = 3
"""So many voiced windows running are speech, fewer a click."""
MARGIN_SECONDS = 0.1
"""Sound that an utterance keeps before its first voiced window and after its last."""
LONGEST_SECONDS = 30.0
"""An utterance that does not end is cut here: the provider cuts by words, and whisper hears 30 s at a time."""

_VOICED_POWER = 32768.0**2 * 10 ** (VOICED_DBFS / 10)


@frozen
class Started:
    """A voiced region began, so many seconds into the stream."""

    at: float


@frozen
class Stopped:
    """A voiced region ended, so many seconds into the stream."""

    at: float


@frozen
class Growing:
    """What was said so far of an utterance that goes on."""

    start: float
    pcm: bytes


@frozen
class Utterance:
    """A finished utterance: its sound, and when that begins in the stream."""

    start: float
    pcm: bytes


Happening = Started | Stopped | Growing | Utterance


@define(kw_only=True)
class Turns:
    """One stream of PCM at `rate`. `quiet` seconds of silence end an utterance, `vad_quiet` a voiced region; every
    `growing` seconds, where given, an utterance that goes on is shown.

    The two are not the same: a client may cut an utterance while somebody speaks.
    """

    rate: int
    quiet: float
    vad_quiet: float
    growing: float = float("inf")
    _sound: bytearray = field(factory=bytearray, init=False)
    """The utterance so far; between utterances, the margin before the next."""
    _sound_from: float = field(default=0.0, init=False)
    _rest: bytes = field(default=b"", init=False)
    """What does not fill a window yet."""
    _window: int = field(default=0, init=False)
    """How many windows were looked at."""
    _voiced_run: int = field(default=0, init=False)
    _silent_run: int = field(default=0, init=False)
    _speaking: bool = field(default=False, init=False)
    """In a voiced region."""
    _shown: float | None = field(default=None, init=False)
    """When the utterance that goes on was shown, or opened; None between utterances."""

    def feed(self, pcm: bytes) -> Iterator[Happening]:
        """Take the next sound; yield what happened in it, in order. Must be read to its end."""
        width = SAMPLE_BYTES * self._window_samples
        pcm = self._rest + pcm
        whole = len(pcm) - len(pcm) % width
        self._rest = pcm[whole:]
        voiced = _voiced(pcm[:whole], width)
        for number in range(whole // width):
            self._sound += pcm[number * width : (number + 1) * width]
            self._window += 1
            yield from self._voiced_window() if voiced[number] else self._silent_window()
            if self._shown is not None and self._now - self._sound_from >= LONGEST_SECONDS:
                yield self._cut(self._now)

    def flush(self) -> Utterance | None:
        """End the utterance that goes on, and return it; the voiced region goes on."""
        self._voiced_run = 0  # the end of a word that was cut is no utterance of its own
        return None if self._shown is None else self._cut(self._now)

    @property
    def _window_samples(self) -> int:
        return round(self.rate * WINDOW_SECONDS)

    @property
    def _now(self) -> float:
        return self._window * self._window_samples / self.rate

    @property
    def _last_voiced(self) -> float:
        """When the silence began."""
        return self._now - self._silent_run * WINDOW_SECONDS

    def _voiced_window(self) -> Iterator[Happening]:
        self._voiced_run += 1
        self._silent_run = 0
        if self._voiced_run >= ONSET_WINDOWS and not self._speaking:
            self._speaking = True
            yield Started(self._now - ONSET_WINDOWS * WINDOW_SECONDS)
        if self._shown is None:
            self._shown = self._now if self._voiced_run >= ONSET_WINDOWS else None
        elif self._now - self._shown >= self.growing:
            self._shown = self._now
            yield Growing(self._sound_from, bytes(self._sound))

    def _silent_window(self) -> Iterator[Happening]:
        self._voiced_run = 0
        self._silent_run += 1
        if self._shown is not None and self._silent_run >= _windows(self.quiet):
            yield self._cut(self._last_voiced + MARGIN_SECONDS)
        if self._speaking and self._silent_run >= _windows(self.vad_quiet):
            self._speaking = False
            yield Stopped(self._last_voiced)
        if self._shown is None:
            self._keep_margin()

    def _cut(self, end: float) -> Utterance:
        """Return the utterance up to `end`; what sounds after it belongs to the next."""
        size = SAMPLE_BYTES * round((end - self._sound_from) * self.rate)
        utterance = Utterance(self._sound_from, bytes(self._sound[:size]))
        del self._sound[:size]
        self._sound_from += seconds_of(utterance.pcm, self.rate)
        self._shown = None
        return utterance

    def _keep_margin(self) -> None:
        surplus = len(self._sound) - SAMPLE_BYTES * round(MARGIN_SECONDS * self.rate)
        if surplus > 0:
            del self._sound[:surplus]
            self._sound_from += surplus / (SAMPLE_BYTES * self.rate)


def _windows(seconds: float) -> int:
    return max(1, round(seconds / WINDOW_SECONDS))


def _voiced(pcm: bytes, width: int) -> NDArray[np.bool_]:
    """Say for each window of `width` bytes whether it is voiced."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32).reshape(-1, width // SAMPLE_BYTES)
    loud: NDArray[np.bool_] = np.einsum("ij,ij->i", samples, samples) >= samples.shape[1] * _VOICED_POWER
    return loud

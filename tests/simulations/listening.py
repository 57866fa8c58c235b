"""Listens to a recording as a person would: where the bot's channel sounds, beside what the transcript says."""

from __future__ import annotations

import json
import wave
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

WINDOW = 0.005
"""Seconds over which loudness is measured."""
LOUD = 33.0
"""RMS above which a window sounds: -60 dBFS."""


def loud_windows(path: Path) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return for each 5 ms of a stereo recording whether the bot's channel sounds."""
    with wave.open(str(path)) as recording:
        rate, size = recording.getframerate(), recording.getnframes()
        samples = np.frombuffer(recording.readframes(size), "<i2").reshape(-1, 2)[:, 1].astype(np.float64)
    width = round(WINDOW * rate)
    whole = samples[: len(samples) // width * width].reshape(-1, width)
    return np.asarray(np.sqrt(np.mean(np.square(whole), axis=1)) > LOUD)


def words(transcript: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the bot's words that sounded, in order."""
    for turn in transcript["turns"]:
        if turn["who"] == "bot":
            yield from (word for word in turn["words"] if word["start"] is not None)


def misplaced(recording: Path, *, within: float, also: Iterable[tuple[float, float]] = ()) -> list[str]:
    """Return what does not fit: heard words without sound near their start or end, and sound near no word.

    Between each of the two times in `also` words sounded that are no part of a reply: fillers, a sentence at the end.
    """
    transcript = json.loads(recording.with_suffix(".json").read_text())
    loud = loud_windows(recording)
    times = np.flatnonzero(loud) * WINDOW
    covered = np.zeros(len(loud), dtype=bool)
    wrong: list[str] = []
    for begin, end in also:
        covered[max(0, int((begin - within) / WINDOW)) : int((end + within) / WINDOW) + 1] = True
    for word in words(transcript):
        begin, end = word["start"], word["end"]
        covered[max(0, int((begin - within) / WINDOW)) : int((end + within) / WINDOW) + 1] = True
        if word["state"] == "heard":
            off = [float(np.min(np.abs(times - at), initial=9.0)) for at in (begin, end - WINDOW)]
            wrong += [f"{word}: {distance:.3f} s from any sound" for distance in off if distance > within]
    strays = np.flatnonzero(loud & ~covered) * WINDOW
    return wrong + [f"sound at {at:.2f} s, where no word is" for at in strays]

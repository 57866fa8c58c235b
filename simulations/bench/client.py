"""Asks the simulated provider for speech over real sockets and notes when it comes; what is asked, and when, is decided
elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import trio
from attrs import define, field
from websockets.trio.client import connect

from orchestrator.audio import SAMPLE_BYTES
from simulations.waves.options import WavesOptions

RATE = 44100
"""Samples a second: what clients get that ask for nothing else, and the dearest."""
_PATH = "/waves/v1/tts/live"


@define
class Heard:
    """What came of texts that were asked for."""

    sound: float = 0.0
    """Seconds of it."""
    late: list[float] = field(factory=list)
    """Of each chunk, how many seconds after its last sample was to be made it came: that counts from the asking."""
    gaps: list[float] = field(factory=list)
    """Seconds from chunk to chunk of one text."""


async def hear(text: str, heard: Heard, *, address: str, options: WavesOptions, key: str = "") -> float:
    """Ask for a text on a socket of its own, add to `heard` what comes, and return its seconds of sound.

    Raises RuntimeError for a refusal, ConnectionClosed where the end does not come.
    """
    body = {"text": text, "voice_id": "magnus", "sample_rate": RATE, "complete_backoff_ms": 0}
    sound, before = 0.0, None
    bearer = {"Authorization": f"Bearer {key}"}
    async with connect(address + _PATH, additional_headers=bearer, proxy=None, compression=None) as socket:
        first_byte = trio.current_time() + options.ttfb
        await socket.send(json.dumps(body))
        while (frame := json.loads(await socket.recv()))["status"] == "chunk":
            now = trio.current_time()
            sound += _seconds_of(frame["data"]["audio"])
            heard.late.append(now - first_byte - options.rtf * sound)
            if before is not None:
                heard.gaps.append(now - before)
            before = now
    if frame["status"] != "complete":
        raise RuntimeError(f"the provider said {frame}")
    heard.sound += sound
    return sound


def _seconds_of(audio: str) -> float:
    """Return how long the sound is, without decoding it."""
    size = len(audio) // 4 * 3 - audio[-2:].count("=")
    return size / SAMPLE_BYTES / RATE


def milliseconds(seconds: Sequence[float], percentile: float) -> float:
    """Return a percentile of times in seconds, in milliseconds."""
    return 1000 * float(np.percentile(seconds, percentile))

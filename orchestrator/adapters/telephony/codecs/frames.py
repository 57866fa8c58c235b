"""Decides how sound of any length becomes whole frames of 20 ms; what a frame is wrapped in is each codec's."""

from __future__ import annotations

from attrs import define, field

from orchestrator.audio import SAMPLE_BYTES

FRAMES_PER_SECOND = 50
"""Telephony carries speech in frames of 20 ms."""
KEPT_SECONDS = 1 / FRAMES_PER_SECOND
"""At most so much sound waits for the rest of its frame."""


def frame_bytes(rate: int) -> int:
    """Return how many bytes 20 ms of PCM have at `rate` samples a second (a multiple of 50)."""
    return SAMPLE_BYTES * (rate // FRAMES_PER_SECOND)


def whole_samples(data: bytes) -> bytes:
    """Return `data` without half a sample at its end."""
    return data if len(data) % SAMPLE_BYTES == 0 else data[: -(len(data) % SAMPLE_BYTES)]


def cut(data: bytes, size: int) -> list[bytes]:
    """Return `data` in parts of `size` bytes, the last of which may be shorter."""
    return [data[start : start + size] for start in range(0, len(data), size)]


@define
class Frames:
    """What is to be sent in frames of `size` bytes; keeps what fills no whole frame until more comes."""

    size: int
    _rest: bytes = field(default=b"", init=False)

    def take(self, pcm: bytes) -> bytes:
        """Return the whole frames that are there with `pcm`, one after the other; nothing if there is none."""
        data = self._rest + pcm if self._rest else pcm
        whole = len(data) - len(data) % self.size
        self._rest = data[whole:]
        return data[:whole]

    def fill(self) -> bytes:
        """Return the kept rest as one frame, silence after it; nothing where nothing is kept."""
        rest, self._rest = self._rest, b""
        return rest.ljust(self.size, b"\0") if rest else b""

    def clear(self) -> None:
        """Throw the kept rest away."""
        self._rest = b""

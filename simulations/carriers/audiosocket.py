"""Asterisk's AudioSocket from its side: a TCP stream, hardly a buffer, over at the first mistake or 2 s of nothing."""

from __future__ import annotations

import math

from simulations.carriers.carrier import Call, Carrier, MakesPlayback, Message, Payload
from simulations.carriers.playback import Playback

HANG_UP, UUID, DTMF, ERROR = 0x00, 0x01, 0x03, 0xFF
RATES = {
    0x10: 8000,
    0x11: 12_000,
    0x12: 16_000,
    0x13: 24_000,
    0x14: 32_000,
    0x15: 44_100,
    0x16: 48_000,
    0x17: 96_000,
    0x18: 192_000,
}
_KINDS = {rate: kind for kind, rate in RATES.items()}
_HEADER = 3
_PAYLOAD_WITHIN = 0.1
"""Seconds after a header in which its payload must come: seen, 100 ms apart and the call is dropped."""


_SOMETHING_WITHIN = 2.0
"""Seconds within which something must go one way or the other: seen, "Reached timeout after 2000 ms"."""


class FakeAudioSocket(Carrier):
    """One call of the dialplan's AudioSocket application.

    With `sparse` the caller's channel sends nothing while the caller is silent, as Local channels do.
    """

    name = "audiosocket"
    rates = tuple(_KINDS)
    law = False
    as_text = False
    jitter = 0.02
    sparse = False
    most = 0.2  # of a burst of 3 s the caller heard 0.16 s: the channel's queue is short

    def __init__(self, call: Call, *, rate: int | None = None, playback: MakesPlayback = Playback) -> None:
        super().__init__(call, rate=rate, playback=playback)
        self._buffer = bytearray()
        self._header_at = math.inf
        self._silence = bytes(self.frame_bytes)
        self._now = 0.0
        self._last: float | None = None
        """When anything went either way; None before the first tick."""
        self._audio_kind = _KINDS[self.rate]

    def opening(self) -> list[Message]:
        """Return the call's UUID."""
        return [_message(UUID, bytes.fromhex(self.call.call))]

    def media(self, payload: Payload) -> list[Message]:
        """Return one frame, header and payload together."""
        assert isinstance(payload, bytes)
        if self.sparse and payload == self._silence:
            return []
        self._last = self._now
        return [_message(self._audio_kind, payload)]

    def due(self, now: float) -> list[Message]:
        """Drop the call where a payload did not follow its header, or nothing went either way."""
        self._now = now
        self._last = now if self._last is None else self._last
        if now - self._header_at > _PAYLOAD_WITHIN:
            self.dropped = "a header and its payload came apart"
        elif now - self._last > _SOMETHING_WITHIN:
            self.dropped = "Reached timeout after 2000 ms of no activity"
        return []

    def press(self, digit: str) -> list[Message]:
        """Return one key."""
        return [_message(DTMF, digit.encode())]

    def receive(self, message: Message, now: float) -> list[Message]:
        """Take in bytes of the stream, in any pieces."""
        assert isinstance(message, bytes)
        self._last = now
        self._buffer += message
        while len(self._buffer) >= _HEADER and not (self.dropped or self.hung_up):
            size = int.from_bytes(self._buffer[1:3], "big")
            if len(self._buffer) < _HEADER + size:
                self._header_at = min(self._header_at, now)
                break
            if now - self._header_at > _PAYLOAD_WITHIN:
                self.dropped = "a header and its payload came apart"
                break
            self._header_at = math.inf
            kind, payload = self._buffer[0], bytes(self._buffer[_HEADER : _HEADER + size])
            del self._buffer[: _HEADER + size]
            self._take_message(kind, payload, now=now)
        return []

    def _take_message(self, kind: int, payload: bytes, *, now: float) -> None:
        if kind == HANG_UP:
            self.hung_up = True
        elif kind not in RATES:
            self.dropped = f"a message of kind 0x{kind:02x}"
        elif not payload:
            self.dropped = "sound without a byte"
        else:
            self.playback.add(payload, now, rate=RATES[kind])


def _message(kind: int, payload: bytes) -> bytes:
    return bytes((kind,)) + len(payload).to_bytes(2, "big") + payload

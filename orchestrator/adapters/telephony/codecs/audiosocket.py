"""Decides how a call reads and writes Asterisk's AudioSocket: a kind, a length of two bytes, a payload.

Formats: include/asterisk/res_audiosocket.h of Asterisk 23.4.1. Lengths are big endian, sound is little endian PCM.
Asterisk keeps no buffer: whoever uses this codec sends one frame every 20 ms, and every frame in one go.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from orchestrator.adapters.telephony.codecs.frames import KEPT_SECONDS, Frames, cut, frame_bytes, whole_samples
from orchestrator.adapters.telephony.codecs.json_media import keys_pressed
from orchestrator.errors import CarrierFault
from orchestrator.ports import (
    Answered,
    CallFacts,
    CarrierEvent,
    Complaint,
    Ended,
    MarksAfterClear,
    Media,
    WireMessage,
)

_HANG_UP, _UUID, _DTMF, _ERROR = 0x00, 0x01, 0x03, 0xFF
_RATES = (8000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000)
_RATE_OF_KIND: Mapping[int, int] = {0x10 + step: rate for step, rate in enumerate(_RATES)}
_KIND_OF_RATE: Mapping[int, int] = {rate: kind for kind, rate in _RATE_OF_KIND.items()}
_HEADER_BYTES = 3
_UUID_BYTES = 16


def _packed(kind: int, payload: bytes) -> bytes:
    return bytes([kind]) + len(payload).to_bytes(2, "big") + payload


class AudioSocketCodec:
    """One call's AudioSocket: implements ports.CarrierCodec over the bytes of a TCP stream, in whatever chunks.

    The dialplan's AudioSocket() always sends 8000 samples a second, `Dial(AudioSocket/host:port/uuid/c(slin16))`
    others: `rate` has to be what it sends, because a caller who is silent may send nothing by which to tell. There are
    no marks and nothing to clear. When we hang up, the dialplan goes on; that is how a caller is handed over, too.
    """

    name = "audiosocket"
    subprotocols: Sequence[str] = ()
    marks_after_clear = MarksAfterClear.DROPPED
    keeps = KEPT_SECONDS
    most_marks = 0

    def __init__(self, *, rate: int = 8000) -> None:
        if rate not in _KIND_OF_RATE:
            raise CarrierFault(f"AudioSocket carries no {rate} samples a second, only {', '.join(map(str, _RATES))}")
        self.rate = rate
        self._kind = _KIND_OF_RATE[rate]
        self._frames = Frames(frame_bytes(rate))
        self._unread = bytearray()
        self._answered = False
        self._over = False

    def receive(self, message: WireMessage) -> Sequence[CarrierEvent]:
        """Return what the messages mean that are complete with these bytes. Raises CarrierFault."""
        if isinstance(message, str):
            raise CarrierFault("AudioSocket is a stream of bytes")
        self._unread += message
        events: list[CarrierEvent] = []
        while self._unread and not self._over:
            if not self._answered:
                self._check_first_header()
            if len(self._unread) < _HEADER_BYTES:
                break
            end = _HEADER_BYTES + int.from_bytes(self._unread[1:_HEADER_BYTES], "big")
            if len(self._unread) < end:
                break
            kind, payload = self._unread[0], bytes(self._unread[_HEADER_BYTES:end])
            del self._unread[:end]
            events += self._meaning(kind, payload)
        return events

    def _check_first_header(self) -> None:
        """Refuse whatever is no AudioSocket at its first byte, instead of waiting for 64 KiB of it."""
        expected = bytes([_UUID]) + _UUID_BYTES.to_bytes(2, "big")
        head = bytes(self._unread[:_HEADER_BYTES])
        if not expected.startswith(head):
            raise CarrierFault(f"an AudioSocket begins with a UUID, not with {head.hex()}")

    def _meaning(self, kind: int, payload: bytes) -> Sequence[CarrierEvent]:
        if kind in _RATE_OF_KIND:
            return self._sound(kind, payload)
        if kind == _UUID and not self._answered:
            self._answered = True
            return [Answered(CallFacts(str(uuid.UUID(bytes=payload)), leg=self.name))]
        if kind == _DTMF:
            return keys_pressed(payload.decode("latin-1"))
        if kind == _HANG_UP:
            self._over = True
            return [Ended("hang-up")]
        if kind == _ERROR:
            return [Complaint(f"error {payload[:_UUID_BYTES].hex() or 'without a code'}")]
        return ()  # a kind that is newer than this file, or a second UUID

    def _sound(self, kind: int, payload: bytes) -> Sequence[CarrierEvent]:
        if kind != self._kind:
            raise CarrierFault(f"Asterisk sends {_RATE_OF_KIND[kind]} samples a second, the line's rate is {self.rate}")
        pcm = whole_samples(payload)
        return [Media(pcm)] if pcm else ()

    def media(self, pcm: bytes) -> Sequence[WireMessage]:
        """Return header and payload together for each whole frame of 20 ms."""
        return [_packed(self._kind, frame) for frame in cut(self._frames.take(pcm), self._frames.size)]

    def fill(self) -> Sequence[WireMessage]:
        """Return the last frame, filled up with silence."""
        rest = self._frames.fill()
        return [_packed(self._kind, rest)] if rest else ()

    def mark(self, name: str) -> Sequence[WireMessage]:
        """Return nothing: the clock of whoever sends tells what has sounded."""
        return ()

    def clear(self) -> Sequence[WireMessage]:
        """Return nothing: to stop is to send no more. A kept rest is thrown away."""
        self._frames.clear()
        return ()

    def hang_up(self) -> Sequence[WireMessage]:
        """Return the three bytes that end the application, so that the dialplan goes on."""
        return [_packed(_HANG_UP, b"")]

    def transfer(self, to: str) -> Sequence[WireMessage] | None:
        """Only the dialplan transfers."""
        return None

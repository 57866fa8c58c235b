"""WebSocket frames (RFC 6455, 5.2) by hand, as cheap as they can be; what they mean is wire.py's."""

from __future__ import annotations

import os

MASKED = 0x80
"""In the second byte of a frame: a mask follows its length. Clients' frames have one, servers' may not."""


def masked_frame(data: bytes, *, text: bool) -> bytes:
    """Return a whole message of a client's as one frame, masked by a key that nobody knows before."""
    size, first = len(data), 0x81 if text else 0x82
    if size < 126:
        head = bytes((first, MASKED | size))
    elif size < 65_536:
        head = bytes((first, MASKED | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, MASKED | 127)) + size.to_bytes(8, "big")
    key = os.urandom(4)
    mask = (key * (size // 4 + 1))[:size]
    masked = int.from_bytes(data, "little") ^ int.from_bytes(mask, "little")
    return head + key + masked.to_bytes(size, "little")


def frame_span(data: bytes, at: int) -> tuple[int, int] | None:
    """Return where the payload of a server's frame that begins at `at` begins and ends, be all of it there or not.

    None while its head is not whole. A frame with a mask, which a server may not send, ends behind it.
    """
    there = len(data) - at
    if there < 2:
        return None
    size, start = data[at + 1] & 0x7F, at + 2
    if size > 125:
        start += 2 if size == 126 else 8
        if start > len(data):
            return None
        size = int.from_bytes(data[at + 2 : start], "big")
    if data[at + 1] & MASKED:
        start += 4
    return start, start + size

"""A real video file of any length in some 700 bytes: one grey picture of 16 x 16, H.264 in MP4."""

from __future__ import annotations

import struct

_SIZE = 16
_SPS = bytes.fromhex("6764000aacd95e84000003000400000300083c489658")
_PPS = bytes.fromhex("68ebe0e4b22c")
_PICTURE = bytes.fromhex("6588840015fffef25be1")
"""One IDR picture; it and its parameter sets came from an encoder (x264)."""
_SCALE = 1000
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def tiny_mp4(seconds: float) -> bytes:
    """Return a video that lasts so long."""
    length = max(1, round(seconds * _SCALE))
    kind = _box(b"ftyp", b"isom" + _words(512) + b"isomiso2avc1mp41")
    sample = _words(len(_PICTURE)) + _PICTURE
    data = _box(b"mdat", sample)
    return kind + data + _box(b"moov", _movie_head(length) + _track(length, at=len(kind) + 8, size=len(sample)))


def _movie_head(length: int) -> bytes:
    body = _words(0, 0, _SCALE, length, 0x10000) + struct.pack(">H10x", 0x100) + _MATRIX + bytes(24) + _words(2)
    return _full(b"mvhd", body)


def _track(length: int, *, at: int, size: int) -> bytes:
    side = _SIZE << 16
    head = _full(b"tkhd", _words(0, 0, 1, 0, length) + bytes(16) + _MATRIX + _words(side, side), flags=3)
    media_head = _full(b"mdhd", _words(0, 0, _SCALE, length) + b"\x55\xc4\0\0")
    handler = _full(b"hdlr", _words(0) + b"vide" + bytes(12) + b"VideoHandler\0")
    source = _box(b"dinf", _full(b"dref", _words(1) + _full(b"url ", b"", flags=1)))
    video = _full(b"vmhd", bytes(8), flags=1)
    information = _box(b"minf", video + source + _table(length, at=at, size=size))
    return _box(b"trak", head + _box(b"mdia", media_head + handler + information))


def _table(length: int, *, at: int, size: int) -> bytes:
    config = bytes([1, *_SPS[1:4], 0xFF, 0xE1]) + struct.pack(">H", len(_SPS)) + _SPS
    config += b"\x01" + struct.pack(">H", len(_PPS)) + _PPS + b"\xfd\xf8\xf8\0"
    entry = bytes(6) + b"\0\x01" + bytes(16) + struct.pack(">2H", _SIZE, _SIZE) + _words(0x480000, 0x480000, 0)
    entry += b"\0\x01" + bytes(32) + b"\0\x18\xff\xff" + _box(b"avcC", config)
    return _box(
        b"stbl",
        _full(b"stsd", _words(1) + _box(b"avc1", entry))
        + _full(b"stts", _words(1, 1, length))
        + _full(b"stsc", _words(1, 1, 1, 1))
        + _full(b"stsz", _words(0, 1, size))
        + _full(b"stco", _words(1, at)),
    )


def _words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def _box(kind: bytes, body: bytes) -> bytes:
    return _words(len(body) + 8) + kind + body


def _full(kind: bytes, body: bytes, *, flags: int = 0) -> bytes:
    return _box(kind, _words(flags) + body)

"""Has the C library give memory back to the machine; how much of it is taken is not decided here."""

from __future__ import annotations

from contextlib import suppress
from ctypes import CDLL

_MMAP_THRESHOLD = -3
"""The number of this parameter of glibc's mallopt()."""
_LARGE = 128 * 1024
"""Bytes: what the threshold is at first."""


def return_large_blocks() -> None:
    """Have each large block given back as soon as it is free; only glibc needs to be told, and can.

    It raises the threshold with the first large block that is freed, up to 32 MB: from then on sound lies in the heap,
    and whatever small thing lies behind it keeps all of it resident.
    """
    with suppress(OSError, TypeError, AttributeError):
        CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)

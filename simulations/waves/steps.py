"""What the provider does on the way of one synthesis to its client, step by step; values, shared by all kinds of link.

A link performs the steps in order, each at its time. Faults change them on the way (faults/spoiling.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

from attrs import frozen


@frozen
class Send:
    """At the time `at`, send a whole message: `text` as this kind of link frames it. `seconds` of sound are in it."""

    at: float
    text: str
    what: Literal["chunk", "word", "complete", "error"]
    seconds: float = 0.0


@frozen
class Free:
    """From the time `at` on the slot is free again."""

    at: float


@frozen
class Raw:
    """Put bytes on the wire as they are, whatever protocol the link speaks."""

    at: float
    data: bytes


@frozen
class Binary:
    """Send a binary message: no client expects one."""

    at: float
    data: bytes


@frozen
class HalfClose:
    """End our direction of the connection without a word, and go on reading."""

    at: float


@frozen
class Close:
    """Let the connection go, without the protocol's own good-bye."""

    at: float


@frozen
class Hang:
    """Nothing follows: the synthesis is held until its link is gone."""


Step = Send | Free | Raw | Binary | HalfClose | Close | Hang
Steps = AsyncIterator[Step]

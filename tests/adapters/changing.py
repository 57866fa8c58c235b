"""Changes one character of a text, for tests that say what must then be refused."""

from __future__ import annotations


def changed(text: str, place: int, by: int) -> str:
    """Return the text with one character changed into another."""
    at = place % len(text)
    return text[:at] + chr((ord(text[at]) - 33 + 1 + by % 92) % 94 + 33) + text[at + 1 :]

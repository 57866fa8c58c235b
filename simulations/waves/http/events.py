"""The server-sent events in which the provider streams sound over HTTP; pure. What is sent when is speech.py's."""

from __future__ import annotations

import base64

DONE = '{"status":"200","done":true}'
"""The data of the event that ends a synthesis."""
FAILED = '{"status":"500","done":true,"message":"An unexpected error occurred."}'
"""The data of the event that ends one which failed: nothing of it is published but the form of the others."""


def audio(pcm: bytes) -> str:
    """Return the data of an event that carries a chunk of sound."""
    return f'{{"audio":"{base64.b64encode(pcm).decode("ascii")}","done":false,"status":"206"}}'


def event(data: str, *, name: str = "") -> str:
    """Return an event as it is on the wire; one without a name has no such line."""
    line = f"event: {name}\n" if name else ""
    return line + "".join(f"data: {part}\n" for part in data.splitlines() or [""]) + "\n"

"""JSON as JavaScript writes it: compact, in UTF-8, whole numbers without a point; pure."""

from __future__ import annotations

import json
import math
from typing import Any


def stringify(value: Any) -> bytes:
    """Return the bytes of `JSON.stringify(value)`: half a surrogate pair is escaped, what is not finite is null."""
    text = json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value

"""Blanks what looks like a key of an account in text that people will read, wherever that text came from."""

from __future__ import annotations

import re

_KEY = re.compile(r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))sk_[\w.-]+|(?<=Bearer )[^\s\"\\]+")
"""A key as the provider makes them, where a word begins (in JSON an escaped line end is no letter), or any token."""
BLANK = "***"


def redacted(text: str, *secrets: str) -> str:
    """Return `text` with each of `secrets`, and all that looks like a key, blanked."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, BLANK)
    return _KEY.sub(BLANK, text) if "sk_" in text or "Bearer " in text else text

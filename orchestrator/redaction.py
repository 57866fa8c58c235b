"""Blanks what looks like a key of an account in text that people will read, wherever that text came from."""

from __future__ import annotations

import re

_KEY = re.compile(
    r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))(?:sk_[\w.-]+|KEY[0-9A-F]{12,}_\w+)"
    r"|(?<=Bearer )[^\s\"\\]+|(?<=Basic )[A-Za-z0-9+/]{16,}=*|(?<=[?&]token=)[^\s&\"\\]+"
)
"""A key as the provider or Telnyx makes them, where a word begins (in JSON an escaped line end is no letter), any token
or password in a header, or a token in a URL. Twilio's and Plivo's auth tokens look like any checksum."""
_MARKS = ("sk_", "KEY", "Bearer ", "Basic ", "token=")
"""One of them is in every text that has a key: to look for them is cheaper."""
BLANK = "***"


def redacted(text: str, *secrets: str) -> str:
    """Return `text` with each of `secrets`, and all that looks like a key, blanked."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, BLANK)
    return _KEY.sub(BLANK, text) if any(mark in text for mark in _MARKS) else text

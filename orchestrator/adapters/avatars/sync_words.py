"""Makes words that came over the wire fit for people: one line, bounded, without keys and without signed URLs; pure."""

from __future__ import annotations

import re

from orchestrator.redaction import redacted

_LONGEST = 400
"""Characters of a message."""
_URL = re.compile(r"(?<=://)(?:[^\s/?#\"'<>@]*@)?([^\s?#\"'<>]+)([?#][^\s\"'<>)\]]+)?")
"""A URL behind its scheme: perhaps a login, then what may be shown, then perhaps a query, where signatures are."""


def without_signature(text: str) -> str:
    """Return a text in which URLs have no login, and end before their queries."""
    return _URL.sub(lambda url: url[1] + ("?..." if url[2] else ""), text)


def plain_words(text: str, *secrets: str) -> str:
    """Return what a service said as one line for people: no control characters, no `secrets`, no signatures."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    line = without_signature(redacted(line, *secrets))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."

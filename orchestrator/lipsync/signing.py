"""Decides whether a webhook's body was signed by the video service, and lately; pure.

What becomes of one that was not, and whether one came before, is webhooks.py's.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from enum import Enum

from attrs import frozen

HEADER = "Sync-Signature"
"""The header that the service's guide names; another page's `X-Signature-Primary` says no time, so replays fit it."""
_FORM = re.compile(r"t=([0-9]{1,16}), ?v1=([0-9A-Fa-f]{64})")
_MILLISECONDS = 1e11
"""Above that a time is in milliseconds: which of the two the service sends is not published."""


class Refusal(Enum):
    """Why a body is not believed, in words for the log."""

    UNSIGNED = "it is not signed"
    MALFORMED = "its signature is not written as t=TIME,v1=HEX"
    WRONG = "its signature is wrong"
    TOO_OLD = "it was signed too long ago"
    FROM_THE_FUTURE = "it was signed at a time that is still to come"


@frozen
class Verified:
    """A body that the service signed, at `at` (Unix seconds); `signature` tells it from all others."""

    signature: str
    at: float


def verify(header: str | None, body: bytes, *, secret: str, now: float, tolerance: float) -> Verified | Refusal:
    """Return what the signature in `header` says of `body`, exactly as it came; `now` is in Unix seconds.

    The key is all of `secret`, its "whsec_" too; signed are the header's own digits of the time, a dot and the body.
    `tolerance` is how many seconds that time may be off, either way. Raises ValueError without a secret: then anybody
    could sign.
    """
    if not secret:
        raise ValueError("nothing can be verified without a secret")
    if not header:
        return Refusal.UNSIGNED
    found = _FORM.fullmatch(header.strip())
    if found is None:
        return Refusal.MALFORMED
    time, signature = found[1], found[2].lower()
    expected = hmac.new(secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        return Refusal.WRONG
    at = int(time) / 1000 if int(time) > _MILLISECONDS else float(time)
    if at < now - tolerance:
        return Refusal.TOO_OLD
    if at > now + tolerance:
        return Refusal.FROM_THE_FUTURE
    return Verified(signature, at)

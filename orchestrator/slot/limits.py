"""Says which kind of failure a status, a close code or silence is, and what answers each kind; pure, waits for none.

The words of an error frame are read by the adapter whose provider writes them. When the account may be asked again is
account.py's.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from orchestrator.errors import FaultKind, ProviderFault

_STATUS_KINDS = {
    400: FaultKind.REQUEST,
    401: FaultKind.FINAL,
    402: FaultKind.FINAL,
    403: FaultKind.FINAL,
    404: FaultKind.FINAL,
    410: FaultKind.FINAL,
    413: FaultKind.REQUEST,
    415: FaultKind.REQUEST,
    422: FaultKind.REQUEST,
    429: FaultKind.LINKS,
}
_CLOSE_KINDS = {
    1003: FaultKind.REQUEST,
    1007: FaultKind.REQUEST,
    1009: FaultKind.REQUEST,
    # How the provider's other services refuse one socket too many; which code this one uses is not documented.
    1008: FaultKind.LINKS,
    1013: FaultKind.LINKS,
}


class Answer(Enum):
    """What is done about a failure."""

    WAIT_SLOT = "wait for the slot"
    """The whole account waits until somebody else is predicted to be done."""
    WAIT_WINDOW = "wait for the window"
    """The whole account waits as long as the provider says."""
    FEWER_LINKS = "do with fewer links"
    TRY_AGAIN = "try again"
    """From the first unheard word, a bounded number of times."""
    SKIP_TEXT = "this text not"
    """The same text would be refused again; others go on."""
    WAIT_PERSON = "nothing until a person acts"
    """The calls have the local voice; asked again now and then."""


ANSWERS: Mapping[FaultKind, Answer] = {
    FaultKind.CONCURRENCY: Answer.WAIT_SLOT,
    FaultKind.RATE: Answer.WAIT_WINDOW,
    FaultKind.LINKS: Answer.FEWER_LINKS,
    FaultKind.RETRY: Answer.TRY_AGAIN,
    FaultKind.REQUEST: Answer.SKIP_TEXT,
    FaultKind.FINAL: Answer.WAIT_PERSON,
}
"""The one answer to each kind."""


def kind_of_status(status: int) -> FaultKind:
    """Return what an HTTP status means that is no success; what is not known is worth another try.

    429 is one socket too many: requests go over WebSockets, so that only an opening is answered by a status.
    """
    return _STATUS_KINDS.get(status, FaultKind.RETRY)


def kind_of_close(code: int) -> FaultKind:
    """Return what a WebSocket close code means; what is not known is worth another try."""
    return _CLOSE_KINDS.get(code, FaultKind.RETRY)


def silence(seconds: float) -> ProviderFault:
    """Return the fault of a request for which nothing came for so many seconds: a failure, not patience."""
    return ProviderFault(FaultKind.RETRY, f"nothing came for {seconds:.1f} s")

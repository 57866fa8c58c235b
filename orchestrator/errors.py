"""The errors that cross a layer: each vendor's exception is mapped to one of these at its edge, once."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum


class TalkingstickError(Exception):
    """Every error that this package raises on purpose."""


class SettingsError(TalkingstickError):
    """A setting is unknown or wrong: the message names the key, the value and what would be right."""


class BotLoadError(TalkingstickError):
    """A bot cannot be used: not importable, no such class, or a hook with the wrong shape."""


class BotError(TalkingstickError):
    """A bot broke its contract during a call: it raised, yielded the wrong thing or took too long."""


class LegClosed(TalkingstickError):
    """The telephony leg is gone: nothing more can be written to it or read from it."""


class CarrierFault(TalkingstickError):
    """A carrier sent what its wire format does not allow, or refused what was asked of its REST API."""


class FaultKind(Enum):
    """What a provider's refusal or silence means; each kind has one answer."""

    CONCURRENCY = "concurrency"
    """Somebody else holds the slot: wait for the account, then ask again."""
    RATE = "rate"
    """Too many requests in a window: wait as long as it says, then ask again."""
    LINKS = "links"
    """Too many sockets: do with fewer."""
    RETRY = "retry"
    """Worth another try: a dropped socket, a server error, silence."""
    REQUEST = "request"
    """This text or voice is refused for good, others may pass."""
    FINAL = "final"
    """Nothing will pass until a person acts: bad key, retired model."""


class ProviderFault(TalkingstickError):
    """The provider refused or failed; `kind` says what that asks for.

    `retry_after` is in seconds, as the provider asked for it, or None.
    """

    def __init__(self, kind: FaultKind, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after = retry_after

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.kind.name}, {self.message!r})"


class AvatarFault(ProviderFault):
    """The video service refused or failed. `code` is its own word for it, such as `rate_limit_exceeded`.

    `uncertain` says that the request may have been carried out all the same: its answer was lost, or was a 5xx.
    `problems` are all that it found wrong, where it told several; the message may be cut.
    """

    def __init__(
        self,
        kind: FaultKind,
        message: str,
        *,
        code: str = "",
        uncertain: bool = False,
        retry_after: float | None = None,
        problems: Sequence[str] = (),
    ) -> None:
        super().__init__(kind, message, retry_after=retry_after)
        self.code = code
        self.problems = tuple(problems)
        self.uncertain = uncertain

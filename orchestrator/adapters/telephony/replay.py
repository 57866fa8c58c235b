"""Decides what came before: signed requests that are sent again, and tokens that are good for one stream."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from orchestrator.adapters.telephony.signatures import TOLERANCE

T = TypeVar("T")


class _Kept(Generic[T]):
    """What is kept for a while, the oldest first: never more than `most`, then the oldest goes."""

    def __init__(self, *, within: float, most: int) -> None:
        self._within, self._most = within, most
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def _forget(self, now: float) -> None:
        while self._kept and next(iter(self._kept.values()))[0] + self._within < now:
            self._kept.popitem(last=False)

    def _keep(self, name: str, value: T, *, now: float) -> None:
        self._kept[name] = (now, value)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)


class SeenOnce(_Kept[None]):
    """What marks a signed request as this one (a `jti`, a hash of what was signed) may come once.

    Ask only after the signature was found right: so nobody else can fill it. Names are kept for twice the tolerance of
    signed times, since a time may lie that far in the future; requests that bear no time are to be
    remembered for good (`within` endless). Of more than `most` the oldest are forgotten.
    """

    def __init__(self, *, within: float = 2 * TOLERANCE, most: int = 100_000) -> None:
        super().__init__(within=within, most=most)

    def first(self, name: str, *, now: float) -> bool:
        """Say whether `name` comes for the first time, and note it; `now` never goes back."""
        self._forget(now)
        if name in self._kept:
            return False
        self._keep(name, None, now=now)
        return True


class OneTimeTokens(_Kept[T]):
    """Tokens that the answer to a webhook hands out and a stream brings back, with what is to be known of the call.

    Each is good once, for `within` seconds. The caller draws them: at least 128 bits nobody can guess.
    """

    def __init__(self, *, within: float = 120.0, most: int = 10_000) -> None:
        super().__init__(within=within, most=most)

    def give(self, token: str, value: T, *, now: float) -> None:
        """Note a token that was drawn for a call."""
        self._forget(now)
        self._keep(token, value, now=now)

    def take(self, token: str, *, now: float) -> T | None:
        """Return what was noted with the token, which is void from now on; None for one that is wrong, used or old."""
        self._forget(now)
        _, value = self._kept.pop(token, (now, None))
        return value

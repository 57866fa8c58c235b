"""Decides whether the provider keeps a link after a `complete`, from what became of links; pure."""

from __future__ import annotations

from attrs import define

_TOGETHER = 0.1
"""Seconds: links that end within that end for one reason."""


@define
class Reuse:
    """Whether the provider keeps a link after a `complete`, as far as is known: None until it was seen.

    A restart cuts all links, also those that were just complete: what ends in one moment is one lesson at most, and
    none if a link ended with them that was not complete.
    """

    known: bool | None
    _closes: int = 0
    _closed_at: float = float("-inf")
    _cut_at: float = float("-inf")
    _before: tuple[bool | None, int] = (None, 0)

    def survived(self) -> bool:
        """A link outlived a `complete`; return whether that is news."""
        self._closes = 0
        news = self.known is None
        if news:
            self.known = True
        return news

    def closed(self, now: float) -> bool:
        """A link was closed right after a `complete`; return whether that is news.

        Where links were kept, a single one may be chance.
        """
        if now - max(self._closed_at, self._cut_at) <= _TOGETHER:
            return False
        self._before, self._closed_at = (self.known, self._closes), now
        self._closes += 1
        news = self.known is None or (self.known and self._closes > 1)
        if news:
            self.known = False
        return news

    def cut(self, now: float) -> None:
        """A link ended for no such reason: others that end now do, too, and those that just did."""
        self._cut_at = now
        if now - self._closed_at <= _TOGETHER:
            self.known, self._closes = self._before
            self._closed_at = float("-inf")

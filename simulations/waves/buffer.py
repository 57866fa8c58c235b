"""When text that is buffered without a context is spoken: pure rules, time passed in; it speaks nothing.

Published: `continue` says that more text follows, `flush` that what is buffered is to be spoken, `max_buffer_flush_ms`
how long text waits for more at most. That speech begins before when there is more than a chunk of text is our guess.
"""

from __future__ import annotations

from attrs import define

from simulations.waves.contexts import LARGEST, MOST_BUFFERED, break_before

_NEVER = float("inf")


@define
class Buffer:
    """One buffered request: its text as far as it was not spoken. The first part of it may be released."""

    ended: bool = False
    """No text is to follow: what was buffered is released."""
    _text: str = ""
    _released: int = 0
    """So many of its characters."""
    _due: float = _NEVER
    """When all of it is released, unless the rest is blank."""

    def add(self, fragment: str, *, now: float, flush_after: float) -> bool:
        """Buffer a fragment, and release what is too much; False where there is no room for it.

        What waits is released `flush_after` seconds after its first fragment came; 0: not before the end.
        """
        self._expire(now)
        if len(self._text) + len(fragment) > MOST_BUFFERED:
            return False
        due = now + flush_after if flush_after else _NEVER
        if self.due == _NEVER:
            self._due = due
        self._text += fragment
        while len(waiting := self._text[self._released :]) > LARGEST:
            self._released += break_before(waiting)
            self._due = due
        return True

    def end(self) -> None:
        """Release all that is buffered: no text is to follow."""
        self.ended = True
        self._released = len(self._text)

    def drop_buffered(self) -> None:
        """Throw away what is not released; what is released will be spoken."""
        self._text = self._text[: self._released]

    def next_release(self, now: float) -> str | None:
        """Return all text that is released, without the blanks around it; None if there is none."""
        self._expire(now)
        text, self._text, self._released = self._text[: self._released].strip(), self._text[self._released :], 0
        return text or None

    @property
    def due(self) -> float:
        """When the text that waits is released at the latest; infinity if none waits, or only for the end."""
        return self._due if self._text[self._released :].strip() else _NEVER

    @property
    def over(self) -> bool:
        """Everything was said and nothing is to follow."""
        return self.ended and not self._text.strip()

    def _expire(self, now: float) -> None:
        if now >= self.due:
            self._released = len(self._text)

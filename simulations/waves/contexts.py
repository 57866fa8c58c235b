"""When a continuation context releases the text that it buffers: pure rules, time passed in; it speaks nothing.

Published: text is released by the closing fragment, at the end of a sentence that is long enough, when the first
fragment has waited for the buffer delay, and when the buffer is larger than a chunk may be. How long is long enough,
and which chunk is too large, is not published: the figures here are ours.
"""

from __future__ import annotations

import re
from collections import deque

from attrs import define, field

LONG_ENOUGH = 20
"""Characters that a sentence's end needs before it to release the buffer."""
LARGEST = 250
"""Characters of one release, at most (published advice for one request)."""
MOST_BUFFERED = 50_000
"""Characters that a context takes ahead of its speech."""

_ENDS = re.compile(r"[.?!…।]+[\"'”’)\]]*(?=\s|$)")
_NO_END = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|e\.g|i\.e|No)|\d)\.$")


@define
class Context:
    """One continuation context: what is buffered and not yet released, and what is released and not yet spoken."""

    closing: bool = False
    """No fragment is to follow: what was buffered is released."""
    _buffered: str = ""
    _since: float = 0.0
    _delay: float = 0.0
    _released: deque[str] = field(factory=deque)

    def add(self, fragment: str, *, now: float, delay: float) -> bool:
        """Buffer a fragment for at most `delay` seconds, release what is due; False where there is no room for it."""
        self._expire(now)
        if len(self._buffered) + sum(map(len, self._released)) + len(fragment) > MOST_BUFFERED:
            return False
        if not self._buffered.strip():
            self._since, self._delay = now, delay
        self._buffered += fragment
        while len(self._buffered) > LARGEST:
            self._release(break_before(self._buffered))
        if _ends_sentence(self._buffered):
            self._release(len(self._buffered))
        return True

    def close(self) -> None:
        """Release what is buffered: no fragment is to follow."""
        self.closing = True
        self._release(len(self._buffered))

    def drop_buffered(self) -> None:
        """Throw away what is not released; what is released will be spoken."""
        self._buffered = ""

    def next_release(self, now: float) -> str | None:
        """Return the next text to speak, None where nothing is due."""
        self._expire(now)
        return self._released.popleft() if self._released else None

    @property
    def due(self) -> float:
        """When the buffered text is released at the latest; infinity if nothing is buffered."""
        return self._since + self._delay if self._buffered.strip() else float("inf")

    @property
    def over(self) -> bool:
        """Everything was said and nothing is to follow."""
        return self.closing and not self._released and not self._buffered.strip()

    def _expire(self, now: float) -> None:
        if now >= self.due:
            self._release(len(self._buffered))

    def _release(self, length: int) -> None:
        """Release the first `length` characters, without the blanks around them."""
        text, self._buffered = self._buffered[:length].strip(), self._buffered[length:]
        if text:
            self._released.append(text)


def _ends_sentence(text: str) -> bool:
    """Say whether the text ends a sentence and is long enough; "3." may go on as "3.14", "Mr." with a name."""
    text = text.rstrip()
    ends = list(_ENDS.finditer(text))
    return len(text) >= LONG_ENOUGH and bool(ends) and ends[-1].end() == len(text) and not _NO_END.search(text)


def first_part(text: str) -> tuple[str, str]:
    """Split off what is spoken first of a text, and return it with the rest; the blanks between them are nobody's."""
    cut = break_before(text)
    return (text, "") if cut == len(text) else (text[:cut].rstrip(), text[cut:].lstrip())


def break_before(text: str) -> int:
    """Return where to split a text that is too large: behind a sentence, else behind a word, else anywhere."""
    if len(text) <= LARGEST:
        return len(text)
    ends = [end for match in _ENDS.finditer(text[: LARGEST + 1]) if (end := match.end()) <= LARGEST]
    return (ends[-1] if ends else 0) or text.rfind(" ", 1, LARGEST) + 1 or LARGEST

"""When the keys that a caller presses make one input: at #, or when none followed for a while; pure, told the time."""

from __future__ import annotations

from attrs import define, field

_END = "#"
_MOST = 64
"""Keys of one input: more than any account number has; a stuck key must not pile up."""
_HAIR = 1e-6
"""Seconds by which rounded times may miss each other."""


@define(kw_only=True)
class DigitBuffer:
    """The keys since the last input. `within` is how many seconds the next key may take."""

    _within: float
    _keys: str = field(default="", init=False)
    _last: float = field(default=0.0, init=False)

    @property
    def due(self) -> float | None:
        """When the input is complete if no key follows; None while there is none."""
        return self._last + self._within if self._keys else None

    def press(self, key: str, now: float) -> str | None:
        """Take a key and return the input that it completes, without the #; a # alone is an input of its own."""
        before = self.expire(now)
        if key == _END:
            return before or self._take() or _END
        self._keys += key
        self._last = now
        return before or (self._take() if len(self._keys) >= _MOST else None)

    def expire(self, now: float) -> str | None:
        """Return the input that is complete at `now`, if one is."""
        due = self.due
        return self._take() if due is not None and now > due - _HAIR else None

    def _take(self) -> str:
        keys, self._keys = self._keys, ""
        return keys

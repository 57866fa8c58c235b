"""Remembers whose word is awaited before the next grant; pure, told the time."""

from __future__ import annotations

from attrs import define, field

_WITHIN = 0.05
"""Seconds within which a call whose piece is complete says whether it wants the next one; it always does, at once: so
no task watches over this."""


@define
class AwaitedWord:
    """The call that has given its slot back, and may need it again before all who wait; "" for none."""

    _call: str = field(default="", init=False)
    _until: float = field(default=float("-inf"), init=False)

    def wait_for(self, call: str, now: float) -> None:
        """Grant nothing until the call has said what it needs next."""
        self._call, self._until = call, now + _WITHIN

    def heard(self, call: str) -> bool:
        """A call has said something; return whether that was awaited."""
        awaited = call == self._call
        if awaited:
            self._call = ""
        return awaited

    def is_awaited(self, now: float) -> bool:
        """Whether nothing is to be granted yet."""
        return bool(self._call) and now < self._until

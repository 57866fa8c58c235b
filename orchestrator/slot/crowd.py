"""Says when there is more to say than time to say it, and how far behind each reply is then; pure.

What follows for the order is queue.py's, for lengths outlook.py's.
"""

from __future__ import annotations

from attrs import define, field

from orchestrator.ports import Ask

_STEP = 0.05
"""Weight of the newest first piece: about the last forty count."""
_DISPERSED = -0.3
"""Seconds of mean lateness below which a crowd is gone: what is done about one must not end it after a few replies."""


@define
class Crowd:
    """How late pieces are granted. Nobody was, to begin with."""

    _lateness: float = field(default=-1.0, init=False)
    """Running mean of how late first pieces were, in seconds; negative where they were early."""
    _behind: dict[str, float] = field(factory=dict, init=False)
    is_there: bool = field(default=False, init=False)
    """Whether first pieces are late on the average, or were and are not early enough yet."""

    def granted(self, ask: Ask, *, late: float, alone: bool) -> None:
        """A ticket was granted, `late` seconds after its need; before it where that is negative.

        `alone` says that our own calls are the only reason: other programs' holds make no crowd.
        """
        if ask.first and alone:
            self._lateness += _STEP * (late - self._lateness)
            self.is_there = self._lateness > (_DISPERSED if self.is_there else 0.0)
        self._behind[ask.call] = max(0.0, late) + (0.0 if ask.first else self._behind.get(ask.call, 0.0))

    def behind(self, call: str) -> float:
        """Return for how many seconds the call's reply was silent so far; 0 where there is no crowd.

        By so much its next piece goes before its need: in a crowd all silence counts, not only the piece's own, or a
        reply of many pieces would have the silence of all of them.
        """
        return self._behind.get(call, 0.0) if self.is_there else 0.0

    def forget(self, call: str) -> None:
        """The call is over."""
        self._behind.pop(call, None)

"""Knows from when on each caller is taken to speak, for phrases to be rendered when none does; pure, told the time.

What the calls will ask for is outlook.py's.
"""

from __future__ import annotations

from attrs import define, field

_BEGINS = 1.0
"""Seconds after the bot's last sound for which its caller is not taken to speak, or has only just begun to."""
_LONGEST_TURN = 12.0
"""Seconds after the bot's last sound from which on its caller is not taken to speak any more: 99 turns of 100 in the
reference workload are over."""


@define
class Lulls:
    """When what was asked for has sounded, by call."""

    _sounds_until: dict[str, float] = field(factory=dict, init=False)

    def will_sound(self, call: str, until: float) -> None:
        """The call has sound until then, if its caller does not interrupt."""
        self._sounds_until[call] = until

    def spoke(self, call: str, now: float) -> None:
        """The call's caller speaks, or spoke until now."""
        self._sounds_until[call] = now - _BEGINS

    def forget(self, call: str) -> None:
        """The call is over."""
        self._sounds_until.pop(call, None)

    def of(self, call: str, now: float, *, thinks: float) -> float:
        """Return for how many seconds a call that asks for nothing will not need a slot.

        0 while its caller is taken to speak: from a little after the last sound until even the longest turn is over. A
        caller who is silent for longer may speak any moment; then the bot `thinks` for so many seconds.
        """
        quiet = now - self._sounds_until.get(call, float("-inf"))
        if quiet < _BEGINS:
            return _BEGINS - quiet
        return 0.0 if quiet < _LONGEST_TURN else thinks

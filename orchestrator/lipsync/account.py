"""What is known of the video service's account: how much it lets through, and until when it is to be left alone; pure.

Every method returns a new value; `draw` is a number from 0 to 1, drawn by the caller for full jitter.
"""

from __future__ import annotations

from typing import Self

from attrs import frozen

from orchestrator.errors import AvatarFault


@frozen(kw_only=True)
class Account:
    """One account. `limit`: generations at a time, by the plan. Times are Unix seconds."""

    limit: int
    ask_again: float = 30.0
    others: int = 0
    """Live generations that are not ours, when the list was last looked at."""
    looked_at: float | None = None
    closed_until: float = 0.0
    """No create before that: a refusal's back-off."""
    quiet_until: float = 0.0
    """No request at all before that: the key is refused, or all requests are too many."""

    def looked(self, now: float, *, others: int) -> Self:
        """The list was looked at."""
        raise NotImplementedError

    def refused(self, fault: AvatarFault, now: float, *, ours: int, draw: float) -> Self:
        """A request was refused or failed, with `ours` generations live as far as we know."""
        raise NotImplementedError

    def took(self, now: float) -> Self:
        """A create request was taken."""
        raise NotImplementedError

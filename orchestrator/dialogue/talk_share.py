"""Learns the talk share, the bots' speech as a part of the whole cycle of a conversation, from what calls do; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.events import CallState, CallStateChanged

USUAL = 0.57
"""The talk share of the reference workload (DESIGN.md section 7): what holds until it is learned."""
_LEAST, _MOST = 0.1, 1.0
_BELIEVED = 300.0
"""Seconds of talk by which the usual share counts at the start."""
_REMEMBERED = 3600.0
"""Seconds of talk that count beside the newest: what is further back fades away."""
_NOT_OURS = (CallState.WAITING, CallState.ENDED)
"""States that are no part of the cycle: it would be longer, and the share less, just because callers had to wait."""


class TalkShare:
    """The mean over all calls, by the seconds that each was in a state."""

    def __init__(self) -> None:
        self._spoken = USUAL * _BELIEVED
        self._whole = _BELIEVED
        self._calls: dict[str, tuple[CallState, float]] = {}

    @property
    def share(self) -> float:
        """The talk share as it is known now."""
        return min(max(self._spoken / self._whole, _LEAST), _MOST)

    def handlers(self) -> Mapping[Any, Callable[..., None]]:
        """Return what is to be called with each event of a type."""
        return {CallStateChanged: self._changed}

    def _changed(self, event: CallStateChanged) -> None:
        state, since = self._calls.pop(event.call, (CallState.ENDED, event.at))
        if event.state is not CallState.ENDED:
            self._calls[event.call] = (event.state, event.at)
        if state not in _NOT_OURS:
            self._add(event.at - since, spoken=state is CallState.SPEAKING)

    def _add(self, seconds: float, *, spoken: bool) -> None:
        fading = max(0.0, 1 - seconds / _REMEMBERED)
        self._whole = self._whole * fading + seconds
        self._spoken = self._spoken * fading + (seconds if spoken else 0.0)

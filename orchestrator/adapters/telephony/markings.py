"""Which marks are out at a carrier that keeps the buffer, and what one that comes back tells; pure.

Positions count the bytes of PCM that were sent before, over the whole call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from attrs import define, field, frozen

from orchestrator.audio import SAMPLE_BYTES
from orchestrator.ports import MarkPlayed

_LOST_AFTER = 2.0
"""Seconds past the end of its sound after which a mark is taken for lost, and its place is free."""


@frozen
class _Out:
    position: int
    lost_at: float


@define(kw_only=True)
class Markings:
    """The marks of one call: what the leg was asked for (`ask`), and what is out on the wire, at most `most`.

    A name on the wire is the generation and a number. A clear begins a new generation: whatever comes back of an older
    one means nothing. One that comes back stands for all that lies before it, so that a lost one is none.
    """

    _rate: int
    _most: int
    _generation: int = field(default=0, init=False)
    _number: int = field(default=0, init=False)
    _out: dict[str, _Out] = field(factory=dict, init=False)
    _asked: deque[tuple[str, int]] = field(factory=deque, init=False)

    @property
    def outstanding(self) -> int:
        """How many are out."""
        return len(self._out)

    def ask(self, name: str, position: int) -> None:
        """Word is wanted of when the sound before `position` is over."""
        self._asked.append((name, position))

    def due(self, position: int, *, now: float, sounds_until: float) -> str | None:
        """Return the name of a mark to send now, behind the sound up to `position`; None where none is wanted, or the
        carrier keeps no more. All that was sent is over at `sounds_until`, as far as we know."""
        self._give_up_lost(now)
        last = max((out.position for out in self._out.values()), default=-1)
        if not self._asked or self._asked[-1][1] <= last or len(self._out) >= self._most:
            return None
        self._number += 1
        wire = f"{self._generation}-{self._number}"
        self._out[wire] = _Out(position, max(now, sounds_until) + _LOST_AFTER)
        return wire

    def position_of(self, wire: str) -> int | None:
        """Return behind which sound a mark was sent; None for one that means nothing any more."""
        out = self._out.get(wire)
        return None if out is None else out.position

    def back(self, wire: str, *, at: float, cleared: bool = False) -> Sequence[MarkPlayed]:
        """A mark came back at `at`: return what was played, each at its own time.

        Where the carrier says that the sound was thrown away (`cleared`), nothing was.
        """
        out = self._out.pop(wire, None)
        if out is None:
            return ()
        self._out = {name: other for name, other in self._out.items() if other.position >= out.position}
        played = []
        while self._asked and self._asked[0][1] <= out.position:
            name, position = self._asked.popleft()
            played.append(MarkPlayed(name, at - (out.position - position) / (SAMPLE_BYTES * self._rate)))
        return () if cleared else played

    def _give_up_lost(self, now: float) -> None:
        """Forget what did not come back in time, and what it stood for: nobody waits for that any more."""
        lost = [wire for wire, out in self._out.items() if out.lost_at <= now]
        position = max((self._out.pop(wire).position for wire in lost), default=-1)
        while self._asked and self._asked[0][1] <= position:
            self._asked.popleft()

    def clear(self) -> None:
        """Nothing that was asked or is out counts any more."""
        self._generation += 1
        self._out.clear()
        self._asked.clear()

"""Decides how many calls fit, from a table of what was found for some speeds, talk shares and slots; pure.

Making the table is `talkingstick capacity`'s, reading the one that ships capacity_file.py's; what to do with a call
that does not fit is admission's.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from attrs import frozen

SCHEMA = 1

_PIECES = (2.0, 5.0)
"""Seconds of sound of a request, short and long: what a provider's ttfb weighs beside its rtf depends on that.

With 9, 3 and 2 calls at fast, mid and slow (one slot, talk share 0.57) this gives for ttfb/rtf of 0.05/0.3, 0.3/0.05,
0.25/0.15, 0.12/0.15 and 0.3/0.45: 2, 5, 3, 5 and 0 calls, where 3, 7, 4, 7 and 1 were found to fit.
"""
_ROUNDING = 1e-9

Speed = tuple[float, float]
"""ttfb in seconds, and rtf."""
Grid = tuple[tuple[int, ...], ...]
"""Calls that fit: a row for each speed, from the fastest, in it a number for each talk share, from the smallest."""


@frozen(kw_only=True)
class CapacityTable:
    """How many calls fit inside the service level, for each of some numbers of slots, speeds and talk shares."""

    speeds: tuple[Speed, ...]
    talk_shares: tuple[float, ...]
    grids: Mapping[int, Grid]

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> CapacityTable:
        """Return the table that `talkingstick capacity --json` printed. Raises ValueError, saying what is wrong.

        It needs a cell for every speed, talk share and number of slots that it names, one slot among them. More work
        never lets more calls in: where chance made it so, the smaller number holds.
        """
        cells = _cells(document)
        speeds = tuple(sorted({speed for speed, _, _ in cells}))
        shares = tuple(sorted({share for _, share, _ in cells}))
        slots = sorted({count for _, _, count in cells})
        if 1 not in slots:
            raise ValueError("there are no cells for 1 slot")
        for faster, slower in pairwise(speeds):
            if slower[1] < faster[1]:
                raise ValueError(f"speeds {faster} and {slower}: neither is the slower in both ttfb and rtf")
        for place in ((speed, share, count) for speed in speeds for share in shares for count in slots):
            if place not in cells:
                raise ValueError(f"there is no cell for speed {place[0]}, talk share {place[1]:g}, slots {place[2]}")
        grids = {
            count: _falling([[cells[speed, share, count] for share in shares] for speed in speeds]) for count in slots
        }
        return cls(speeds=speeds, talk_shares=shares, grids=grids)

    def fit(self, *, ttfb: float, rtf: float, talk_share: float, slots: int) -> int:
        """Return how many calls fit at this speed (ttfb in seconds) and talk share into so many slots.

        At the table's cells it is their number; between them it falls from one to the other, and is rounded down.
        Elsewhere it says too few rather than too many: no more than the nearest cell for less work; for more work the
        nearest cell's number shrinks with the square of the work; slots that the table has not count as groups that
        share nothing. It may come down to 0. Raises ValueError for a talk share or slots that are not more than 0.
        """
        if talk_share <= 0 or slots <= 0:
            raise ValueError(f"talk share {talk_share:g}, slots {slots}: must be more than 0")
        calls = 0
        for count in sorted(self.grids, reverse=True):
            groups, slots = divmod(slots, count)
            calls += groups * self._fit((ttfb, rtf), talk_share, grid=self.grids[count])
        return calls

    def _fit(self, speed: Speed, talk_share: float, *, grid: Grid) -> int:
        """The lower number of the two that short and long requests give: it is not known how long they will be."""
        found = math.inf
        for piece in _PIECES:
            work = [_work(each, piece=piece) for each in self.speeds]
            by_share = [_at(_work(speed, piece=piece), known=work, calls=column) for column in zip(*grid, strict=True)]
            found = min(found, _at(talk_share, known=self.talk_shares, calls=by_share))
        return math.floor(found + _ROUNDING)


def _cells(document: Mapping[str, Any]) -> dict[tuple[Speed, float, int], int]:
    if document.get("schema") != SCHEMA:
        raise ValueError(f"schema {document.get('schema')}: expected {SCHEMA}")
    cells: dict[tuple[Speed, float, int], int] = {}
    for number, cell in enumerate(document.get("cells", ()), start=1):
        try:
            speed = (float(cell["ttfb"]), float(cell["rtf"]))
            cells[speed, float(cell["talk_share"]), int(cell["slots"])] = int(cell["calls"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"cell {number} cannot be read: {error!r}") from None
        if min(speed) < 0 or max(speed) == 0 or cell["talk_share"] <= 0:
            raise ValueError(f"cell {number}: expected a talk share over 0, and a speed over 0 / 0")
    return cells


def _falling(rows: Sequence[Sequence[int]]) -> Grid:
    grid: list[tuple[int, ...]] = []
    for row in rows:
        line: list[int] = []
        for place, calls in enumerate(row):
            line.append(min([calls, *line[-1:], *(above[place] for above in grid[-1:])]))
        grid.append(tuple(line))
    return tuple(grid)


def _work(speed: Speed, *, piece: float) -> float:
    """Seconds of slot that a second of sound costs, in requests of `piece` seconds of sound."""
    return speed[1] + speed[0] / piece


def _at(work: float, *, known: Sequence[float], calls: Sequence[float]) -> float:
    """Return the calls at `work` from those at `known` (ascending; the calls fall).

    Calls are about in inverse proportion to the work, so it is over its inverse that they are interpolated.
    """
    if work <= known[0]:
        return calls[0]
    if work >= known[-1]:
        return calls[-1] * (known[-1] / work) ** 2
    above = bisect_right(known, work)
    part = (1 / work - 1 / known[above]) / (1 / known[above - 1] - 1 / known[above])
    return calls[above] + part * (calls[above - 1] - calls[above])

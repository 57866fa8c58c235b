"""What a benchmark finds: a figure, the limit it must keep, and how processor time is taken; what is measured is told
elsewhere."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from typing import Any

import attrs
from attrs import frozen

MICROSECONDS = 1e6
Tell = Callable[[str], None]
"""Says how a benchmark comes along."""


@frozen(kw_only=True)
class Figure:
    """One thing that was measured. Less is better: up to `limit` it is inside, `aim` is what we would like.

    Where `more` is better it is inside from `limit` on.
    """

    bench: str
    name: str
    value: float
    unit: str
    limit: float
    aim: float | None = None
    more: bool = False

    @property
    def inside(self) -> bool:
        """Whether the limit is kept."""
        return self.value >= self.limit if self.more else self.value <= self.limit

    def to_json(self) -> dict[str, Any]:
        """Return the figure as one JSON object."""
        return {**attrs.asdict(self), "value": round(self.value, 3), "inside": self.inside}

    def line(self) -> str:
        """Return the figure as a line of text."""
        verdict = "inside" if self.inside else "OVER"
        aim = "" if self.aim is None else f", aim {self.aim:g}"
        figure = f"{self.bench:8}  {self.name:56} {self.value:8.2f} {self.unit:16}"
        return f"{figure} {verdict:6} ({'at least' if self.more else 'limit'} {self.limit:g}{aim})"


def processor_seconds(work: Callable[[], object]) -> float:
    """Return the processor time that `work` takes: of this process, so on one core, whatever else the machine does."""
    return least_seconds([work])


def least_seconds(works: Iterable[Callable[[], object]]) -> float:
    """Return the processor time of the quickest: the others were disturbed."""
    gc.collect()
    return min(_seconds(work) for work in works)


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began

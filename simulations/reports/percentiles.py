"""What reports say of many lengths of time: nearest-rank percentiles; which lengths count is the caller's affair."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any


def nearest_rank(ordered: Sequence[float], percent: float) -> float:
    """Return the smallest value of `ordered` (ascending) that at least `percent` of a hundred of its values reach.

    Always a value that was measured, never one between two. Raises ValueError when there is none.
    """
    if not ordered:
        raise ValueError("no percentile of nothing")
    return ordered[max(math.ceil(percent / 100 * len(ordered)), 1) - 1]


def percentile(values: Iterable[float], percent: float) -> float | None:
    """Return the nearest-rank percentile of `values` in any order, None when there are none."""
    ordered = sorted(values)
    return nearest_rank(ordered, percent) if ordered else None


def spread(values: Iterable[float]) -> dict[str, Any]:
    """Return p50, p95, p99, max (null when there are no values) and count, as section 6 of the design reports them."""
    ordered = sorted(values)
    ranks = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}
    found = {name: nearest_rank(ordered, rank) if ordered else None for name, rank in ranks.items()}
    return {**found, "count": len(ordered)}

"""Lays the figures of runs out as text: a line for each seed; nothing is counted here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Figures = Mapping[str, Any]
_LOADS = ("live", "creates/min", "others/min", "requests", "refused: full", "needless", "rate")
_HEAD = ("seed", "jobs", "videos", "hours", "ideal", "ratio", "kills", *_LOADS)


def told(runs: Sequence[Figures]) -> str:
    """Return the table, with a line of what its columns are."""
    rows = [_HEAD, *(_row(run) for run in runs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([*lines, "", *_verdict(runs), _where(runs)])


def _verdict(runs: Sequence[Figures]) -> Iterator[str]:
    """Yield what all runs together came to."""
    states = Counter[str]()
    for run in runs:
        states.update(run["states"])
    videos = states.pop("completed", 0)
    counts = [f"{videos} videos", *(f"{count} {state}" for state, count in states.items())]
    broken = sum(len(run["broken"]) for run in runs)
    kept = "none lost, none ended twice, none made twice, no limit passed"
    rules = f"rules were broken, {broken} times" if broken else kept
    yield f"{sum(run['jobs'] for run in runs)} jobs: {', '.join(counts)}; {rules}"
    kills, wanted = (sum(run[name] for run in runs) for name in ("kills", "kills_wanted"))
    if kills < wanted:
        yield f"{kills} of {wanted} kills (it was over sooner)"


def _row(run: Figures) -> tuple[str, ...]:
    service = run["service"]
    refused = service["refused"]
    cells = (
        run["seed"],
        run["jobs"],
        run["states"].get("completed", 0),
        f"{run['seconds'] / 3600:.2f}",
        f"{run['ideal_s'] / 3600:.2f}",
        f"{run['ratio']:.3f}",
        run["kills"],
        f"{service['most_live']} of {run['places']}",
        service["most_creates"],
        service["most_others"],
        service["creates"] + service["other_requests"],
        refused.get("concurrency", 0),
        run["needless_refusals"],
        refused.get("rate", 0),
    )
    return tuple(map(str, cells))


def _where(runs: Sequence[Figures]) -> str:
    killed: dict[str, int] = {}
    for run in runs:
        for what, times in run["killed_at"].items():
            killed[what] = killed.get(what, 0) + times
    told = ", ".join(f"{what} {times}" for what, times in sorted(killed.items(), key=lambda item: -item[1]))
    return f"ratio: to the ideal time, with every place in use. Killed at: {told or 'nothing'}"

"""Lays summaries out as a table of text, by group where there are groups; nothing is counted here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

Figures = Mapping[str, Any]


@frozen
class _Row:
    """A line of the table: where its figure is in a summary, and with how many decimals it is shown."""

    name: str
    key: str
    decimals: int = 0


_ROWS = (
    _Row("replies", "turns"),
    _Row("pieces", "pieces"),
    _Row("  ending inside a sentence, of 100", "breaks_inside_sentences_per_100", 1),
    _Row("wait for the slot (s): median", "wait_s.p50", 3),
    _Row("  95 of 100 at most", "wait_s.p95", 3),
    _Row("  99 of 100 at most", "wait_s.p99", 3),
    _Row("  longest", "wait_s.max", 3),
    _Row("  not over, or cut short", "wait_s.censored"),
    _Row("first sound after ready (s): median", "first_audio_s.p50", 3),
    _Row("  95 of 100 at most", "first_audio_s.p95", 3),
    _Row("response (s): median", "response_s.p50", 3),
    _Row("  95 of 100 at most", "response_s.p95", 3),
    _Row("dead air in a reply (s): 95 of 100 at most", "dead_air_s.p95", 3),
    _Row("  longest", "dead_air_s.max", 3),
    _Row("gaps over 100 ms", "gaps.over_100ms"),
    _Row("  in 100 replies", "gaps.per_100_turns", 2),
    _Row("  for want of the slot", "gaps.causes.slot"),
    _Row("  for want of sound", "gaps.causes.provider"),
    _Row("  for want of text", "gaps.causes.text"),
    _Row("the slot: part of the time in use", "slot.utilisation", 3),
    _Row("  requests at a time, at most", "slot.max_in_flight"),
    _Row("links opened", "links.opened"),
    _Row("  at a time, at most", "links.max_open"),
    _Row("  dropped with a request on them", "links.dropped"),
    _Row("refused by the provider: requests", "provider.refused_concurrency"),
    _Row("  for their rate", "provider.refused_rate"),
    _Row("  links", "provider.refused_links"),
    _Row("errors of the provider", "provider.errors"),
    _Row("words in replies", "words.reply"),
    _Row("  heard", "words.heard"),
    _Row("  cut", "words.cut"),
    _Row("  unspoken", "words.unspoken"),
    _Row("barge-ins", "barge_ins"),
    _Row("calls failed", "calls_failed"),
    _Row("fairness: Jain's index", "fairness.jain", 3),
    _Row("  largest lag (s of slot)", "fairness.largest_lag_s", 2),
)


def table(summary: Figures, *, sd: Figures | None = None) -> str:
    """Return the figures of a summary, or of the mean of many with their `sd`, a line each; a dash for what is null."""
    columns = {"": (summary, sd)}
    for name, group in (summary.get("groups") or {}).items():
        columns[name] = (group, None if sd is None else sd["groups"][name])
    if len(columns) > 1:
        columns = {"all": columns.pop(""), **columns}
    lines = [["", *columns]] if len(columns) > 1 else []
    lines += [[row.name, *(_cell(row, column[0], sd=column[1]) for column in columns.values())] for row in _ROWS]
    for row in (_Row(f"fault {name}, struck", f"faults.{name}") for name in summary.get("faults", ())):
        lines.append([row.name, _cell(row, summary, sd=sd), *[""] * (len(columns) - 1)])  # not of one group
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns) + 1)]
    return "\n".join(_aligned(line, widths) for line in lines)


def _aligned(line: list[str], widths: list[int]) -> str:
    name, *cells = line
    return "  ".join(
        [name.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))]
    )


def _cell(row: _Row, figures: Figures, *, sd: Figures | None) -> str:
    value = _at(figures, row.key)
    if value is None:
        return "–"
    if sd is None:
        return f"{value:.{row.decimals}f}"
    decimals = max(1, row.decimals)  # a mean of counts is none
    spread = _at(sd, row.key)
    return f"{value:.{decimals}f}" + ("" if spread is None else f" ± {spread:.{decimals}f}")


def _at(figures: Any, key: str) -> float | None:
    for name in key.split("."):
        figures = None if figures is None else figures[name]
    number: float | None = figures
    return number

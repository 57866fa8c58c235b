"""Lays summaries out as a table of text, by group where there are groups; nothing is counted here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

Figures = Mapping[str, Any]


@frozen
class _Row:
    """A line of the table: where its figure is in a summary, and with how many decimals it is shown.

    A line `of_run` is there only where the first name of its key is, and not of one group.
    """

    name: str
    key: str
    decimals: int = 0
    of_run: bool = False


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
    _Row("  99 of 100 at most", "dead_air_s.p99", 3),
    _Row("  longest", "dead_air_s.max", 3),
    _Row("  always waiting: at least, on the average", "overload.bound_s", 3, of_run=True),
    _Row("  slot time of a reply (s)", "overload.slot_seconds_per_reply", 3, of_run=True),
    _Row("  cycle of a call that never waits (s)", "overload.natural_cycle_s", 3, of_run=True),
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
    _Row("rungs: phrases from the cache", "rungs.cache"),
    _Row("  fillers", "rungs.filler"),
    _Row("  comfort noise", "rungs.noise"),
    _Row("  brief variants", "rungs.brief"),
    _Row("  the local voice", "rungs.local_voice"),
    _Row("  apologies", "rungs.apology"),
    _Row("the local voice: part of the sound", "local_voice_share", 3),
    _Row("barge-ins", "barge_ins"),
    _Row("calls refused", "calls_refused"),
    _Row("  queued", "admission.queued", of_run=True),
    _Row("places for calls: at the end", "admission.places", of_run=True),
    _Row("  on the average", "admission.mean_places", 2, of_run=True),
    _Row("  part of them taken", "admission.occupancy", 3, of_run=True),
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
    for row in _rows(summary):
        told = [(summary, sd)] if row.of_run else list(columns.values())
        cells = [_cell(row, figures, sd=spread) for figures, spread in told]
        lines.append([row.name, *cells, *[""] * (len(columns) - len(cells))])
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns) + 1)]
    return "\n".join(_aligned(line, widths) for line in lines)


def _rows(summary: Figures) -> list[_Row]:
    """The lines for this summary; of many runs, those that all of them have."""
    rows = [row for row in _ROWS if not row.of_run or summary.get(row.key.partition(".")[0])]
    return rows + [_Row(f"fault {name}, struck", f"faults.{name}", of_run=True) for name in summary.get("faults") or ()]


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

"""Writes a capacity table as one page with its curves, which opens without a network; the numbers are cells.py's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template
from xml.etree.ElementTree import Element

from simulations.capacity.cells import COMPARED, RULE_OF_THUMB, Cell, Speed, Table
from simulations.capacity.text import UNCLEAR, numbers, places, slot_counts
from simulations.reports.charts import COLOURS, Figure, base_layout, embed
from simulations.reports.markup import element, table, to_html

_PAGE = Path(__file__).parents[1] / "reports" / "report_page.html"
_GRID = "rgba(128,134,145,0.22)"
_ABOUT_RUNS = (
    "Each point is a run that gave a verdict. One above the dotted line is outside the level; one below it may be for"
    " its gaps, which it tells when pointed at."
)


def page_of(shown: Table) -> str:
    """Return the page. Raises ChartsUnavailable where plotly is missing."""
    slots = slot_counts(shown)
    figures = {f"calls-{count}": calls_figure(shown, count) for count in slots}
    figures |= {f"waits-{count}": waits_figure(shown, count) for count in slots}
    charts = embed(figures)
    sections: list[Element | str] = [_table(shown)]
    for count in slots:
        sections += _section(shown, count, charts=charts)
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        title="talkingstick: how many calls fit",
        headline=to_html(element("p", f"Inside the level: {shown.terms.level}.", class_="headline")),
        tiles="",
        sections="\n".join(part if isinstance(part, str) else to_html(part) for part in sections),
        script=charts["script"],
    )


def calls_figure(shown: Table, slots: int) -> Figure:
    """Return the calls that fit over the talk share, a curve for each speed; dashed the compared policy's."""
    shares = list(dict.fromkeys(cell.talk_share for cell in shown.found))
    traces: list[Figure] = []
    for number, speed in enumerate(_speeds(shown)):
        look = {"type": "scatter", "mode": "lines+markers", "x": shares, "legendgroup": str(speed)}
        cells = [Cell(speed=speed, talk_share=share, slots=slots) for share in shares]
        for name, dash, found in ((shown.policy, "solid", shown.found), (COMPARED, "dash", shown.compared)):
            traces.append(
                {
                    **look,
                    "name": f"{speed}, {name}",
                    "y": [found[cell].calls for cell in cells],
                    "line": {"color": COLOURS[number % len(COLOURS)], "dash": dash},
                }
            )
    rule = {"type": "scatter", "mode": "lines", "x": [min(shares), max(shares)], "y": [RULE_OF_THUMB * slots] * 2}
    traces.append({**rule, "name": f"{RULE_OF_THUMB} calls a slot", "line": {"color": "#868d99", "dash": "dot"}})
    return {"data": traces, "layout": _axes("talk share", "calls that fit")}


def waits_figure(shown: Table, slots: int) -> Figure:
    """Return the p95 wait of every run over its calls, a curve for each speed and talk share, and the level's line."""
    traces: list[Figure] = []
    most = 1
    for number, (cell, found) in enumerate((cell, found) for cell, found in shown.found.items() if cell.slots == slots):
        runs = sorted((run for run in found.runs if run.wait_p95_s is not None), key=lambda run: run.calls)
        most = max([most, *(run.calls for run in runs)])
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": f"{cell.speed}, {cell.talk_share:g}",
                "x": [run.calls for run in runs],
                "y": [run.wait_p95_s for run in runs],
                "text": [str(run) for run in runs],
                "hovertemplate": "%{text}<extra>%{fullData.name}</extra>",
                "line": {"color": COLOURS[number % len(COLOURS)]},
            }
        )
    limit = {"type": "scatter", "mode": "lines", "x": [1, most], "y": [shown.terms.level.wait] * 2}
    traces.append({**limit, "name": "the level", "line": {"color": "#cf2f36", "dash": "dot"}})
    return {"data": traces, "layout": _axes("calls", "p95 wait, in seconds")}


def _axes(x: str, y: str) -> Figure:
    return base_layout(
        height=420,
        xaxis={"title": {"text": x}, "gridcolor": _GRID, "zeroline": False},
        yaxis={"title": {"text": y}, "gridcolor": _GRID, "rangemode": "tozero"},
    )


def _speeds(shown: Table) -> list[Speed]:
    return list(dict.fromkeys(cell.speed for cell in shown.found))


def _table(shown: Table) -> Element:
    heads = [
        f"{name}, {slots} slot{'s' * (slots > 1)}"
        for slots in slot_counts(shown)
        for name in (shown.policy, COMPARED, "rule")
    ]
    rows: list[list[str | Element]] = [
        [f"{place.speed}, talk share {place.talk_share:g}", *numbers(shown, place)] for place in places(shown)
    ]
    return table(["provider and conversation", *heads], rows)


def _section(shown: Table, slots: int, *, charts: Mapping[str, str]) -> list[Element | str]:
    name = f"{slots} slot{'s' * (slots > 1)}"
    return [
        element("h2", f"Calls that fit into {name}"),
        element("p", _about(shown), class_="soft"),
        f'<div class="chart">{charts[f"calls-{slots}"]}</div>',
        element("h2", f"How the wait grows with the calls, {name}"),
        element("p", _ABOUT_RUNS, class_="soft"),
        f'<div class="chart">{charts[f"waits-{slots}"]}</div>',
    ]


def _about(shown: Table) -> str:
    return (
        f"The talk share is the bot's speech as a part of the whole cycle. Solid: {shown.policy}; dashed: {COMPARED},"
        f" which does not coordinate; dotted: the published rule of thumb. In the table {UNCLEAR} marks a number close"
        " to the limit: one call more or less may fit."
    )

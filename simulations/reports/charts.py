"""Draws a run's timeline and waits as plotly figures for a page; what the figures show comes from timeline.py."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from simulations.reports.latencies import Wait
from simulations.reports.timeline import Doing, Span, Timeline

COLOURS = ("#4c8df6", "#2fa572", "#b06be0", "#e0843a", "#d65a9c", "#20a4b5", "#9a8c2c", "#7d7fd9")
"""One for each call, readable on white and on near black; the ninth call begins again."""
DOING_COLOURS = {
    Doing.CALLER: "rgba(128,134,145,0.75)",
    Doing.THINKING: "rgba(128,134,145,0.28)",
    Doing.WAITING: "#e5484d",
    Doing.PLACE: "#b08968",
    Doing.QUEUED: "#e5484d",
    Doing.HELD: "#e8b73a",
}
"""What is not the call's own sound, or its slot, has one colour for all calls."""
PATTERNS = {Doing.FILLER: ".", Doing.LOCAL: "/"}
"""In the call's colour, too, but not that of the provider's voice: as plotly names patterns."""
_INK = "#868d99"
_GRID = "rgba(128,134,145,0.22)"
_EDGE = "rgba(255,255,255,0.35)"
"""Between two pieces of one call that held the slot one after the other."""
_WINDOW = 120.0
"""Seconds of a long run that are shown at first: a wait of a tenth of a second must still be seen."""
_OWN_ROW = tuple(doing for doing in Doing if doing not in (Doing.QUEUED, Doing.SLOT))
_BELOW = (Doing.QUEUED, Doing.SLOT)
_SLOT, _THICK, _THIN = 0.66, 0.5, 0.16

Figure = dict[str, Any]


class ChartsUnavailable(Exception):
    """Plotly is not installed: it comes with the extra `demo`."""


def colour_of(call: str, calls: Sequence[str]) -> str:
    """Return the call's colour, the same in every chart and table of a page."""
    return COLOURS[calls.index(call) % len(COLOURS)] if call in calls else _INK


def embed(figures: Mapping[str, Figure]) -> dict[str, str]:
    """Return each figure as HTML by its name, and plotly's own JavaScript (once, for all of them) as `script`.

    Raises ChartsUnavailable where plotly is missing.
    """
    try:
        from plotly.io import to_html  # type: ignore[import-untyped]  # plotly ships no types
        from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]
    except ImportError as error:
        raise ChartsUnavailable from error
    config = {"displayModeBar": False, "responsive": True, "doubleClick": "autosize"}
    pages = {
        name: to_html(
            figure, config=config, include_plotlyjs=False, full_html=False, div_id=f"chart-{name}", validate=False
        )
        for name, figure in figures.items()
    }
    return {**pages, "script": f"<script>{get_plotlyjs()}</script>"}


def timeline_figure(timeline: Timeline) -> Figure:
    """Return the timeline: a row for each slot, below it a row for each call, with its place in the queue under it."""
    slots = [f"slot {lane + 1}" if timeline.lanes > 1 else "the slot" for lane in range(timeline.lanes)]
    rows = [*slots, *(f"call {html.escape(call)}" for call in timeline.calls)]
    places = {call: len(slots) + number for number, call in enumerate(timeline.calls)}
    calls, spans = timeline.calls, [span for span in timeline.spans if span.call in places]

    def below(span: Span) -> float:
        return places[span.call] + 0.38

    drawn = [
        *(_bars(_of(doing, spans), at=lambda span: places[span.call], width=_THICK, calls=calls) for doing in _OWN_ROW),
        *(_bars(_of(doing, spans), at=below, width=_THIN, calls=calls) for doing in _BELOW),
        _bars(_of(Doing.SLOT, timeline.spans), at=lambda span: span.lane, width=_SLOT, calls=calls),
    ]
    y = {"tickvals": list(range(len(rows))), "ticktext": rows, "range": [len(rows) - 0.4, -0.6], "fixedrange": True}
    x = {"title": {"text": "seconds of the run"}, "range": [0, min(timeline.end, _WINDOW)], "gridcolor": _GRID}
    layout = base_layout(height=90 + 52 * len(rows), xaxis=x, yaxis={**y, "showgrid": False, "zeroline": False})
    return {"data": drawn, "layout": {**layout, "barmode": "overlay", "hovermode": "closest", "dragmode": "zoom"}}


def waits_figure(waits: Sequence[Wait], calls: Sequence[str]) -> Figure:
    """Return the waits: above how often which, below each wait as a point in its call's row."""
    data: list[Figure] = []
    for call in calls:
        own = [wait for wait in waits if wait.call == call]
        name = f"call {html.escape(call)}"
        look = {
            "name": name,
            "legendgroup": name,
            "marker": {"color": colour_of(call, calls), "size": 8, "opacity": 0.8},
        }
        seconds = [wait.seconds for wait in own]
        data.append({**look, "type": "histogram", "x": seconds, "xbins": _bins(waits), "hoverinfo": "skip"})
        data.append({**look, **_POINTS, "x": seconds, "text": [_wait_text(wait) for wait in own], "yaxis": "y2"})
    longest = max((wait.seconds for wait in waits), default=0.0) + 0.05
    x = {"range": [-0.02 * longest, 1.02 * longest], "zeroline": False, "gridcolor": _GRID, "anchor": "y2"}
    layout = base_layout(
        height=250 + 34 * len(calls),
        xaxis={**x, "title": {"text": "wait, in seconds"}},
        yaxis={"title": {"text": "replies"}, "domain": [0.52, 1], "gridcolor": _GRID, "fixedrange": True},
        yaxis2={"domain": [0, 0.44], "fixedrange": True, "autorange": "reversed", "zeroline": False},
    )
    return {"data": data, "layout": {**layout, "barmode": "stack", "bargap": 0.06}}


_POINTS = {
    "type": "box",
    "orientation": "h",
    "boxpoints": "all",
    "jitter": 0.5,
    "pointpos": 0,
    "fillcolor": "rgba(0,0,0,0)",
    "line": {"width": 0},
    "hovertemplate": "%{text}<extra></extra>",
    "hoveron": "points",
    "showlegend": False,
}


def _wait_text(wait: Wait) -> str:
    ended = ", ended before the grant" if wait.censored else ""
    return f"call {html.escape(wait.call)}, reply {wait.reply}: {wait.seconds:.2f} s{ended}"


def _bins(waits: Sequence[Wait]) -> dict[str, float]:
    """Bins of 50 ms, or wider ones when they would be more than sixty."""
    longest = max((wait.seconds for wait in waits), default=0.0)
    return {"start": 0.0, "end": longest + 0.05, "size": max(0.05, longest / 60)}


def _of(doing: Doing, spans: Iterable[Span]) -> list[Span]:
    return [span for span in spans if span.doing is doing]


def _bars(spans: Sequence[Span], *, at: Callable[[Span], float], width: float, calls: Sequence[str]) -> Figure:
    return {
        "type": "bar",
        "orientation": "h",
        "base": [round(span.start, 3) for span in spans],
        "x": [round(span.end - span.start, 3) for span in spans],
        "y": [at(span) for span in spans],
        "width": width,
        "marker": {
            "color": [DOING_COLOURS.get(span.doing) or colour_of(span.call, calls) for span in spans],
            "pattern": {
                "shape": [PATTERNS.get(span.doing, "") for span in spans],
                "fillmode": "overlay",
                "fgopacity": 0.8,
                "size": 6,
                "solidity": 0.5,
            },
            "line": {"width": [0.8 if span.doing is Doing.SLOT else 0 for span in spans], "color": _EDGE},
        },
        "text": [_span_text(span, calls) for span in spans],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
    }


def _span_text(span: Span, calls: Sequence[str]) -> str:
    length = span.end - span.start
    who = f"call {html.escape(span.call)}" if span.call in calls else html.escape(span.call)
    return f"{who} {span.doing.value}<br>{span.start:.2f} to {span.end:.2f} s ({length:.2f} s)"


def base_layout(**layout: Any) -> Figure:
    """What all figures share: no background of their own, and an ink that is readable in the light and in the dark."""
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": _INK, "family": "system-ui, sans-serif", "size": 13},
        "margin": {"l": 76, "r": 16, "t": 14, "b": 48},
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        **layout,
    }

"""Writes `report.html`, one page that opens without a network and shows what a run's callers went through.

The figures are summary.py's, the spans timeline.py's, the charts charts.py's; the page only arranges them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element

from orchestrator.events import BargedIn, CallEvent, CallStarted, Event
from simulations.reports.charts import (
    DOING_COLOURS,
    PATTERNS,
    ChartsUnavailable,
    colour_of,
    embed,
    timeline_figure,
    waits_figure,
)
from simulations.reports.headline import figure, sentence, tiles
from simulations.reports.latencies import Wait
from simulations.reports.markup import element, table, to_html
from simulations.reports.percentiles import spread
from simulations.reports.tally import Tally
from simulations.reports.timeline import Doing, Timeline, timeline

Transcript = Mapping[str, Any]
"""A call as transcript files hold it: call, bot, seconds, recording and turns."""
_PAGE = Path(__file__).with_name("report_page.html")
_NAMES = [
    "call",
    "replies",
    "wait p50",
    "wait p95",
    "longest",
    "slot",
    "share",
    "heard",
    "cut",
    "unspoken",
    "barged in",
]
_SOFT = "#868d99"
_NO_CHARTS = "The charts are missing: they come with the extra demo (pip install 'talkingstick[demo]')."


def write_report(
    path: Path, *, events: Iterable[Event], transcripts: Sequence[Transcript], summary: Mapping[str, Any]
) -> None:
    """Write the page to `path`, beside the recordings that it links to.

    Without plotly the page has its tables and a note in place of the charts. Raises OSError.
    """
    happened = list(events)
    shown = timeline(happened)
    tallies = _per_call(happened, end=shown.end)
    waits = [wait for tally in tallies.values() for wait in tally.latencies.waits]
    charts = _charts(shown, waits)
    sections = [
        *_timeline_section(shown, charts.get("timeline")),
        *_waits_section(tallies, charts.get("waits") if waits else ""),
        *_calls_section(transcripts, shown.calls),
    ]
    page = Template(_PAGE.read_text(encoding="utf-8")).substitute(
        title="talkingstick: what the callers heard",
        headline=to_html(element("p", sentence(summary), class_="headline")),
        tiles=to_html(tiles(summary)),
        sections="\n".join(part if isinstance(part, str) else to_html(part) for part in sections),
        script=charts.get("script", ""),
    )
    path.write_text(page, encoding="utf-8", errors="xmlcharrefreplace")  # a bot may say half a surrogate pair


def _per_call(events: Iterable[Event], *, end: float) -> dict[str, Tally]:
    tallies: dict[str, Tally] = {}
    for event in events:
        if isinstance(event, CallStarted):
            tallies[event.call] = Tally()
        if isinstance(event, CallEvent) and event.call in tallies:
            tallies[event.call].add(event)
    for tally in tallies.values():
        tally.finish(end)
    return tallies


def _charts(shown: Timeline, waits: Sequence[Wait]) -> dict[str, str]:
    try:
        return embed({"timeline": timeline_figure(shown), "waits": waits_figure(waits, shown.calls)})
    except ChartsUnavailable:
        return {}


def _chart(drawn: str | None) -> list[Element | str]:
    """A chart, a note where nothing could draw it, and nothing at all where it would be empty."""
    if drawn is None:
        return [element("p", _NO_CHARTS, class_="note")]
    return [f'<div class="chart">{drawn}</div>'] if drawn else []


def _timeline_section(shown: Timeline, drawn: str | None) -> list[Element | str]:
    kinds = [Doing.CALLER, Doing.THINKING, Doing.WAITING, Doing.HELD]
    if any(span.doing is Doing.PLACE for span in shown.spans):
        kinds.append(Doing.PLACE)
    swatches = [element("span", _dot(DOING_COLOURS[kind]), kind.value) for kind in kinds]
    dots = [_dot(colour_of(call, shown.calls)) for call in shown.calls]
    own = element("span", *dots, "bot speaks, or holds the slot")
    others = [element("span", _dot(_SOFT, kind=kind.name.lower()), kind.value) for kind in PATTERNS]
    about = (
        "The top row is the slot, in the colour of the call that holds it (grey: phrases for the cache). Each call has"
        " a row: who speaks, and in the thin line below it the call's place in the queue (red) and its time with the"
        " slot. Drag over a stretch to see it closer, double-click to see all."
    )
    return [
        element("h2", "Who held the slot, and who waited"),
        element("p", about, class_="soft"),
        element("div", *swatches, own, *others, class_="legend"),
        *_chart(drawn),
    ]


def _waits_section(tallies: Mapping[str, Tally], drawn: str | None) -> list[Element | str]:
    about = (
        "From the moment the bot's text held its first clause until the slot was granted, one wait for each reply"
        " that asked. Waits that ended before the grant count with their length so far."
    )
    total = sum(sum(tally.slot.seconds.values()) for tally in tallies.values())
    rows = [_call_row(call, tally, total=total, calls=list(tallies)) for call, tally in tallies.items()]
    return [
        element("h2", "The waits"),
        element("p", about, class_="soft"),
        *_chart(drawn),
        table(_NAMES, rows),
    ]


def _call_row(call: str, tally: Tally, *, total: float, calls: Sequence[str]) -> list[str | Element]:
    waits = spread(wait.seconds for wait in tally.latencies.waits)
    held = sum(tally.slot.seconds.values())
    return [
        element("span", _dot(colour_of(call, calls)), call),
        str(tally.turns),
        *(figure(waits[name], "s") for name in ("p50", "p95", "max")),
        figure(held, "s"),
        figure(100 * held / total if total else None, "%"),
        *(str(tally.words[name]) for name in ("heard", "cut", "unspoken")),
        str(tally.count(BargedIn)),
    ]


def _calls_section(transcripts: Sequence[Transcript], calls: Sequence[str]) -> list[Element | str]:
    about = element(
        "p",
        "What the caller heard is plain, ",
        element("del", "what was cut is struck through"),
        ", and ",
        element("ins", "what we failed to speak"),
        " is underlined. Times are seconds of the call; a recording has the caller left and the bot right.",
        class_="soft",
    )
    columns = [_call_column(call, colour_of(str(call["call"]), calls)) for call in transcripts]
    return [element("h2", "The calls beside each other"), about, element("div", *columns, class_="calls")]


def _call_column(call: Transcript, colour: str) -> Element:
    facts = f"{call.get('bot', '')}, {figure(call.get('seconds'), 's')}"
    head = [element("h3", f"Call {call['call']}"), element("small", facts)]
    if recording := call.get("recording"):
        source = "./" + quote(str(recording))  # always beside the page, whatever the name looks like
        head.append(element("audio", controls="controls", preload="none", src=source))
        head.append(element("a", str(recording), href=source))
    turns = element("ol", *(_turn(turn) for turn in call.get("turns", ())))
    return element("section", *head, turns, class_="call", style=f"--colour: {colour}")


def _turn(turn: Mapping[str, Any]) -> Element:
    when = f"{figure(turn.get('start'), 's')} to {figure(turn.get('end'), 's')}"
    if turn["who"] == "caller":
        return element("li", element("small", f"caller, {when}"), str(turn["text"]), class_="turn caller")
    voice = f" ({voices})" if (voices := _voices(turn)) else ""
    sounded = when if turn.get("start") is not None else "not heard"
    marks = (("heard", "span"), ("cut", "del"), ("unspoken", "ins"))
    parts = [element(tag, str(turn[name])) for name, tag in marks if turn.get(name)]
    return element("li", element("small", f"bot{voice}, {sounded}"), *parts, class_="turn bot")


def _voices(turn: Mapping[str, Any]) -> str:
    """The voices that spoke the reply, in the order in which they did: its own, and that of this machine."""
    own = turn.get("voice")
    spoke = [word.get("voice", own) for word in turn.get("words", ()) if word.get("start") is not None]
    return ", ".join(str(name) for name in dict.fromkeys(spoke or [own]) if name)


def _dot(colour: str, *, kind: str = "") -> Element:
    return element("i", class_=f"dot {kind}".rstrip(), style=f"--dot: {colour}")

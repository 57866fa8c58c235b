"""Shows a run while it runs: a table on a terminal, plain lines anywhere else.

What is so is board.py's, what a line says lines.py's.
"""

from __future__ import annotations

import sys
from typing import TextIO

import trio
from attrs import frozen
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from orchestrator.events import CallEvent, CallState, Event
from simulations.reports.board import Board, Picture, Row
from simulations.reports.headline import figure
from simulations.reports.lines import line_of

REFRESH_SECONDS = 0.25
"""At most four refreshes a second: one costs the loop some milliseconds."""
_LOOKS = {
    CallState.LISTENING: ("listening", "dim"),
    CallState.THINKING: ("thinking", "cyan"),
    CallState.WAITING: ("waiting for the slot", "bold red"),
    CallState.SPEAKING: ("speaking", "green"),
    CallState.HELD: ("held", "yellow"),
    CallState.ENDED: ("ended", "dim"),
}
_RUNGS = {"brief": "brief text", "cache": "cached"}
_STANDINGS = {
    "up": Text(),
    "doubtful": Text("   provider in doubt", style="yellow"),
    "out": Text("   provider out", style="bold red"),
    "final": Text("   provider refuses for good", style="bold red"),
}


@frozen(kw_only=True)
class Shown:
    """What the table must know of the run: its length (None: endless) and what the account allows."""

    seconds: float | None
    slots: int = 1
    links: int = 5


class LiveTable:
    """The live table as a sink: pass every event to `add`, keep `run` in a nursery and cancel it at the end.

    Nothing else may write to the console's terminal meanwhile but through `sys.stderr`.
    """

    def __init__(self, shown: Shown, *, console: Console | None = None) -> None:
        self._shown = shown
        self._console = console or Console(stderr=True)
        self._board = Board()

    def add(self, event: Event) -> None:
        """Take in the next event; never raises, never waits."""
        self._board.add(event)

    async def run(self) -> None:
        """Show the table until cancelled, then leave its last state on the screen."""
        began = trio.current_time()
        before = self._picture(0.0)
        # Refreshed here and not by rich: its own refreshing is a thread.
        with Live(draw(before, self._shown), console=self._console, auto_refresh=False, redirect_stdout=False) as live:
            try:
                while True:
                    await trio.sleep(REFRESH_SECONDS)
                    now = self._picture(trio.current_time() - began)
                    if now != before:
                        live.update(draw(now, self._shown), refresh=True)
                        before = now
            finally:
                live.update(draw(self._picture(trio.current_time() - began), self._shown), refresh=True)

    def _picture(self, at: float) -> Picture:
        return self._board.picture(at, seconds=self._shown.seconds, slots=self._shown.slots)


def draw(picture: Picture, shown: Shown) -> Group:
    """Return the picture as rich shows it: a line about the run and a row for each call."""
    left = "" if picture.left is None else f"{picture.left} s left   "
    head = Text(f"{left}slot {picture.used} % used   links {picture.links} of {shown.links}", style="bold")
    head.append_text(_STANDINGS[picture.standing])
    if picture.refused:
        head.append(f"   {picture.refused} refused")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("call", "bot", "state"):
        table.add_column(name, no_wrap=True, min_width=20 if name == "state" else None)
    for name in ("slot", "wait", "p95", "heard", "barge-ins"):
        table.add_column(name, no_wrap=True, justify="right")
    for row in picture.rows:
        table.add_row(*_cells(row))
    gone = [Text(f"and {picture.ended} calls before", style="dim")] if picture.ended else []
    return Group(head, table, *gone)


def _cells(row: Row) -> list[Text]:
    return [
        Text(printable(row.call)),
        Text(printable(row.bot.rpartition(":")[2]), style="dim"),
        _state(row),
        Text("●" if row.holds_slot else "", style="bold magenta"),
        Text(_seconds(row.last_wait)),
        Text(_seconds(row.p95_wait)),
        Text(str(row.words_heard)),
        Text(str(row.barge_ins)),
    ]


def _state(row: Row) -> Text:
    name, style = _LOOKS[row.state]
    if row.rung == "local_voice":
        return Text("local voice speaks" if row.state is CallState.SPEAKING else "local voice", style="bold yellow")
    if row.queued:
        return Text("waiting for a place", style="yellow")
    if row.rung:
        return Text(f"{row.state.value}, {_RUNGS.get(row.rung, row.rung)}", style=style)
    return Text(name, style=style)


def _seconds(wait: float | None) -> str:
    return "" if wait is None else figure(wait, "s")


class PlainLines:
    """The run as lines of text, as a sink: one for each event that a reader wants to know of, written at once."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    def add(self, event: Event) -> None:
        """Write the event's line, if it has one; never raises: a reader that is gone must not end a call."""
        line = line_of(event)
        if line is None:
            return
        call = f"call {event.call}: " if isinstance(event, CallEvent) else ""
        try:
            self._stream.write(printable(f"{event.at:7.2f}  {call}{line}") + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            return


def printable(text: str) -> str:
    """Return `text` with a space for each character that a terminal would obey instead of show."""
    return "".join(character if character.isprintable() else " " for character in text)

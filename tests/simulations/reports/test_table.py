"""The live table shows the board and refreshes only when it changed; plain lines tell what a reader wants to know."""

from __future__ import annotations

import io

import trio
from rich.console import Console
from trio.testing import MockClock

from orchestrator import events as e
from orchestrator.events import CallState, Event
from simulations.reports.table import LiveTable, PlainLines, Shown
from tests.simulations.moments import began, freed, granted, over, rung, state, turn_over
from tests.simulations.stories import tell


def terminal() -> tuple[Console, io.StringIO]:
    """Return a console that believes it is a terminal of 80 columns, and what it writes to."""
    out = io.StringIO()
    return Console(file=out, force_terminal=True, color_system=None, width=80, height=30), out


async def shown(*events: Event, seconds: float) -> str:
    """Show these events for so long and return all that was written."""
    console, out = terminal()
    live = LiveTable(Shown(seconds=60.0), console=console)
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(live.run)
            for event in events:
                live.add(event)
    return out.getvalue()


async def test_the_table_fits_eighty_columns(autojump_clock: MockClock) -> None:
    """One row a call, its state in words, a mark at the holder of the slot, nothing cut short."""
    written = await shown(
        began(0.0), began(0.0, call="2"), state(1.0, CallState.SPEAKING), state(1.0, CallState.WAITING, call="2"),
        granted(0.5, wait=0.25), over(1.0, heard=12), seconds=2.1,
    )  # fmt: skip
    last = written[written.rindex("call  bot") :].splitlines()
    assert last[0].split() == ["call", "bot", "state", "slot", "wait", "p95", "heard", "barge-ins"]
    assert last[1].split() == ["1", "Echo", "speaking", "●", "0.25", "s", "0.25", "s", "12", "0"]
    assert last[2].split() == ["2", "Echo", "waiting", "for", "the", "slot", "0", "0"]
    assert "58 s left" in written
    assert "links 0 of 5" in written
    assert "…" not in written


async def test_the_longest_states_fit_too(autojump_clock: MockClock) -> None:
    """Whose voice speaks and what sounds meanwhile stand in the state; above, the provider and the calls refused."""
    written = await shown(
        e.CallStarted(at=0.0, call="1", bot="bots.appointments:Appointments", leg="loopback"), began(0.0, call="2"),
        began(0.0, call="3"), granted(0.5, wait=12.25),
        state(1.0, CallState.SPEAKING), rung(1.0, "local_voice"),
        state(1.0, CallState.SPEAKING, call="2"), rung(1.0, "brief", call="2"),
        state(1.0, CallState.WAITING, call="3"), rung(1.0, "filler", call="3"),
        began(0.0, call="5"), e.CallQueued(at=1.0, call="5", waiting=1), state(1.0, CallState.WAITING, call="5"),
        e.StandingChanged(at=1.0, standing="out", error="no link"),
        e.CallRefused(at=1.0, call="4", reason="full", calls=3, places=3), seconds=2.1,
    )  # fmt: skip
    last = written[written.rindex("58 s left") :].splitlines()
    assert last[0].split("   ")[-2:] == ["provider out", "1 refused"]
    column = slice(last[1].index("state"), last[1].index("slot"))
    states = [line[column].strip() for line in last[2:6]]
    assert states == ["local voice speaks", "speaking, brief text", "waiting, filler", "waiting for a place"]
    assert "12.2 s" in last[2]
    assert "…" not in written


async def test_nothing_new_is_not_drawn(autojump_clock: MockClock) -> None:
    """In ten seconds without an event only the time left changes: ten pictures, the first and the last."""
    written = await shown(began(0.0), seconds=10.1)
    assert 10 <= written.count("call  bot") <= 13


async def test_at_most_four_refreshes_a_second(autojump_clock: MockClock) -> None:
    """However many events there are."""
    console, out = terminal()
    live = LiveTable(Shown(seconds=60.0), console=console)
    with trio.move_on_after(3.0):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(live.run)
            live.add(began(0.0))
            for number in range(1000):
                live.add(over(0.0, heard=1, reply=number))
                await trio.sleep(0.01)
    assert out.getvalue().count("call  bot") <= 4 * 3 + 2


async def test_the_last_state_stays(autojump_clock: MockClock) -> None:
    """After Ctrl-C the table shows what happened until then, and the cursor is back."""
    written = await shown(began(0.0), over(0.0, heard=7), seconds=0.1)
    assert written.splitlines()[-1].endswith("\x1b[?25h")
    assert " 7 " in written[written.rindex("call  bot") :]


def test_plain_lines_tell_a_call() -> None:
    """One line each, with time and call, written at once."""
    out = io.StringIO()
    lines = PlainLines(out)
    for event in (
        began(0.5), turn_over(2.0, spoke=1.25), granted(3.0, wait=0.75), granted(3.0, wait=0.1), freed(4.0, held=1.0),
        e.BargedIn(at=5.0, call="1", reply=1), over(5.0, heard=3, cut=4),
        e.CallEnded(at=6.0, call="1", reason="caller", seconds=5.5),
    ):  # fmt: skip
        lines.add(event)
    assert out.getvalue().splitlines() == [
        "   0.50  call 1: answered by bots.echo:Echo",
        "   2.00  call 1: the caller spoke for 1.2 s",
        "   3.00  call 1: got the slot after 0.75 s",
        "   5.00  call 1: the caller interrupted",
        "   5.00  call 1: reply 1: 3 of 7 words heard",
        "   6.00  call 1: ended after 5.5 s (caller)",
    ]


def test_a_terminal_is_never_commanded() -> None:
    """An error text from outside may hold escape sequences and line ends: they are shown as spaces."""
    out = io.StringIO()
    PlainLines(out).add(e.CallFailed(at=0.0, call="1", error="\x1b[2Jgone\nnext", traceback=""))
    assert out.getvalue() == "   0.00  call 1: failed:  [2Jgone next\n"


def test_a_reader_that_is_gone_ends_nothing() -> None:
    """A closed stream is no reason to raise into a call."""
    out = io.StringIO()
    lines = PlainLines(out)
    out.close()
    for event in tell().events:
        lines.add(event)

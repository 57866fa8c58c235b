"""Progress is one line on a terminal, and lines of news elsewhere."""

from __future__ import annotations

import io

import pytest

from orchestrator.lipsync.command.progress import Progress
from orchestrator.lipsync.telling import Told


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_elsewhere_only_news_are_written() -> None:
    """Time that passes is none; about many jobs there is a line every few seconds."""
    stream = io.StringIO()
    progress = Progress(stream)
    for now, mark in enumerate(["a", "a", "b"]):
        progress.show(Told(mark, f"{mark} at {now}"), now=float(now))
    assert stream.getvalue() == "a at 0\nb at 2\n"
    for now in range(20):
        progress.show(Told(str(now), f"{now} done"), now=float(now), many=True)
    assert stream.getvalue().splitlines()[2:] == ["7 done", "12 done", "17 done"]


def test_on_a_terminal_one_line_is_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """No longer than the terminal is wide; lines that stay come in its place."""
    monkeypatch.setenv("COLUMNS", "10")
    stream = Terminal()
    progress = Progress(stream)
    progress.show(Told("a", "a long line of words"), now=0.0)
    progress.tell("it ended")
    progress.clear()
    assert stream.getvalue() == "\ra long li\x1b[K\r\x1b[Kit ended\n"


def test_no_key_is_shown_and_a_reader_that_is_gone_does_no_harm() -> None:
    """Whatever a service says."""
    stream = io.StringIO()
    progress = Progress(stream)
    progress.tell("the key sk_live_0123456789 is wrong")
    assert "0123456789" not in stream.getvalue()
    stream.close()
    progress.tell("more")

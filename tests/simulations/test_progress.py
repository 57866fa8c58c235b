"""Progress: one line that is rewritten on a terminal, a line every ten seconds elsewhere, and never a failure."""

from __future__ import annotations

import io
import re

import pytest

from simulations.progress import Progress


class Clock:
    """A real clock that the test sets."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Terminal(io.StringIO):
    """What looks like a terminal."""

    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO, *, jobs: int = 1) -> str:
    """Run `jobs` hours of virtual time in 40 real seconds, a step every 0.1 s, and return what was written."""
    clock = Clock()
    progress = Progress(jobs=jobs, seconds=3600.0, stream=stream, clock=clock)
    for step in range(1, 401):
        clock.now += 0.1
        for job in range(jobs):
            progress(job, step / 400)
    progress.close()
    return stream.getvalue()


def test_a_log_gets_a_line_every_ten_seconds() -> None:
    """With how much is done and how fast virtual time goes."""
    first, second, *others = told(io.StringIO()).splitlines()
    assert first == " 25 %, 90 times as fast as real time"
    assert second == " 50 %, 90 times as fast as real time"
    assert len(others) <= 2


def test_a_terminal_has_one_line_which_is_gone_in_the_end() -> None:
    """At most four times a second."""
    written = told(Terminal())
    assert "\n" not in written
    assert 100 < written.count("\r") < 165
    assert written.endswith("times as fast as real time\x1b[K\r\x1b[K")


def test_of_many_runs_it_says_how_many_are_done() -> None:
    """And the speed of all of them together."""
    first = told(io.StringIO(), jobs=2).splitlines()[0]
    assert re.fullmatch(r" 25 %, 0 of 2 runs, 1(79|80) times as fast as real time", first)


def test_a_short_run_says_nothing() -> None:
    """Nor leaves a trace on a terminal."""
    for stream in (io.StringIO(), Terminal()):
        clock = Clock()
        progress = Progress(jobs=1, seconds=60.0, stream=stream, clock=clock)
        progress(0, 1.0)
        progress.close()
        assert stream.getvalue() == ""


@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("closed")])
def test_a_reader_that_is_gone_does_no_harm(error: Exception) -> None:
    """A run goes on although nobody looks."""

    class Gone(Terminal):
        def write(self, _text: str) -> int:
            raise error

    assert told(Gone()) == ""

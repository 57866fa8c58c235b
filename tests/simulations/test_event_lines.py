"""The event log holds whole lines, whatever ends the process or fills the disk."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from orchestrator.events import RunEnded, RunStarted
from simulations.event_lines import EventLines
from tests.killed import kill_when_ready

STARTED = RunStarted(at=0.0, wall="virtual", seed=1, calls=4, profile=None)


def test_each_event_is_a_line_at_once(tmp_path: Path) -> None:
    """It can be read before the file is closed; other scripts and lone surrogates are escaped."""
    lines = EventLines(tmp_path / "events.jsonl")
    for number in range(3):
        lines.write(RunEnded(at=float(number), reason="नमस्ते \ud800"))
        told = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text("ascii").splitlines()]
        assert [event["at"] for event in told] == list(range(number + 1))
        assert told[-1]["reason"] == "नमस्ते \ud800"
    lines.close()
    lines.close()


def test_a_killed_process_leaves_every_event(tmp_path: Path) -> None:
    """kill -9 after the last one: none is missing or torn, long ones neither."""
    kill_when_ready(
        f"""
        from pathlib import Path
        from orchestrator.events import RunEnded
        from simulations.event_lines import EventLines
        lines = EventLines(Path({str(tmp_path / "events.jsonl")!r}))
        for number in range(500):
            lines.write(RunEnded(at=float(number), reason="x" * 40 * number))
        """
    )
    told = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["at"] for event in told] == list(range(500))


@pytest.mark.skipif(sys.platform == "win32", reason="sizes of files are limited by setrlimit")
def test_a_disk_that_fills_in_the_middle_of_a_line_leaves_whole_lines(tmp_path: Path) -> None:
    """What did not fit is told as an error and taken back; when there is room again, the next line is whole."""
    program = textwrap.dedent(
        f"""
        import resource
        from pathlib import Path
        from orchestrator.events import RunEnded
        from simulations.event_lines import EventLines
        lines, failed = EventLines(Path({str(tmp_path / "events.jsonl")!r})), 0
        for number in range(20):
            most = 500 if number < 15 else resource.RLIM_INFINITY
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
            try:
                lines.write(RunEnded(at=float(number), reason="x" * 50))
            except OSError as error:
                failed += 1
        print(failed)
        """
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    told = [json.loads(line)["at"] for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert len(told) == 20 - int(ran.stdout)
    assert told[-5:] == [15, 16, 17, 18, 19]
    assert 3 < len(told) < 12


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """The one who asked decides what it means."""
    with pytest.raises(FileNotFoundError):
        EventLines(tmp_path / "gone/events.jsonl").write(STARTED)

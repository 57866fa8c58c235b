"""`talkingstick capacity`: what it asks for, what it prints, what it keeps, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli import main
from orchestrator.commands_capacity import CapacityOptions
from simulations import many
from simulations.capacity import command, finding
from simulations.capacity.cells import CapacityRun, CellJob
from simulations.capacity.command import cells_for
from simulations.waves.options import PROFILES
from tests.simulations.capacity.tables import run as run_of

FEW = ("--profile", "fast", "--profile", "slow", "--talk-share", "0.5")


Broken = list[tuple[str, BaseException]]


@pytest.fixture
def broken() -> Broken:
    """What goes wrong in `ran`: in a job with this in its name, that is raised."""
    return []


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, broken: Broken) -> list[tuple[str, int]]:
    """Put a world in which 9, 4 or 2 calls a slot fit (and one with `retry`) in place of the real one; return what ran.

    All of it runs in this process.
    """
    tried: list[tuple[str, int]] = []
    fits = {"fast": 9, "mid": 4, "slow": 2, None: 6}

    def measure(job: CellJob, calls: int) -> CapacityRun:
        for name, error in broken:
            if name in str(job):
                raise error
        tried.append((str(job), calls))
        a_slot = 1 if job.policy == "retry" else fits[job.cell.speed.profile]
        return run_of(calls, limit=a_slot * job.cell.slots)

    def run_here(jobs: Sequence[Any], worker: Any, **options: Any) -> list[Any]:
        return many.run_all(jobs, worker, processes=1, **options)

    monkeypatch.setattr(command, "run_all", run_here)
    monkeypatch.setattr(finding, "run_calls_until_clear", measure)
    monkeypatch.chdir(tmp_path)
    return tried


def test_the_default_table(ran: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]) -> None:
    """Three profiles by three talk shares by one and two slots, with `retry` and the rule of thumb beside."""
    assert main(["capacity", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == 1
    cells = told["cells"]
    assert len(cells) == 18
    assert {cell["profile"] for cell in cells} == set(PROFILES)
    assert {cell["talk_share"] for cell in cells} == {0.3, 0.45, 0.57}
    assert [cell["calls"] for cell in cells if cell["profile"] == "mid"] == [4, 8] * 3
    assert all(cell["retry"]["calls"] == cell["slots"] for cell in cells)
    assert all(cell["rule_of_thumb"] == 4 * cell["slots"] for cell in cells)


def test_the_text(ran: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each speed and talk share; progress goes to standard error."""
    assert main(["capacity", *FEW]) == 0
    out, err = capsys.readouterr()
    head, _, _, _, *lines = out.splitlines()
    assert head == "Calls that fit: p95 wait <= 0.5 s and at most 1 gap over 100 ms in 100 turns."
    assert [line.split() for line in lines[1:]] == [
        ["fast", "0.5", "9", "1", "4", "18", "2", "8"],
        ["slow", "0.5", "2", "1", "4", "4", "2", "8"],
    ]
    assert "8 of 8 numbers are found" in err


def test_the_same_command_goes_on_where_it_was(ran: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]) -> None:
    """What is done is not run again; another level, seed or slot is another number."""
    assert main(["capacity", *FEW, "--slots", "1"]) == 0
    once, first = len(ran), capsys.readouterr().out
    assert main(["capacity", *FEW, "--slots", "1"]) == 0
    assert len(ran) == once
    again = capsys.readouterr()
    assert again.out == first
    assert "4 numbers to find, 4 of them are in talkingstick-capacity.jsonl" in again.err
    assert main(["capacity", *FEW]) == 0
    assert {name for name, _ in ran[once:]} == {name for name, _ in ran if "2 slots" in name}
    before = len(ran)
    assert main(["capacity", *FEW, "--slots", "1", "--gaps", "2"]) == 0
    assert len(ran) == before + once


def test_a_break_keeps_what_is_done(
    ran: list[tuple[str, int]], broken: Broken, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C in the second number: status 130, a line that says where the first is, and the rest is done next time."""
    broken.append(("slow", KeyboardInterrupt()))
    assert main(["capacity", *FEW, "--slots", "1"]) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert "what was found is in talkingstick-capacity.jsonl" in err.splitlines()[-1]
    broken.clear()
    before = len(ran)
    assert main(["capacity", *FEW, "--slots", "1"]) == 0
    assert not any("fast" in name and "deadline" in name for name, _ in ran[before:])


def test_a_failure_is_told_with_its_cell(
    ran: list[tuple[str, int]], broken: Broken, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1 and the traceback."""
    broken.append(("fast", RuntimeError("the world is broken")))
    assert main(["capacity", *FEW]) == 1
    err = capsys.readouterr().err
    assert "talkingstick: fast, talk share 0.5, 2 slots, deadline: Traceback" in err
    assert "the world is broken" in err


def test_own_figures() -> None:
    """--ttfb and --rtf are one speed; a profile gives what is missing, and is named where the speed is its own."""
    (cell,) = cells_for(CapacityOptions(ttfb=0.12, rtf=0.25, talk_share=(0.4,), slots=(3,)))
    assert (cell.speed.ttfb, cell.speed.rtf, cell.speed.profile, cell.talk_share, cell.slots) == (
        0.12,
        0.25,
        None,
        0.4,
        3,
    )
    (other, *_) = cells_for(CapacityOptions(profile=("mid",), rtf=0.1))
    assert (other.speed.ttfb, other.speed.rtf, other.speed.profile) == (0.15, 0.1, None)
    assert cells_for(CapacityOptions(ttfb=0.2, rtf=0.3))[0].speed.profile == "slow"
    assert len(cells_for(CapacityOptions(slots=(2, 2), talk_share=(0.5, 0.5), profile=("mid", "mid")))) == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--ttfb 0.2", "--ttfb: expected --rtf as well, or one --profile to take it from"),
        ("--rtf 0.2 --profile fast --profile mid", "--profile: expected one at most beside --ttfb or --rtf"),
        ("--talk-share 0.9", "--talk-share 0.9: must be less than 0."),
        ("--talk-share 1", 'Invalid value "1.0" for --talk-share. Must be < 1.'),
        ("--slots 0", 'Invalid value "0" for --slots. Must be >= 1.'),
        ("--slots 1.5", "--slots"),
        ("--hours 0.1", "for --hours. Must be >= 0.25."),
        ("--profile quick", 'Choose from: "fast", "mid", "slow".'),
        ("--cache notes.txt", "--cache notes.txt: is no cache"),
    ],
)
def test_wrong_use_is_told(
    line: str, message: str, ran: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 before anything runs."""
    Path("notes.txt").write_text("milk\n")
    assert main(["capacity", *line.split()]) == 2
    out, err = capsys.readouterr()
    assert (out, ran) == ("", [])
    assert message in err


def test_the_page_lies_where_it_was_asked_for(ran: list[tuple[str, int]], tmp_path: Path) -> None:
    """Beside it the cells."""
    assert main(["capacity", *FEW, "--out", "capacity.html"]) == 0
    assert "how many calls fit" in (tmp_path / "capacity.html").read_text()
    assert (tmp_path / "capacity.cells.jsonl").is_file()
    assert not (tmp_path / "talkingstick-capacity.jsonl").exists()


def test_a_page_that_cannot_be_made_is_known_before_the_work(
    ran: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No plotly: status 2, with the extra it comes with; no such directory: status 1."""
    assert main(["capacity", "--out", "nowhere/capacity.html"]) == 1
    assert "nowhere/capacity.html: No such file or directory" in capsys.readouterr().err
    for name in [*filter(lambda name: name.partition(".")[0] == "plotly", sys.modules), "plotly"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["capacity", "--out", "capacity.html"]) == 2
    assert "talkingstick[demo]" in capsys.readouterr().err
    assert ran == []


@pytest.mark.realtime
def test_ctrl_c_ends_a_real_one_within_a_second(tmp_path: Path) -> None:
    """Real worlds on all cores; a terminal sends the interrupt to all processes."""
    line = [sys.executable, "-m", "orchestrator", "capacity", "--cache", "cells.jsonl"]
    where = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        line, cwd=tmp_path, env=where, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stderr
        try:
            assert b"36 numbers to find, 0 of them are in cells.jsonl" in process.stderr.readline()
            time.sleep(2.0)
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=5)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert (process.returncode, out) == (130, b"")
    assert b"the same command goes on from there" in err

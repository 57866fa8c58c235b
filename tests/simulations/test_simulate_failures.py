"""`talkingstick simulate` where something is wrong: it is told, with the seed and the command, and Ctrl-C ends it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from orchestrator import Bot, Say, Talk, Turn
from orchestrator.commands import SimulateOptions
from orchestrator.errors import BotLoadError
from orchestrator.events import CallStarted, Event, RunEnded, RunStarted
from orchestrator.ports import Emit
from simulations import run_folder, seed_run
from simulations.scenario import Scenario
from simulations.simulate import run
from simulations.world import Ended
from tests.simulations.test_many import nobody_left
from tests.simulations.test_simulate import SHORT, simulated

BOOKS: dict[str, int | float] = {"max_in_flight": 1, "max_open": 1, "refused_concurrency": 0}
BOOKS |= {"refused_rate": 0, "refused_links": 0, "errors": 0}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[Event] | BaseException], list[tuple[Scenario, int]]]:
    """Put a world in place of the real one in which these events happen; it notes what it was asked for."""

    def put(story: Sequence[Event] | BaseException) -> list[tuple[Scenario, int]]:
        asked: list[tuple[Scenario, int]] = []

        def run_world(scenario: Scenario, *, seed: int, sinks: Sequence[Emit], tick: Callable[[float], bool]) -> Ended:
            asked.append((scenario, seed))
            if isinstance(story, BaseException):
                raise story
            for event in story:
                for sink in sinks:
                    sink(event)
            assert not tick(scenario.hours * 1800)
            return Ended(books=BOOKS, seconds=scenario.hours * 3600, stopped=False, faults={})

        monkeypatch.setattr(seed_run, "run_world", run_world)
        return asked

    return put


def test_a_bot_that_cannot_be_used_is_told_before_anything_runs(world: Callable[..., Any], tmp_path: Path) -> None:
    """And before a directory is touched."""
    asked = world([])
    with pytest.raises(BotLoadError, match=r"no\.such"):
        run(scenario="reference", options=SimulateOptions(bot="no.such:Bot", out=tmp_path / "d"))
    assert asked == []
    assert not (tmp_path / "d").exists()


STARTED = RunStarted(at=0.0, wall="virtual", seed=1, calls=4, profile="fast")
NEVER_ENDED = [STARTED, CallStarted(at=0.0, call="1", bot="reference", leg="simulated"), RunEnded(at=9.0, reason="x")]
"""A story in which a call never ends, and the world does not close."""


def test_a_broken_invariant_is_told_with_its_seed_and_the_command_that_shows_it_again(
    world: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1, with all options as they were given; the summary is there all the same."""
    asked = world(NEVER_ENDED)
    folder = str(tmp_path / "a b")
    given = ["--hours", "0.5", "--seed", "7", "--no-wire", "--set", "slot.patience=0.3", "--set", "callers.speaks=2"]
    given += ["--lifelike", "--provider", "settle=0.2", "--out", folder, "--json"]
    out, err = simulated(capsys, "reference", *given, status=1)
    assert json.loads(out)["seed"] == 7
    *broken, again = [line for line in err.splitlines() if line.startswith("talkingstick: ")]
    assert broken
    assert all(line.startswith("talkingstick: seed 7: ") for line in broken)
    command = again.removeprefix("talkingstick: run it again with: ")
    assert command.startswith("talkingstick simulate reference ")
    assert f"--out '{folder}'" in command
    simulated(capsys, *shlex.split(command)[2:], status=1)
    assert asked[0] == asked[1]


def test_each_seed_that_broke_something_has_its_own_command(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One seed, into the directory of that seed."""
    world(NEVER_ENDED)
    monkeypatch.setattr("simulations.many._cores", lambda: 1)  # in this process, where the stand-in is
    _, err = simulated(capsys, "reference", "--seeds", "2", "--out", str(tmp_path), status=1)
    again = [line.partition("with: ")[2] for line in err.splitlines() if "run it again" in line]
    assert again == [f"talkingstick simulate reference --seed {seed} --out {tmp_path}/seed-{seed}" for seed in (1, 2)]


def test_a_failure_of_the_program_is_told_with_its_traceback_and_the_command(
    world: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """A bug under one of many seeds can be found again."""
    world(ZeroDivisionError("a bug"))
    out, err = simulated(capsys, "reference", "--seed", "3", status=1)
    assert out == ""
    assert "ZeroDivisionError: a bug" in err
    assert err.splitlines()[-1] == "talkingstick: run it again with: talkingstick simulate reference --seed 3"


class Raises(Bot):
    """A bot with a bug."""

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str | Say]:
        yield "Hm. "
        raise ZeroDivisionError("a bug of the bot's author")


def test_a_bot_that_fails_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1: it ran, and something failed; the first error is told at once."""
    _, err = simulated(capsys, "reference", *SHORT, "--bot", f"{__name__}:Raises", status=1)
    assert "failed: see BotFailed and CallFailed in the events (--out)" in err
    assert ", reply: ZeroDivisionError: a bug of the bot's author\n" in err.partition("the first: call ")[2]


def test_events_that_cannot_be_written_do_not_end_the_run(
    world: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on a full disk: the figures are told, each file is named, and the status is 1."""
    world([STARTED] * 2000)
    monkeypatch.setattr(run_folder, "EVENTS", "/dev/full")
    monkeypatch.setattr(run_folder, "SUMMARY", "/dev/full")
    monkeypatch.setattr(run_folder, "_earlier", lambda folder: [])
    out, err = simulated(capsys, "reference", "--json", "--out", str(tmp_path), status=1)
    assert json.loads(out)["calls"] == 4
    assert err.count("talkingstick: could not write /dev/full: No space left on device\n") == 2


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), BaseExceptionGroup("", [KeyboardInterrupt()])])
def test_ctrl_c_says_where_what_happened_so_far_is(
    interrupt: BaseException, world: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 130 and one line, whether or not a nursery wrapped the interrupt."""
    world(interrupt)
    out, err = simulated(capsys, "reference", "--out", str(tmp_path), status=130)
    assert (out, err) == ("", f"talkingstick: stopped; what happened so far is in {tmp_path}/\n")


# --- as a process ---


@pytest.mark.realtime
@pytest.mark.parametrize("seeds", [[], ["--seeds", "3"]], ids=["one", "many"])
def test_ctrl_c_ends_it_within_a_second(seeds: list[str]) -> None:
    """Status 130, one line, nobody left; one seed runs in this process, many in others."""
    command = [sys.executable, "-m", "orchestrator", "simulate", "reference", "--hours", "100", *seeds]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
        time.sleep(2.5)
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
        took = time.monotonic() - began
    assert (process.returncode, out, err) == (130, b"", b"talkingstick: stopped\n")
    assert took < 5.0  # 0.3 s on an idle machine
    assert nobody_left(process.pid)

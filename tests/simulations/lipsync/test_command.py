"""The command `lipsync simulate`: what it prints, what its options mean, and how a broken rule is told."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest

from orchestrator.cli import main
from orchestrator.commands_lipsync_simulate import LipsyncSimulateOptions
from simulations.lipsync.command import command_line, scenario_of
from simulations.lipsync.text import told
from simulations.run_folder import EVENTS, SUMMARY

QUICK = ["lipsync", "simulate", "--jobs", "5", "--kills", "1", "--speed", "20"]


def test_it_prints_a_line_a_seed(capsys: pytest.CaptureFixture[str]) -> None:
    """With a head, and where the kills fell."""
    assert main([*QUICK, "--no-faults"]) == 0
    head, line, _, verdict, last = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["seed", "jobs", "videos"]
    assert line.split()[:3] == ["1", "5", "5"]
    kept = "none lost, none ended twice, none made twice, no limit passed"
    assert verdict == f"5 jobs: 5 videos; {kept}"
    assert "Killed at: " in last


def test_many_seeds_as_json_and_in_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object with every run, and for each run its events and its figures."""
    assert main([*QUICK, "--seed", "3", "--seeds", "2", "--json", "--out", str(tmp_path / "out")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["seed"] for run in found["runs"]] == [3, 4]
    assert found["mean"]["jobs"] == 5
    assert [(run["broken"], run["kills"], run["kills_wanted"]) for run in found["runs"]] == [([], 1, 1)] * 2
    for seed in (3, 4):
        folder = tmp_path / "out" / f"seed-{seed}"
        assert json.loads((folder / SUMMARY).read_text())["seed"] == seed
        assert len((folder / EVENTS).read_text().splitlines()) > 10


def test_what_is_broken_is_told_with_the_command_that_shows_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the exit status is 1."""
    monkeypatch.setattr("simulations.lipsync.rules.SLOWEST", 0.5)
    monkeypatch.setattr("simulations.lipsync.rules._ENOUGH_JOBS", 1)
    assert main([*QUICK, "--fault", "cut_answer:every=500", "--no-webhooks"]) == 1
    out, told = capsys.readouterr()
    assert "5 jobs: 5 videos; rules were broken, 1 times\n" in out
    assert "seed 1: it took " in told
    again = "--jobs 5 --kills 1 --seed 1 --fault cut_answer:every=500 --no-webhooks --speed 20.0"
    assert f"run it again with: talkingstick lipsync simulate {again}" in told


def test_the_verdict_is_of_all_runs_and_tells_of_kills_that_came_to_nothing() -> None:
    """In one sentence each."""
    run = {
        "jobs": 5, "states": {"completed": 3, "failed": 2}, "broken": [], "kills": 2, "kills_wanted": 3,
        "killed_at": {}, "seed": 1, "seconds": 1.0, "ideal_s": 1.0, "ratio": 1.0, "places": 1, "needless_refusals": 0,
        "service": {
            "refused": {}, "most_live": 1, "most_creates": 1, "most_others": 1, "creates": 1, "other_requests": 1,
        },
    }  # fmt: skip
    *_, verdict, kills, _ = told([run, run]).splitlines()
    assert verdict.startswith("10 jobs: 6 videos, 4 failed; none lost, ")
    assert kills == "4 of 6 kills (it was over sooner)"


def test_every_kill_happens_where_there_are_jobs(capsys: pytest.CaptureFixture[str]) -> None:
    """Also where all is over long before the expected time, as by batches, and with more kills than jobs."""
    quick = ["lipsync", "simulate", "--jobs", "30", "--kills", "5", "--plan", "scale", "--no-faults", "--json"]
    assert main(quick) == 0
    assert json.loads(capsys.readouterr().out)["kills"] == 5
    assert main(["lipsync", "simulate", "--jobs", "5", "--kills", "9", "--speed", "20", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kills"] == 9


def test_wrong_options_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """By their names, with what would be right, and status 2."""
    assert main([*QUICK, "--fault", "cut_anser"]) == 2
    assert "cut_answer" in capsys.readouterr().err
    assert main([*QUICK, "--fault", "cut_answer", "--no-faults"]) == 2
    assert "--no-faults: not beside --fault" in capsys.readouterr().err


def test_every_option_changes_the_scenario_and_is_in_the_command() -> None:
    """None is read and forgotten."""
    options = LipsyncSimulateOptions(idempotency="no", plan="growth", creates_per_minute=7, requests_per_minute=70)
    scenario = scenario_of(options)
    assert (scenario.plan, scenario.idempotency) == ("growth", False)
    assert (scenario.server_plan.creates, scenario.server_plan.others) == (7, 70)
    again = command_line(attrs.evolve(options, no_faults=True), seed=4)
    assert again == (
        "talkingstick lipsync simulate --plan growth --seed 4 --no-faults --idempotency no --creates-per-minute 7 "
        "--requests-per-minute 70"
    )
    assert scenario_of(attrs.evolve(options, no_faults=True)).ordered_faults() == ()
    assert len(scenario.ordered_faults()) > 20

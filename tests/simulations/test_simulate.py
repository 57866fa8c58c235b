"""`talkingstick simulate`: what is asked for is what is run, what it came to is told, and what was broken above all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.cli import main
from orchestrator.commands import SimulateOptions
from orchestrator.errors import SettingsError
from simulations.scenario import Scenario
from simulations.scenario_file import NEED_WIRE
from simulations.simulate import run, scenario_for
from simulations.waves.faults.fault import Fault
from simulations.workload import Traits, at_talk_share

SHORT = ("--hours", "0.01", "--no-wire")
KEYS = {
    "schema", "calls", "seconds", "seed", "policy", "profile", "turns", "pieces", "breaks_inside_sentences_per_100",
    "wait_s", "first_audio_s", "response_s", "dead_air_s", "gaps", "slot", "links", "provider", "words", "rungs",
    "local_voice_share", "barge_ins", "holds_resumed", "calls_refused", "calls_failed", "fairness", "loop_lag_s",
    "legs",
}  # fmt: skip


def simulated(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> tuple[str, str]:
    """Run the command and return what it wrote to standard output and to standard error."""
    assert main(["simulate", *arguments]) == status
    out, err = capsys.readouterr()
    return out, err


# --- what is asked for ---


def test_without_options_the_scenario_is_as_it_is_in_its_file() -> None:
    """Nothing is changed behind its back."""
    assert scenario_for("reference", SimulateOptions()).groups == Scenario(name="reference").groups


def test_options_change_the_scenario() -> None:
    """Each in its place; links follow the slots."""
    options = SimulateOptions(
        calls=6, hours=2.5, profile="mid", slots=2, policy="fifo", wire=False, lifelike=True, bot="echo",
        set=("callers.barge_in=0.3", "slot.patience=0.4"), provider=("settle=0.3",),
    )  # fmt: skip
    found = scenario_for("reference", options)
    assert (found.calls, found.hours, found.profile, found.policy) == (6, 2.5, "mid", "fifo")
    assert (found.server.slots, found.server.links, found.server.settle) == (2, 10, 0.3)
    assert (found.wire, found.lifelike, found.groups[0].bot) == (False, True, "echo")
    assert (found.groups[0].traits.barge_in, found.settings.slot.patience) == (0.3, 0.4)


def test_speeds_of_ones_own_have_no_profiles_name() -> None:
    """Unless they are a profile's."""
    assert scenario_for("reference", SimulateOptions(ttfb=0.15)).profile is None
    assert scenario_for("reference", SimulateOptions(ttfb=0.15, rtf=0.2)).profile == "mid"
    found = scenario_for("reference", SimulateOptions(profile="slow", rtf=0.0))
    assert (found.profile, found.server.ttfb, found.server.rtf) == (None, 0.2, 0.0)


def test_set_has_the_last_word() -> None:
    """What is written out goes before what is short."""
    options = SimulateOptions(profile="slow", ttfb=0.4, hours=3.0, set=("server.ttfb=0.5", "hours=4"))
    found = scenario_for("reference", options)
    assert (found.server.ttfb, found.server.rtf, found.hours) == (0.5, 0.3, 4.0)


def test_calls_change_the_first_group_and_the_bot_is_everybodys() -> None:
    """As the issue says of `monologue`."""
    found = scenario_for("monologue", SimulateOptions(calls=9, bot="echo"))
    assert [(group.calls, group.bot) for group in found.groups] == [(8, "echo"), (1, "echo")]


def test_the_talk_share_is_every_groups() -> None:
    """By how long callers speak."""
    options = SimulateOptions(talk_share=0.4, set=("groups.monologue.endless=false",))
    found = scenario_for("monologue", options)
    assert [group.traits for group in found.groups] == [at_talk_share(Traits(), 0.4)] * 2


@pytest.mark.parametrize(
    ("scenario", "options", "problem"),
    [
        ("stubborn", SimulateOptions(calls=3), "--calls 3: the groups but the first have 4"),
        ("reference", SimulateOptions(talk_share=0.95), "--talk-share 0.95: must be less than 0."),
        ("monologue", SimulateOptions(talk_share=0.5), "--talk-share 0.5 (group monologue): how long callers"),
        ("reference", SimulateOptions(provider=("slotz=1",)), "--provider slotz: unknown key"),
        ("reference", SimulateOptions(fault=("stal",)), '--fault stal: "stal" is no fault; did you mean stall?'),
        ("reference", SimulateOptions(fault=("stall",), wire=False), NEED_WIRE),
        ("storm", SimulateOptions(wire=False), f"--set {NEED_WIRE}"),
        (None, SimulateOptions(), "SCENARIO is missing: expected"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(scenario: str | None, options: SimulateOptions, problem: str) -> None:
    """With the option and the reason."""
    with pytest.raises(SettingsError) as caught:
        run(scenario=scenario, options=options)
    assert str(caught.value).startswith(problem)


def test_faults_are_added_to_the_scenarios_own() -> None:
    """Each option is one more."""
    own = scenario_for("storm", SimulateOptions()).faults
    found = scenario_for("storm", SimulateOptions(fault=("stall:at=3", "unauthorized:at=60"))).faults
    assert found == (*own, Fault(name="stall", seconds=3.0, at=3.0), Fault(name="unauthorized", at=60.0))


# --- what it came to ---


def test_a_fault_strikes_in_a_simulated_world(capsys: pytest.CaptureFixture[str]) -> None:
    """The provider's own books have it, and the same seed tells the same story."""
    arguments = ("reference", "--hours", "0.02", "--fault", "error:count=2", "--fault", "refuse:at=20", "--json")
    out, _ = simulated(capsys, *arguments)
    provider = json.loads(out)["provider"]
    assert (provider["errors"], provider["refused_concurrency"]) == (2, 1)
    assert simulated(capsys, *arguments)[0] == out


def test_what_struck_is_told_of_one_run_and_of_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that never did, too: in the object, in the table and as events."""
    faults = ("--fault", "stall:count=2", "--fault", "error:at=3600")
    arguments = ("reference", "--hours", "0.01", *faults)
    out, _ = simulated(capsys, *arguments, "--json", "--out", str(tmp_path))
    assert json.loads(out)["faults"] == {"stall": 2, "error": 0}
    told = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text("utf-8").splitlines()]
    assert [event["fault"] for event in told if "fault" in event] == ["stall", "stall"]
    lines = simulated(capsys, *arguments)[0].splitlines()
    assert [line.split()[-1] for line in lines if line.startswith("fault ")] == ["2", "0"]
    assert json.loads(simulated(capsys, *arguments, "--seeds", "2", "--json")[0])["mean"]["faults"]["stall"] == 2


def test_json_is_one_object_with_all_keys_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a real run of 36 virtual seconds."""
    out, err = simulated(capsys, "reference", *SHORT, "--seed", "5", "--json")
    found = json.loads(out)
    assert set(found) == KEYS
    assert (found["calls"], found["seconds"], found["seed"], found["profile"]) == (4, 36.0, 5, "fast")
    assert found["turns"] > 4
    assert (found["slot"]["limit"], found["slot"]["max_in_flight"], found["links"]["limit"]) == (1, 1, 5)
    assert err == ""


def test_groups_are_reported_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """With the same keys, and the calls of each."""
    found = json.loads(simulated(capsys, "monologue", *SHORT, "--json")[0])
    assert {name: set(group) for name, group in found["groups"].items()} == {"chat": KEYS, "monologue": KEYS}
    assert (found["groups"]["chat"]["calls"], found["groups"]["monologue"]["calls"]) == (3, 1)


def test_without_json_a_sentence_and_a_table_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A column for each group."""
    out, _ = simulated(capsys, "monologue", *SHORT)
    headline, empty, columns, replies, *_ = out.splitlines()
    assert headline.startswith("monologue: 4 calls talked for 36 s over one slot.")
    assert empty == ""
    assert columns.split() == ["all", "chat", "monologue"]
    assert replies.split()[0] == "replies"
    assert int(replies.split()[1]) == int(replies.split()[2]) + int(replies.split()[3])


def test_many_seeds_give_every_run_and_mean_and_sd(capsys: pytest.CaptureFixture[str]) -> None:
    """In the order of the seeds, from the first that was asked for; each as if it had been run alone."""
    found = json.loads(simulated(capsys, "reference", *SHORT, "--seed", "4", "--seeds", "2", "--json")[0])
    assert set(found) == {"schema", "runs", "mean", "sd"}
    assert [run["seed"] for run in found["runs"]] == [4, 5]
    assert found["mean"]["turns"] == sum(run["turns"] for run in found["runs"]) / 2
    assert found["sd"]["policy"] is None
    assert set(found["mean"]) == set(found["sd"]) == KEYS
    alone = json.loads(simulated(capsys, "reference", *SHORT, "--seed", "5", "--json")[0])
    assert found["runs"][1] == alone
    text, _ = simulated(capsys, "reference", *SHORT, "--seeds", "2")
    assert text.startswith("reference: 2 runs, seeds 1 to 2: mean ± standard deviation\n")
    assert " ± " in text.splitlines()[2]


def test_out_holds_the_events_and_the_summary_and_may_be_used_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same seed, the same bytes."""
    arguments = ("reference", *SHORT, "--json", "--out", str(tmp_path / "d"))
    out, err = simulated(capsys, *arguments)
    assert json.loads((tmp_path / "d/summary.json").read_text()) == json.loads(out)
    before = (tmp_path / "d/events.jsonl").read_bytes()
    events = [json.loads(line) for line in before.splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("RunStarted", "WorldClosed")
    assert err == f"Events and summaries are in {tmp_path / 'd'}/\n"
    simulated(capsys, *arguments)
    assert (tmp_path / "d/events.jsonl").read_bytes() == before


def test_many_seeds_have_a_directory_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the object of all of them beside these."""
    out, _ = simulated(capsys, "reference", *SHORT, "--json", "--seeds", "2", "--out", str(tmp_path))
    assert json.loads((tmp_path / "summary.json").read_text()) == json.loads(out)
    for seed in (1, 2):
        assert json.loads((tmp_path / f"seed-{seed}/summary.json").read_text())["seed"] == seed
        assert (tmp_path / f"seed-{seed}/events.jsonl").stat().st_size > 1000

"""Scenarios that switch on what is off in them otherwise: the ladder, admission, a load, briefness, remote legs."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulations.scenario_file import ELSEWHERE, load_scenario
from tests.simulations.test_scenario_file import problems


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test writes its scenario."""
    return tmp_path / "mine.toml"


@pytest.mark.parametrize(
    ("text", "assignments", "on"),
    [
        ("", [], False),
        ("", ["ladder=on"], True),
        ("", ["ladder.rungs=['cache']"], False),
        ("", ["ladder=on", "ladder.rungs=['cache']"], True),
        ("", ["ladder.rungs=['cache']", "ladder=on"], True),
        ("", ["ladder.rungs=['cache']", "ladder=on", "ladder=off"], False),
        ("", ["ladder.on=true"], True),
        ('ladder = "on"', [], True),
        ('ladder = "on"', ["ladder.rungs=['cache']"], True),
        ('ladder = "on"', ["ladder=off"], False),
        ("[ladder]\nrungs = ['filler']", [], False),
        ("[ladder]\nrungs = ['filler']", ["ladder=on"], True),
        ("[ladder]\non = true", ["ladder.noise_after=3"], True),
    ],
)
def test_the_ladder_is_on_only_where_it_was_switched_on(
    file: Path, text: str, assignments: list[str], on: bool
) -> None:
    """By a word or by its key; what else is said of it switches nothing."""
    file.write_text(text)
    settings = load_scenario(str(file), assignments=assignments).settings
    assert (settings.ladder.on, settings.admission.on) == (on, False)
    said = [line for line in (*assignments, text) if "rungs" in line]
    assert len(settings.ladder.rungs) == (1 if said else 6)


def test_a_load_switches_admission_on(file: Path) -> None:
    """Unless something else is said, wherever that is; a load of 0 does not."""
    file.write_text('load = 1.5\n[callers]\narrivals = "poisson"\nminutes = 4\n')
    assert load_scenario(str(file)).settings.admission.on
    assert load_scenario(str(file), assignments=["admission.queue=3"]).settings.admission.on
    assert not load_scenario(str(file), assignments=["admission=off"]).settings.admission.on
    assert not load_scenario(str(file), assignments=["admission.on=false"]).settings.admission.on
    assert not load_scenario(str(file), assignments=["load=0"]).settings.admission.on


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("brief = 1", "brief = 1: must be < 1.0"),
        ("brief = -0.1", "brief = -0.1: must be >= 0.0"),
        ("load = 1.5", 'load: needs callers with arrivals = "poisson", and minutes'),
        ('load = 1\n[callers]\narrivals = "poisson"\nper_hour = 5\nminutes = 4',
         "load: not beside per_hour: each says how many calls come"),
        ('load = 1\n[callers]\narrivals = "poisson"\nminutes = 4\n[server]\nrtf = 3',
         "load: no call fits at ttfb 0.1, rtf 3 and a talk share of 0.57"),
        ('load = 1\n[callers]\narrivals = "poisson"\nminutes = 4\nendless = true',
         "load: talk share: how long callers speak does not decide it where the reply is endless"),
        ('load = "much"', 'load = "much": expected a number'),
        ('ladder = "yes"', 'ladder = "yes": expected "on", "off" or a table'),
        ("admission = true", 'admission = true: expected "on", "off" or a table'),
        ('[ladder]\nrung = ["cache"]', "ladder.rung: unknown key; did you mean ladder.rungs?"),
        ('[cache]\ndirectory = "x"', f"cache.directory: not in a scenario; set {ELSEWHERE['cache.directory']}"),
        ('[callers]\nleg = "wire"', 'callers.leg = "wire": expected "local" or "remote"'),
        ("[callers]\nleg_latency = 9", "callers.leg_latency = 9: must be <= 2.0"),
    ],
)  # fmt: skip
def test_each_mistake_is_named(file: Path, text: str, problem: str) -> None:
    """With its key, its value and what would be right."""
    file.write_text(text)
    assert problems(str(file)) == [f"{file}: {problem}"]

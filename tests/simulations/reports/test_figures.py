"""The table of a summary: every figure where it belongs, groups side by side, a dash for what is not known."""

from __future__ import annotations

from typing import Any

from simulations.many import mean_and_sd
from simulations.reports.figures import table
from simulations.reports.summary import RunFacts, summarise


def summary(*, groups: bool = False) -> dict[str, Any]:
    """Return the summary of a run in which nothing happened, with one figure put in."""
    found = summarise([], run=RunFacts(calls=4, seconds=60.0, slots=1, links=5), books=None)
    found["wait_s"]["p95"] = 0.1234
    if groups:
        found["groups"] = {"chat": dict(found), "monologue": {**found, "turns": 7}}
    return found


def cells(text: str, name: str) -> list[str]:
    """Return the cells of the line with that name."""
    (line,) = [line for line in text.splitlines() if line.strip().startswith(name)]
    return line.strip().removeprefix(name).split()


def test_figures_stand_in_one_column_and_what_is_null_is_a_dash() -> None:
    """Seconds to the millisecond, counts whole."""
    text = table(summary())
    waits = [line for line in text.splitlines() if "95 of 100 at most" in line]
    assert waits[0].split()[-1] == "0.123"
    assert cells(text, "replies") == ["0"]
    assert cells(text, "requests at a time, at most") == ["–"]
    assert len({len(line) for line in text.splitlines()}) == 1


def test_groups_have_a_column_each() -> None:
    """After that of the whole run."""
    text = table(summary(groups=True))
    assert text.splitlines()[0].split() == ["all", "chat", "monologue"]
    assert cells(text, "replies") == ["0", "0", "7"]


def test_of_many_runs_mean_and_sd_are_told() -> None:
    """A decimal for counts, too; without an sd (one run) the mean alone."""
    one, two = summary(groups=True), summary(groups=True)
    two["turns"] = 3
    mean, sd = mean_and_sd([one, two])
    assert cells(table(mean, sd=sd), "replies") == ["1.5", "±", "2.1", "0.0", "±", "0.0", "7.0", "±", "0.0"]
    mean, sd = mean_and_sd([one])
    assert cells(table(mean, sd=sd), "replies") == ["0.0", "0.0", "7.0"]


def test_a_group_that_some_runs_lack_is_a_column_of_dashes() -> None:
    """With calls that come at random no call of a group may have come."""
    one, two = summary(groups=True), summary(groups=True)
    del two["groups"]["monologue"]
    mean, sd = mean_and_sd([one, two])
    assert cells(table(mean, sd=sd), "replies")[-1] == "–"
    del two["groups"]
    mean, sd = mean_and_sd([one, two])
    assert cells(table(mean, sd=sd), "replies") == ["0.0", "±", "0.0"]


def test_what_only_some_runs_know_has_lines_only_there() -> None:
    """Of the whole run, not of a group; and of many runs only where all of them know it."""
    assert "places for calls" not in table(summary())
    found = summary(groups=True)
    found["admission"] = {"places": 8, "mean_places": 8.5, "occupancy": 0.9, "refused": 3, "queued": 2}
    found["overload"] = {"slot_seconds_per_reply": 0.85, "natural_cycle_s": 11.0, "bound_s": 0.933}
    text = table(found)
    assert cells(text, "places for calls: at the end") == ["8"]
    assert cells(text, "always waiting: at least, on the average") == ["0.933"]
    mean, sd = mean_and_sd([found, found])
    assert cells(table(mean, sd=sd), "part of them taken") == ["0.900", "±", "0.000"]
    mean, sd = mean_and_sd([found, summary(groups=True)])
    assert "part of them taken" not in table(mean, sd=sd)


def test_faults_are_of_the_whole_run() -> None:
    """How often each struck."""
    assert cells(table({**summary(groups=True), "faults": {"storm": 3}}), "fault storm, struck") == ["3"]

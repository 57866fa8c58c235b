"""Cells, jobs and what is found say themselves in JSON and in words, and read themselves again."""

from __future__ import annotations

import json

import attrs
import pytest

from simulations.capacity.cells import CellJob, Found, Speed, Terms
from simulations.capacity.level import Level
from tests.simulations.capacity.tables import cell, found, job, table


def test_what_was_found_survives_json() -> None:
    """As it is kept between two runs of the command."""
    content = found(9, clear=False)
    assert Found.of_json(json.loads(json.dumps(content.to_json()))) == content


@pytest.mark.parametrize(
    "other",
    [
        job("mid"),
        job(talk_share=0.3),
        job(slots=2),
        attrs.evolve(job(), policy="retry"),
        job(terms=Terms(level=Level(wait=0.4))),
        job(terms=Terms(hours=1.0)),
        job(terms=Terms(seed=2)),
        job(terms=Terms(lifelike=True)),
    ],
    ids=str,
)
def test_a_key_tells_all_apart_that_matters(other: CellJob) -> None:
    """Speed, talk share, slots, policy, level, hours, seed, lifelike and the program."""
    assert other.key("p") != job().key("p")
    assert job().key("p") == job().key("p")
    assert job().key("p") != job().key("q")


def test_the_guess_follows_the_work() -> None:
    """More of it, fewer calls; twice the slots, more than twice the calls. Without coordination: one call a slot."""
    assert job("fast").guess > job("mid").guess > job("slow").guess >= 1
    assert job("fast", talk_share=0.3).guess > job("fast").guess
    assert job("fast", slots=2).guess > 2 * job("fast").guess
    assert attrs.evolve(job(slots=2), policy="retry").guess == 2
    free = attrs.evolve(cell(), speed=Speed(ttfb=0.0, rtf=0.0))
    assert attrs.evolve(job(), cell=free).guess == 1


def test_a_number_is_clear_when_both_its_runs_were() -> None:
    """The run of so many calls, and of one more; others do not matter."""
    clear, unclear = found(9), found(9, clear=False)
    assert clear.clear
    assert not unclear.clear
    mixed = (clear.runs[0], clear.runs[1], attrs.evolve(unclear.runs[0], calls=12))
    assert Found(calls=9, runs=mixed).clear


def test_the_table_as_json() -> None:
    """What the issue names, the speed in figures, and beside each number the compared policy's and the rule's."""
    content = table().to_json()
    assert content["schema"] == 1
    assert content["level"] == {"wait_p95_s": 0.5, "gaps_per_100_turns": 1.0, "gap_s": 0.1}
    first = content["cells"][0]
    assert {key: first[key] for key in ("profile", "ttfb", "rtf", "talk_share", "slots", "calls", "rule_of_thumb")} == {
        "profile": "fast", "ttfb": 0.1, "rtf": 0.1, "talk_share": 0.3, "slots": 1, "calls": 20, "rule_of_thumb": 4,
    }  # fmt: skip
    assert [run["calls"] for run in first["runs"]] == [21, 20]
    assert first["retry"]["calls"] == 1
    assert len(content["cells"]) == 12


def test_they_say_what_they_are() -> None:
    """In progress lines and complaints."""
    assert str(job(slots=2)) == "fast, talk share 0.57, 2 slots, deadline"
    assert str(cell("mid")) == "mid, talk share 0.57, 1 slot"
    assert str(Speed(ttfb=0.12, rtf=0.25)) == "0.12/0.25"
    assert str(found(1).runs[1]) == "1 call is inside after 20 minutes: p95 wait 0.22 s, 0.7 gaps in 100 turns"
    assert str(found(9, clear=False).runs[0]).startswith("10 calls are outside (not clear) after 20 minutes: p95 wait")

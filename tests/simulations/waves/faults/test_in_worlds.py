"""Faults in virtual time, under the real program: the world goes on, closes, and tells the same story again."""

from __future__ import annotations

import attrs
import pytest

from orchestrator.events import Event, ReplyEnded
from simulations.scenario import Scenario
from simulations.scenario_file import load_scenario
from simulations.waves.faults.catalogue import CATALOGUE
from simulations.waves.faults.parsing import parse_fault
from simulations.waves.options import WavesOptions
from simulations.world import run
from simulations.world_events import WorldClosed

MINUTE = Scenario(name="minute", hours=1 / 60, server=WavesOptions(chunk_ms=None, close_after_complete=False))


def closed(events: list[Event]) -> WorldClosed:
    """Return what the books said in the end."""
    end = events[-1]
    assert isinstance(end, WorldClosed)
    return end


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_world_lives_through_every_fault_and_closes(name: str) -> None:
    """Struck at 5 s and again and again; no limit is passed, nothing is left, and callers are answered."""
    length = ",seconds=8" if name in ("gone", "unauthorized") else ""
    found = run(attrs.evolve(MINUTE, faults=(parse_fault(f"{name}:at=5,every=15{length}"),)), 1)
    end = closed(found)
    assert (end.tasks, end.sockets, end.in_flight) == (0, 0, 0)
    assert end.max_in_flight == 1
    assert end.max_open <= end.links
    assert sum(type(event) is ReplyEnded for event in found) > 10


@pytest.mark.parametrize("fault", ["gone:at=55,seconds=60", "stop_reading:at=59,seconds=60", "no_audio:at=50,count=9"])
def test_a_world_that_ends_in_the_middle_of_a_fault_closes(fault: str) -> None:
    """What lasts ends with the run."""
    end = closed(run(attrs.evolve(MINUTE, faults=(parse_fault(fault),)), 2))
    assert (end.tasks, end.sockets, end.in_flight) == (0, 0, 0)


def test_the_same_storm_tells_the_same_story() -> None:
    """Every event of it; another seed tells another."""
    storm = attrs.evolve(load_scenario("storm"), hours=1 / 60)
    story = run(storm, 1)
    assert run(storm, 1) == story
    assert run(storm, 2) != story

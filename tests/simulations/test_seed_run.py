"""A scenario's run with one seed comes to a summary, and to the bound of its silence where calls wait all the time."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from simulations.scenario import Group, Scenario
from simulations.seed_run import SeedJob, run_seed
from simulations.waves.options import WavesOptions
from simulations.workload import Traits


def ran(group: Group, *, rtf: float = 1.5, hours: float = 0.1) -> dict[str, Any]:
    """Return the summary of a run of these calls at a provider slower than speech (`rtf`)."""
    server = attrs.evolve(WavesOptions(chunk_ms=None), rtf=rtf, close_after_complete=False)
    scenario = Scenario(name="test", groups=(group,), server=server, hours=hours, wire=False, profile=None)
    return run_seed(SeedJob(scenario=scenario, seed=1), lambda part: None).summary


def test_endless_calls_that_always_wait_are_told_beside_their_bound() -> None:
    """It is reckoned from the run's own replies; no order of calls could have left less silence on the average."""
    found = ran(Group(calls=6, arrivals="at once"))
    assert found["slot"]["utilisation"] > 0.95
    told = found["overload"]
    per_reply = sum(found["slot"]["seconds_per_call"]) / found["turns"]
    assert told["slot_seconds_per_reply"] == pytest.approx(per_reply, abs=1e-5)
    assert told["bound_s"] == pytest.approx(6 * per_reply - told["natural_cycle_s"], abs=1e-4)
    assert 1.0 < told["bound_s"] < 2 * found["dead_air_s"]["max"]


@pytest.mark.parametrize(
    ("group", "rtf"),
    [
        (Group(calls=2), 0.1),
        (Group(calls=6, arrivals="at once", traits=Traits(minutes=1.0)), 1.5),
    ],
    ids=["the slot is free at times", "calls end"],
)
def test_other_runs_have_no_bound(group: Group, rtf: float) -> None:
    """How many calls wait then changes all the time."""
    assert "overload" not in ran(group, rtf=rtf)

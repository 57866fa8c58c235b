"""Worlds that several tests run: what came of them, and their story as bytes."""

from __future__ import annotations

import json
from typing import Any

from attrs import frozen

from orchestrator.events import Event, to_json
from simulations.lipsync.figures import Watch, figures
from simulations.lipsync.rules import broken
from simulations.lipsync.scenario import LipsyncScenario
from simulations.lipsync.world import Ended, run_world


@frozen(kw_only=True)
class Outcome:
    """A run: how it ended, its figures, what was broken, and all events as lines."""

    ended: Ended
    figures: dict[str, Any]
    broken: list[str]
    story: bytes


def outcome(scenario: LipsyncScenario, *, seed: int) -> Outcome:
    """Run a world."""
    events: list[Event] = []
    watch = Watch()
    ended = run_world(scenario, seed=seed, sinks=[events.append, watch.add])
    return Outcome(
        ended=ended,
        figures=figures(ended, watch, seed=seed),
        broken=broken(ended, watch),
        story="\n".join(json.dumps(to_json(event)) for event in events).encode(),
    )

"""What a scenario means for the parts of its world: the provider's options and the program's settings; values only."""

from __future__ import annotations

import attrs

from orchestrator.settings import Settings
from simulations.policies import settings_for
from simulations.scenario import Scenario
from simulations.waves.options import WavesOptions

# What life adds to an ideal world (DESIGN.md 7), where the scenario does not say how much of it.
_TTFB_CV = 0.3
_TRANSPORT = 0.010


def server_options(scenario: Scenario, *, seed: int = 0) -> WavesOptions:
    """Return the provider's options, with what life adds where the scenario is lifelike."""
    server = attrs.evolve(scenario.server, seed=seed)
    if not scenario.lifelike:
        return server
    return attrs.evolve(server, ttfb_cv=server.ttfb_cv or _TTFB_CV, transport=server.transport or _TRANSPORT)


def program_settings(scenario: Scenario) -> Settings:
    """Return the program's settings: it knows what the provider allows, and has what the policy needs."""
    settings, server = scenario.settings, scenario.server
    provider = attrs.evolve(settings.provider, slots=server.slots, links=server.links)
    return settings_for(scenario.policy, attrs.evolve(settings, provider=provider))

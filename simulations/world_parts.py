"""What a scenario means for the parts of its world: the provider's options and the program's settings; values only."""

from __future__ import annotations

import attrs

from orchestrator.settings import Settings
from orchestrator.speech.reply import VoiceChoice, usual_voice
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


def has_local_voice(settings: Settings) -> bool:
    """Whether the simulated machine has a voice of its own: only where the ladder may need it."""
    return settings.ladder.on and settings.ladder.local != "none"


def needs_phrases(settings: Settings) -> bool:
    """Whether phrases are to be ready before the first call: for the ladder, or for callers who find no place."""
    return settings.ladder.on or settings.admission.on


def voices(scenario: Scenario) -> list[VoiceChoice]:
    """Return the voices that the calls will have: that of the settings, in the languages of the simulated bots."""
    usual = usual_voice(scenario.settings.provider)
    foreign = (group.traits.language for group in scenario.groups if group.bot is None)
    languages = dict.fromkeys(usual.language if language == "en" else language for language in foreign)
    return [attrs.evolve(usual, language=language) for language in (languages or {usual.language: None})]

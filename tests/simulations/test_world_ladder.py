"""Worlds with the ladder on, under load, or with refusals: what they have ready, who speaks, and that they repeat."""

from __future__ import annotations

import os
from collections.abc import Sequence

import attrs
import pytest

from orchestrator.events import (
    CallEnded,
    CallFailed,
    CallRefused,
    CallStarted,
    Event,
    LocalVoiceSpoke,
    PhraseStored,
    RungTaken,
    RungWords,
)
from simulations.arrivals import SPREAD
from simulations.invariants import Invariants
from simulations.plain_voice import LOCAL, PHRASE
from simulations.scenario import Group, Scenario, simulated_settings
from simulations.scenario_file import load_scenario
from simulations.workload import Traits
from simulations.world import run
from simulations.world_events import SoundPlayed
from simulations.world_parts import has_local_voice, needs_phrases, voices
from tests.simulations.lab import of
from tests.simulations.test_world import digest, in_another_process


def lived_by_the_rules(name: str, *assignments: str, seed: int = 1) -> list[Event]:
    """Return what happened in a scenario that ships, with changes; no rule is broken and no call fails."""
    scenario = load_scenario(name, assignments=assignments)
    invariants = Invariants(scenario)
    events = run(scenario, seed)
    for event in events:
        invariants.add(event)
    assert invariants.finish() == []
    assert not of(CallFailed, events)
    return events


@pytest.fixture(scope="module")
def overload() -> list[Event]:
    """Three minutes of twice as many calls as fit; the local voice takes over early."""
    return lived_by_the_rules("overload", "hours=0.05", "calls=20", "brief=0.5", "ladder.local_after=1.5")


def test_phrases_are_ready_before_the_first_call(overload: Sequence[Event]) -> None:
    """Those of the ladder; the calls come when they would have, counted from then, and have as much time."""
    began = [event.at for event in of(CallStarted, overload)]
    stored = of(PhraseStored, overload)
    assert 0 < len([event for event in stored if event.at <= began[0]]) == len(stored)
    assert 0 < began[0] < 10
    assert began == pytest.approx([began[0] + SPREAD * number / 20 for number in range(20)])
    assert {round(event.at - began[0], 3) for event in of(CallEnded, overload)} == {180.0}


def test_every_rung_is_heard_with_its_own_mark(overload: Sequence[Event]) -> None:
    """Fillers, and the local voice, in calls that told of them."""
    assert {"filler", "brief", "local_voice"} <= {event.rung for event in of(RungTaken, overload)}
    heard = {event.of for event in of(SoundPlayed, overload)}
    assert heard >= {PHRASE, LOCAL, *(str(call) for call in range(1, 21))}
    assert {event.name for event in of(LocalVoiceSpoke, overload)} == {"simulated"}
    assert len(of(RungWords, overload)) > 50


def test_hindi_callers_have_hindi_fillers() -> None:
    """In the language that the bot speaks, whatever the settings' is."""
    events = lived_by_the_rules("overload", "hours=0.015", "calls=20", "callers.language=hi")
    assert {event.language for event in of(PhraseStored, events)} == {"hi"}
    assert any(event.rung == "filler" for event in of(RungTaken, events))


def test_the_local_voice_can_be_taken_away() -> None:
    """Then nobody speaks locally, whatever the ladder wants."""
    events = lived_by_the_rules("overload", "hours=0.015", "calls=20", "ladder.local_after=1", "ladder.local=none")
    assert not of(LocalVoiceSpoke, events)


def test_a_provider_that_is_gone_leaves_the_local_voice() -> None:
    """Within two seconds; no rule of the slot is broken though tickets wait for half a minute."""
    events = lived_by_the_rules("reference", "hours=0.03", "ladder=on", "faults=['gone:at=40,seconds=30']")
    local = [event for event in of(SoundPlayed, events) if event.of == LOCAL]
    assert sum(event.ended - event.began for event in local) > 10


def test_without_a_ladder_nothing_of_it_is_there() -> None:
    """No phrase is made, no rung taken; admission alone has phrases made, but no rungs."""
    events = lived_by_the_rules("reference", "hours=0.01", "calls=20")
    assert not [event for event in events if isinstance(event, PhraseStored | RungTaken | LocalVoiceSpoke)]
    admitted = lived_by_the_rules("reference", "hours=0.01", "admission=on")
    assert of(PhraseStored, admitted)
    assert not of(RungTaken, admitted)


@pytest.mark.sweep
def test_a_load_shows_admission_at_work() -> None:
    """Twice what fits: calls are refused with a phrase, and end so."""
    events = lived_by_the_rules("rush_hour", "hours=0.15", "load=2", "callers.minutes=2")
    refused = {event.call for event in of(CallRefused, events)}
    ends = {event.call: event.reason for event in of(CallEnded, events)}
    assert len(refused) > 10
    assert {ends[call] for call in refused} == {"refused"}
    told = {event.call for event in of(SoundPlayed, events) if event.of == PHRASE}
    assert len(told & refused) > 0.9 * len(refused)
    expected = 2 * 10 * 60 / 2 * 0.15
    assert len(of(CallStarted, events)) == pytest.approx(expected, rel=0.35)


_DIGEST = """
from simulations.scenario_file import load_scenario
from simulations.world import run
from tests.simulations.test_world import digest
print(digest(run(load_scenario("overload", assignments=["hours=0.02", "calls=20", "brief=0.5", "lifelike=true"]), 7)))
"""


@pytest.mark.sweep
def test_a_world_with_a_ladder_repeats() -> None:
    """Byte for byte in another process, whatever that makes of the hashes of texts."""
    changes = ["hours=0.02", "calls=20", "brief=0.5", "lifelike=true"]
    here = digest(run(load_scenario("overload", assignments=changes), 7))
    other_hashes = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    assert in_another_process(_DIGEST, hash_seed=other_hashes).strip() == here


def test_what_a_scenario_has_ready() -> None:
    """A local voice where the ladder is on, phrases also where calls may be refused."""
    off = simulated_settings()
    assert (has_local_voice(off), needs_phrases(off)) == (False, False)
    climbing = load_scenario("overload").settings
    assert (has_local_voice(climbing), needs_phrases(climbing)) == (True, True)
    mute = load_scenario("overload", assignments=["ladder.local=none"]).settings
    assert (has_local_voice(mute), needs_phrases(mute)) == (False, True)
    admitting = load_scenario("rush_hour", assignments=["load=1"]).settings
    assert (has_local_voice(admitting), needs_phrases(admitting)) == (False, True)


def test_the_voices_that_calls_have() -> None:
    """The settings' own, in the languages of the simulated bots; a bot of the user's own is taken to speak as set."""
    hindi = Group(name="hi", traits=Traits(language="hi"))
    both = Scenario(name="test", groups=(Group(name="en"), hindi, attrs.evolve(hindi, name="again")))
    assert [voice.language for voice in voices(both)] == ["en", "hi"]
    own = Scenario(name="test", groups=(Group(bot="bots.echo:Echo"),))
    assert [voice.language for voice in voices(own)] == ["en"]

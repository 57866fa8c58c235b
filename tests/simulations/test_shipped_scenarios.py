"""The scenarios that ship say what they are to, and their README tells every key, right."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import attrs
import pytest

from orchestrator.settings import Settings
from orchestrator.slot.capacity_file import load_capacity
from simulations.scenario import Group, Scenario
from simulations.scenario_file import ELSEWHERE, SHIPPED, listing, load_scenario, shipped
from simulations.waves.faults.catalogue import CATALOGUE
from simulations.waves.options import WavesOptions
from simulations.workload import Traits, talk_share

NAMES = (
    "all_at_once", "barge_in_storm", "half_duplex_hindi", "monologue", "overload", "quiet_night", "reference",
    "rush_hour", "storm", "stubborn",
)  # fmt: skip


def test_what_ships_is_listed_with_what_it_is_about() -> None:
    """One line each, in alphabetical order."""
    assert tuple(shipped()) == NAMES
    assert [line.split()[0] for line in listing().splitlines()] == list(NAMES)
    assert all(about and len(about) < 110 for about in shipped().values())


def test_reference_is_exactly_the_defaults() -> None:
    """So that figures compare; only the links are kept, which changes no figure and saves a quarter of the time."""
    reference = load_scenario("reference")
    assert reference.groups == (Group(traits=Traits()),)
    kept = attrs.evolve(Scenario(name="reference").server, close_after_complete=False)
    assert attrs.evolve(reference, about="") == Scenario(name="reference", server=kept)


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_begins_with_the_same_defaults(name: str) -> None:
    """One hour, ideal, over the wire, by our policy, one slot; only `stubborn` has another speed."""
    found = load_scenario(name)
    assert (found.name, found.hours, found.lifelike, found.wire, found.policy) == (name, 1.0, False, True, "deadline")
    assert (found.server.slots, found.server.links) == (1, 5)
    assert found.profile == ("slow" if name == "stubborn" else "fast")
    assert found.calls == {"stubborn": 8, "quiet_night": 1, "overload": 14}.get(name, 4)
    assert found.settings.ladder.on is (name in ("storm", "overload"))
    assert (found.settings.admission.on, found.brief, found.load) == (False, 0.0, 0.0)


def traits(name: str) -> list[Traits]:
    """Return the traits of each group."""
    return [group.traits for group in load_scenario(name).groups]


def test_stubborn_is_eight_endless_replies_of_two_kinds_of_sentences() -> None:
    """Each sentence is one clause and one piece, for every policy."""
    found = load_scenario("stubborn")
    assert [(group.name, group.calls, group.traits.sentence) for group in found.groups] == [
        ("long", 4, 6.0),
        ("short", 4, 1.2),
    ]
    assert all(each.endless and not each.sentence_cv and each.clause >= each.sentence for each in traits("stubborn"))
    assert (found.settings.speech.join, found.settings.speech.split) == (False, False)


def test_the_others_are_what_their_names_say() -> None:
    """Each differs from the reference in what it is there for."""
    assert traits("barge_in_storm") == [Traits(barge_in=0.5)]
    assert traits("monologue") == [Traits(), Traits(endless=True)]
    (quiet,) = load_scenario("quiet_night").groups
    assert (quiet.arrivals, quiet.per_hour) == ("regular", 6.0)
    (rush,) = load_scenario("rush_hour").groups
    assert (rush.arrivals, rush.per_hour) == ("poisson", None)
    assert rush.traits == Traits(minutes=4.0)
    (at_once,) = load_scenario("all_at_once").groups
    assert at_once.arrivals == "at once"
    assert at_once.traits.together
    assert not at_once.traits.thinking
    (hindi,) = load_scenario("half_duplex_hindi").groups
    assert (hindi.traits.language, hindi.traits.barge_in) == ("hi", 0.0)
    assert load_scenario("half_duplex_hindi").settings.provider.language == "hi"


def test_overload_is_the_reference_with_more_calls_than_fit() -> None:
    """Half as many again and more; the ladder is on, nobody is refused."""
    overload = load_scenario("overload", assignments=["calls=4", "ladder=off"])
    reference = load_scenario("reference")
    assert attrs.evolve(overload, name="reference", about=reference.about) == reference
    server = reference.server
    fitting = load_capacity().fit(ttfb=server.ttfb, rtf=server.rtf, talk_share=talk_share(Traits()), slots=1)
    assert load_scenario("overload").calls >= 1.4 * fitting


def test_rush_hour_under_load_has_admission() -> None:
    """Unless it is said otherwise: it is there to be seen at work."""
    rush = load_scenario("rush_hour", assignments=["load=1.5"])
    assert (rush.settings.admission.on, rush.settings.ladder.on) == (True, False)
    assert not load_scenario("rush_hour", assignments=["admission=off", "load=1.5"]).settings.admission.on


def test_storm_is_the_reference_under_every_fault_but_the_bad_key() -> None:
    """Each by chance, about once in five minutes; stalls of 3 s, restarts of 5 s, others' holds of 2 s. The ladder is
    on."""
    storm, reference = load_scenario("storm", assignments=["ladder=off"]), load_scenario("reference")
    assert attrs.evolve(storm, name="reference", about=reference.about, faults=()) == reference
    assert [fault.name for fault in storm.faults] == [name for name in CATALOGUE if name != "unauthorized"]
    assert {(fault.every, fault.count, fault.share) for fault in storm.faults} == {(300.0, 0, None)}
    lengths = {fault.name: fault.seconds for fault in storm.faults if fault.seconds}
    assert lengths == {
        "other_user": 2.0, "stall": 3.0, "complete_late": 3.0, "slow_handshake": 5.0, "stop_reading": 3.0,
        "restart": 5.0, "gone": 5.0,
    }  # fmt: skip


# --- the documentation ---

README = (SHIPPED / "README.md").read_text("utf-8")
EXAMPLE = re.search(r"```toml\n(.*?)```", README, re.DOTALL)


def test_the_whole_scenario_of_the_readme_mentions_every_key() -> None:
    """Also those without a default, as comments."""
    assert EXAMPLE
    mentioned = set(re.findall(r"^(?:# )?(\w+) = ", EXAMPLE[1], re.MULTILINE))
    kinds = (Scenario, Group, Traits, WavesOptions)
    keys = {each.name for kind in kinds for each in attrs.fields(kind)} - {
        "name",
        "groups",
        "server",
        "settings",
        "traits",
    }
    keys -= {key.partition(".")[2] for key in ELSEWHERE if key.startswith("server.")}
    assert keys <= mentioned
    elsewhere = {"serve", "lipsync"}  # nobody calls from outside, and no bot of a scenario makes videos
    sections = {section.name for section in attrs.fields(Settings)} - elsewhere
    assert all(f"[{section}]" in README for section in sections)


def test_the_whole_scenario_of_the_readme_is_right_and_tells_the_defaults(tmp_path: Path) -> None:
    """It differs from them in its groups only."""
    assert EXAMPLE
    file = tmp_path / "mine.toml"
    file.write_text(EXAMPLE[1])
    found = load_scenario(str(file))
    assert found.groups == (Group(name="chat"), Group(name="monologue", traits=Traits(endless=True)))
    assert attrs.evolve(found, groups=(Group(),)) == Scenario(name="mine")


def test_what_the_readme_has_as_comments_is_right_as_well() -> None:
    """Every commented key, taken as it stands."""
    assert EXAMPLE
    for line in re.findall(r"^# (\w+ = .*)$", EXAMPLE[1], re.MULTILINE):
        (key,) = tomllib.loads(line)
        section = {"calls": "", "per_hour": "callers.", "bot": "callers."}.get(key, "server.")
        more = ["callers.arrivals=regular"] if key == "per_hour" else []
        assert load_scenario("reference", assignments=[*more, f"{section}{line.partition(' #')[0].replace(' ', '')}"])


def _toml(value: float | bool | str) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_readme_tells_every_fault_with_its_keys_and_their_defaults(name: str) -> None:
    """As the catalogue has them."""
    entry = CATALOGUE[name]
    keys = ", ".join(key if value is None else f"{key} = {_toml(value)}" for key, value in entry.figures.items())
    assert f"| `{name}` | {keys} | {entry.does} |\n" in README

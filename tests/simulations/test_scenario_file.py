"""Scenario files: those that ship say what they are to, users' own come through, every mistake is named."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import SettingsError
from simulations.scenario import Group
from simulations.scenario_file import ELSEWHERE, NEED_WIRE, NO_BACKOFF, listing, load_scenario
from simulations.waves.faults.fault import Fault
from simulations.waves.options import PROFILES
from simulations.workload import Traits


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test writes its scenario."""
    return tmp_path / "mine.toml"


def problems(name: str, *assignments: str, server: tuple[str, ...] = ()) -> list[str]:
    """Return what is said of a scenario, one line a mistake."""
    with pytest.raises(SettingsError) as caught:
        load_scenario(name, assignments=assignments, server=server)
    return str(caught.value).splitlines()


# --- one's own ---


def test_what_callers_says_holds_for_every_group_that_does_not_say_otherwise(file: Path) -> None:
    """Also where the group says the default."""
    file.write_text(
        'about = "mine"\nhours = 2\n[callers]\nbarge_in = 0.4\nspeaks = 2\nweight = 2.0\n'
        "[groups.a]\ncalls = 1\n[groups.b]\ncalls = 3\nbarge_in = 0.0\nweight = 1.0\n",
    )
    found = load_scenario(str(file))
    a, b = found.groups
    assert (found.name, found.about, found.hours) == ("mine", "mine", 2.0)
    assert a == Group(name="a", calls=1, weight=2.0, traits=Traits(barge_in=0.4, speaks=2.0))
    assert b == Group(name="b", calls=3, weight=1.0, traits=Traits(barge_in=0.0, speaks=2.0))


def test_settings_of_the_program_stand_beside_the_scenarios_own(file: Path) -> None:
    """They are the same sections as in its configuration; slots and links are the provider's."""
    file.write_text("[slot]\npatience = 0.3\n[bot.options]\nname = 'Asha'\n[server]\nslots = 2\n")
    found = load_scenario(str(file))
    assert found.settings.slot.patience == 0.3
    assert found.settings.bot.options == {"name": "Asha"}
    assert (found.server.slots, found.server.links) == (2, 10)
    assert (found.settings.provider.slots, found.settings.provider.links) == (2, 10)


def test_links_that_are_set_are_kept_when_slots_change() -> None:
    """Without that they are five a slot."""
    assert load_scenario("reference", server=["slots=3"]).server.links == 15
    assert load_scenario("reference", server=["slots=3", "links=7"]).server.links == 7


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("retired=[]", ()),
        ("retired=['lightning-v3.1']", ("lightning-v3.1",)),
        ("retry_after=2", 2.0),
        ("requests_per_minute=60", 60),
        ("links_refusal=1008", "1008"),
        ("links_refusal='1013'", "1013"),
        ("error_shape=nested", "nested"),
        ("jitter=exponential", "exponential"),
        ("backoff_holds_slot=true", True),
        ("rtf_cv=0.2", 0.2),
    ],
)
def test_every_kind_of_option_of_the_provider_can_be_set(assignment: str, value: object) -> None:
    """Choices, lists and what may be left out; in a file, too."""
    found = load_scenario("reference", server=[assignment])
    assert getattr(found.server, assignment.partition("=")[0]) == value
    assert load_scenario("reference", assignments=[f"server.{assignment}"]) == found


@pytest.mark.parametrize(
    ("assignment", "problem"),
    [
        ("retired=lightning-v2", 'retired = "lightning-v2": expected an array of strings, such as ["a", "b"]'),
        ("retired=[1]", 'retired = [1]: expected an array of strings, such as ["a", "b"]'),
        ("retry_after=soon", 'retry_after = "soon": expected a number'),
        ("retry_after=-1", "retry_after = -1: must be >= 0.0"),
        ("requests_per_minute=0", "requests_per_minute = 0: must be >= 1"),
        ("links_refusal=1000", 'links_refusal = 1000: expected "429" or "1008" or "1013"'),
        ("links_refusal=429.0", 'links_refusal = 429.0: expected "429" or "1008" or "1013"'),
        ("jitter=true", 'jitter = true: expected "lognormal" or "uniform" or "exponential"'),
    ],
)
def test_every_kind_of_wrong_option_of_the_provider_is_named(assignment: str, problem: str) -> None:
    """With its value and what would be right."""
    assert problems("reference", server=(assignment,)) == [f"--provider {problem}"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_is_both_speeds(profile: str, file: Path) -> None:
    """Single speeds go before the file's profile; a profile that is set goes before the file's speeds."""
    speeds = PROFILES[profile]
    found = load_scenario("reference", assignments=[f"profile={profile}"])
    assert (found.profile, (found.server.ttfb, found.server.rtf)) == (profile, speeds)
    file.write_text(f'profile = "{profile}"\n[server]\nttfb = 0.5\n')
    found = load_scenario(str(file))
    assert (found.profile, found.server.ttfb, found.server.rtf) == (None, 0.5, speeds[1])
    assert load_scenario(str(file), assignments=[f"profile={profile}"]).server.ttfb == speeds[0]
    again = load_scenario(str(file), assignments=["profile=fast", "server.ttfb=0.2", "server.rtf=0.3"])
    assert again.profile == "slow"


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("hours=2", 2.0),
        ("policy=fifo", "fifo"),
        ("wire=false", False),
        ("callers.barge_in=0.3", 0.3),
        ("callers.bot=a.b:C", "a.b:C"),
        ("speech.join=false", False),
        ("slot.patience=0.3", 0.3),
        ("server.close_after_complete=false", False),
        ("server.chunk_ms=20", 20.0),
        ("calls=9", 9),
        ("brief=0.5", 0.5),
        ("callers.leg=remote", "remote"),
        ("callers.leg_latency=0.2", 0.2),
        ("ladder.noise_after=3", 3.0),
        ("cache.days=1", 1.0),
        ("admission.queue=5", 5),
    ],
)
def test_every_key_can_be_set(assignment: str, value: object) -> None:
    """Those of the scenario, of callers, of the provider and of the program."""
    found = load_scenario("reference", assignments=[assignment])
    section, _, key = assignment.partition("=")[0].rpartition(".")
    places: dict[str, object] = {"": found, "server": found.server, "speech": found.settings.speech}
    places |= {"slot": found.settings.slot, "callers": found.groups[0]}
    places |= {name: getattr(found.settings, name) for name in ("ladder", "cache", "admission")}
    place = places[section]
    if section == "callers" and hasattr(found.groups[0].traits, key):
        place = found.groups[0].traits
    assert getattr(place, key) == value


def test_faults_are_read_as_the_option_reads_them(file: Path) -> None:
    """In a file, and by `--set`."""
    file.write_text('faults = ["stall:seconds=2,every=300", "unauthorized:at=3600"]')
    faults = (Fault(name="stall", seconds=2.0, every=300.0, count=0), Fault(name="unauthorized", at=3600.0))
    assert load_scenario(str(file)).faults == faults
    assert load_scenario(str(file), assignments=["faults=['unauthorized:at=3600']"]).faults == faults[1:]


def test_a_group_can_be_left_out() -> None:
    """As `--set groups.monologue.calls=0` does."""
    found = load_scenario("monologue", assignments=["groups.monologue.calls=0"])
    assert [group.calls for group in found.groups] == [3, 0]


# --- mistakes ---


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('hours = "two"', 'hours = "two": expected a number'),
        ("hours = 0", "hours = 0: must be > 0.0"),
        ("hours = inf", "hours = inf: expected a number, and a finite one"),
        ("hourz = 1", "hourz: unknown key; did you mean hours?"),
        ('profile = "quick"', 'profile = "quick": expected "fast" or "mid" or "slow"'),
        ('policy = "lifo"', 'policy = "lifo": expected "deadline" or "fifo" or "turn" or "retry"'),
        ("barge_in = 0.2", "barge_in: unknown key; did you mean callers.barge_in?"),
        ("[callers]\nbarge_in = 1.5", "callers.barge_in = 1.5: must be <= 1.0"),
        ('[callers]\nlanguage = "fr"', 'callers.language = "fr": expected "en" or "hi"'),
        ("[callers]\nbargein = 0.2", "callers.bargein: unknown key; did you mean callers.barge_in?"),
        ("[callers]\nmost_sentences = 2.5", "callers.most_sentences = 2.5: expected an integer"),
        (
            '[callers]\narrivals = "sometimes"',
            'callers.arrivals = "sometimes": expected "at once" or "spread" or "regular" or "poisson"',
        ),
        ('[callers]\narrivals = "poisson"', 'callers.arrivals = "poisson": needs per_hour, or minutes'),
        ('[groups.x]\narrivals = "regular"', 'groups.x.arrivals = "regular": needs per_hour, or minutes'),
        ("[callers]\nper_hour = 6", 'per_hour: needs arrivals = "regular" or "poisson"'),
        ("[callers]\nper_hour = 0", "callers.per_hour = 0: must be > 0.0"),
        ("[groups.chat]\ncals = 3", "groups.chat.cals: unknown key; did you mean groups.chat.calls?"),
        ("[groups.chat]\ncalls = -1", "groups.chat.calls = -1: must be >= 0"),
        ('[groups."a b"]\nspeaks = 0', 'groups."a b".speaks = 0: must be > 0.0'),
        ("[groups]\nchat = 3", "groups.chat = 3: expected a table"),
        ("groups = 3", "groups = 3: expected a table"),
        ("calls = 3\n[groups.chat]", "calls: not beside groups; set groups.chat.calls"),
        (
            "[groups.all]",
            "groups.all: not a name for a group: the tables have all groups together under it; choose another",
        ),
        ("calls = 0", "calls = 0: expected one at least"),
        ("faults = 3", 'faults = 3: expected an array of strings, such as ["a", "b"]'),
        ('faults = ["stal"]', 'faults: stal: "stal" is no fault; did you mean stall?'),
        ('faults = ["stall:secs=3"]', "faults: stall:secs=3: secs: unknown key; did you mean seconds?"),
        ('wire = false\nfaults = ["stall"]', NEED_WIRE),
        ("wire = false\n[server]\nclamp_backoff = true", f"server.clamp_backoff: {NO_BACKOFF}"),
        ("[server]\nslots = 0", "server.slots = 0: must be >= 1"),
        ("[server]\nlinks = 1", "server.links = 1: must lie between 2 and 5000"),
        ("[provider]\nslots = 2", f"provider.slots: not in a scenario; set {ELSEWHERE['provider.slots']}"),
        ("[bot]\nuse = 'echo'", "bot.use: not in a scenario; set callers.bot"),
        ("[slot]\npatience = 99", "slot.patience = 99: must lie between 0 and 10"),
        ("[sever]\nslots = 1", "sever: unknown key; did you mean [server]?"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_key_its_value_and_what_would_be_right(
    file: Path, text: str, problem: str
) -> None:
    """As in the program's own configuration; the file's name comes first."""
    file.write_text(text)
    assert problems(str(file)) == [f"{file}: {problem}"]


def test_all_mistakes_are_told_at_once(file: Path) -> None:
    """Those in groups among them."""
    file.write_text(
        "hours = 0\n[callers]\nspeaks = 0\n[groups.a]\nspeaks = 0\n[groups.b]\ncals = 1\n[speech]\ntries = 0"
    )
    keys = [line.removeprefix(f"{file}: ").partition(" ")[0].rstrip(":") for line in problems(str(file))]
    assert sorted(keys) == ["callers.speaks", "groups.a.speaks", "groups.b.cals", "hours", "speech.tries"]


@pytest.mark.parametrize(
    ("assignment", "problem"),
    [
        ("hours", "--set hours: expected KEY=VALUE, such as slot.patience=0.3"),
        ("hours=0", "--set hours = 0: must be > 0.0"),
        ("groups.monolog.calls=0", "--set groups.monolog: unknown key; did you mean [groups.monologue]?"),
        ("groups.chat.calls.x=0", "--set groups.chat.calls.x: unknown key; calls is a value, no table"),
        ("calls=3", "--set calls: not beside groups; set groups.chat.calls"),
    ],
)
def test_a_wrong_assignment_is_named(assignment: str, problem: str) -> None:
    """With `--set` for its source; no group comes into being by a slip of the pen."""
    assert problems("monologue", assignment) == [problem]


def test_a_scenario_without_groups_says_so() -> None:
    """There is no name to guess."""
    (line,) = problems("reference", "groups.chat.calls=3")
    assert line == "--set groups.chat: unknown key; the scenario has no groups, set callers.KEY"


def test_wrong_options_of_the_provider_are_named_as_they_were_given() -> None:
    """Without the section; of the known keys, those that a scenario may not set are left out."""
    assert problems("reference", server=("slotz=1",)) == ["--provider slotz: unknown key; did you mean slots?"]
    assert problems("reference", server=("ttfb=-1",)) == ["--provider ttfb = -1: must be >= 0.0"]
    assert problems("reference", server=("settle",)) == ["--provider settle: expected KEY=VALUE, such as settle=0.2"]
    assert problems("reference", server=("seed=2",)) == ["--provider seed: not in a scenario; set --seed"]
    (unknown,) = problems("reference", server=("foo=1",))
    assert unknown.startswith("--provider foo: unknown key; known here: slots, links, ")
    assert not {"seed", "api_key"} & set(unknown.split(": ")[-1].split(", "))


def test_an_unknown_scenario_is_told_with_those_that_ship() -> None:
    """And with the one that was probably meant."""
    first, *others = problems("refernce")
    assert first == "scenario refernce: unknown; did you mean reference? These ship:"
    assert others == listing().splitlines()


def test_a_path_that_leads_nowhere_is_told_as_a_path(tmp_path: Path) -> None:
    """Whoever gives a path does not want a list."""
    for path in (tmp_path / "mine.toml", tmp_path / "mine"):
        assert problems(str(path)) == [f"{path}: cannot be read (No such file or directory); expected a TOML file"]


@given(st.dictionaries(st.sampled_from(sorted(each.name for each in attrs.fields(Traits))), st.integers() | st.text()))
def test_whatever_callers_are_said_to_be_is_taken_or_named(values: dict[str, object]) -> None:
    """Never a bare exception of a library."""
    assignments = [f"callers.{key}={value!r}" for key, value in values.items()]
    told = ""
    try:
        load_scenario("reference", assignments=assignments)
    except SettingsError as error:
        told = str(error)
    assert all(line.startswith("--set callers.") for line in told.splitlines())

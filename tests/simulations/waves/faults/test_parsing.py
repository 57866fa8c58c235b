"""What orders a fault: as an option, in a script, as JSON; every mistake is named with its key and what is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import SettingsError
from simulations.waves.faults.catalogue import BY_ITSELF, CATALOGUE
from simulations.waves.faults.fault import Fault
from simulations.waves.faults.parsing import parse_fault, parse_faults, read_order, read_script

KNOWN = ", ".join(CATALOGUE)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("stall:seconds=3,every=300", Fault(name="stall", seconds=3.0, every=300.0, count=0)),
        ("stall:at=10", Fault(name="stall", seconds=3.0, at=10.0)),
        ("stall:at=10,every=60", Fault(name="stall", seconds=3.0, at=10.0, every=60.0)),
        ("refuse:count=3", Fault(name="refuse", count=3)),
        ("refuse:count=3,every=60", Fault(name="refuse", count=3, every=60.0)),
        ("stall", Fault(name="stall", seconds=3.0, every=BY_ITSELF)),
        ("stall:seconds=1.5", Fault(name="stall", seconds=1.5, every=BY_ITSELF)),
        (" gone : seconds = 5 , at = 1 ", Fault(name="gone", seconds=5.0, at=1.0)),
        ("other_user:hold=2.5,at=0", Fault(name="other_user", seconds=2.5)),
        ("other_user:hold=2,share=0.3", Fault(name="other_user", seconds=2.0, share=0.3)),
        ("other_user:hold=2,share=0.3,random=true", Fault(name="other_user", seconds=2.0, share=0.3, random=True)),
        ("other_user:random=true,at=5", Fault(name="other_user", seconds=2.0, at=5.0, random=True)),
        ("other_user:random=false,at=0", Fault(name="other_user", seconds=2.0)),
        ("other_user:share=0.3", Fault(name="other_user", seconds=2.0, share=0.3)),
        ("unauthorized:at=3600", Fault(name="unauthorized", at=3600.0)),
        ("unauthorized", Fault(name="unauthorized")),
        ("unauthorized:seconds=9", Fault(name="unauthorized", seconds=9.0, every=BY_ITSELF)),
        ("oversized:megabytes=2,at=0", Fault(name="oversized", megabytes=2.0)),
    ],
)
def test_an_option_says_what_when_and_how_long(text: str, fault: Fault) -> None:
    """Alone it strikes at once and then about once a minute; with `every` alone only by chance; else as it says."""
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("stal", '"stal" is no fault; did you mean stall?'),
        ("xyzzy", f'"xyzzy" is no fault; known: {KNOWN}'),
        ("", f'"" is no fault; known: {KNOWN}'),
        ("stall:secs=3", "secs: unknown key; did you mean seconds?"),
        ("stall:name=x", "name: unknown key; known here: at, count, every, seconds, after"),
        ("stall:noise=1", "noise: unknown key; known here: at, count, every, seconds, after"),
        ("error_500:seconds=3", "seconds: unknown key; known here: at, count, every"),
        ("stall:seconds=x", 'seconds = "x": expected a number'),
        ("stall:seconds=0", "seconds = 0: must be > 0.0"),
        ("stall:seconds=inf", "seconds = inf: expected a number, and a finite one"),
        ("stall:every=nan", "every = nan: must be >= 0.1"),
        ("stall:every=0", "every = 0: must be >= 0.1"),
        ("stall:count=2.5", "count = 2.5: expected an integer"),
        ("stall:count=0", "count = 0: needs every"),
        ("stall:count=5000", "count = 5000: must be <= 1000"),
        ("stall:at=-1", "at = -1: must be >= 0.0"),
        ("oversized:megabytes=1000", "megabytes = 1000: must be <= 100.0"),
        ("other_user:share=1", "share = 1: must be < 1.0"),
        ("other_user:random=yes", 'random = "yes": expected true or false'),
        ("other_user:random=1", "random = 1: expected true or false"),
        ("stall:random=true", "random: unknown key; known here: at, count, every, seconds, after"),
        ("stall:seconds=true", "seconds = true: expected a number"),
        ("other_user:hold=2,seconds=3", "hold: another word for seconds; give one of them"),
        ("other_user:share=0.3,every=3", "every: not beside share, which says how often"),
        ("unauthorized:every=60", "every: needs seconds; without them it lasts for good"),
        *(
            (text, "expected NAME or NAME:KEY=VALUE,... each key once, such as stall:seconds=3,every=300")
            for text in ("stall:", "stall:seconds", "stall:seconds=", "stall:=3", "stall:at=1,,at=2", "stall:at=1,at=2")
        ),
    ],
)
def test_a_mistake_in_an_option_is_named(text: str, problem: str) -> None:
    """With the option as it was given."""
    with pytest.raises(SettingsError) as caught:
        parse_fault(text)
    assert str(caught.value) == f"--fault {text}: {problem}"


def test_all_mistakes_of_several_options_are_told_at_once() -> None:
    """A line each."""
    with pytest.raises(SettingsError) as caught:
        parse_faults(["stal", "stall", "stall:secs=1,evry=2"], source="faults: ")
    assert [line.partition(": ")[2].partition(";")[0] for line in str(caught.value).splitlines()] == [
        'stal: "stal" is no fault',
        "stall:secs=1,evry=2: evry: unknown key",
        "stall:secs=1,evry=2: secs: unknown key",
    ]


# --- scripts ---


def test_a_script_is_a_list_of_tables(tmp_path: Path) -> None:
    """In their order; what says nothing of when recurs, as in an option."""
    script = tmp_path / "bad_day.toml"
    script.write_text(
        '[[fault]]\nname = "unauthorized"\nat = 3600\n[[fault]]\nname = "stall"\nseconds = 2\nevery = 300\n'
        '[[fault]]\nname = "restart"\n'
    )
    assert read_script(script) == [
        Fault(name="unauthorized", at=3600.0),
        Fault(name="stall", seconds=2.0, every=300.0, count=0),
        Fault(name="restart", seconds=5.0, every=BY_ITSELF),
    ]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["expected a table [[fault]] for each fault, with name = and its figures"]),
        ("[fault]\nname = 'stall'", ["expected a table [[fault]] for each fault, with name = and its figures"]),
        ("fault = [3]", ["fault 1: 3: expected a table with name and figures"]),
        ("[[fault]]\nat = 3", [f"fault 1: name: missing; known: {KNOWN}"]),
        ("[[fault]]\nname = 3", [f"fault 1: name: 3 is no name; known: {KNOWN}"]),
        ("[[fault]]\nname = 'gon'", ['fault 1: "gon" is no fault; did you mean gone?']),
        (
            "[[fault]]\nname = 'gone'\n[[fault]]\nname = 'gone'\nseconds = true\nsecs = 1\n[[faults]]",
            [
                "faults: unknown key; did you mean fault?",
                "fault 2: gone: seconds = true: expected a number",
                "fault 2: gone: secs: unknown key; did you mean seconds?",
            ],
        ),
    ],
)
def test_mistakes_in_a_script_are_named(tmp_path: Path, text: str, problems: list[str]) -> None:
    """With the file and which table it is."""
    script = tmp_path / "script.toml"
    script.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_script(script)
    assert str(caught.value).splitlines() == [f"{script}: {problem}" for problem in problems]


def test_a_script_that_is_not_there_is_told(tmp_path: Path) -> None:
    """As any other file."""
    with pytest.raises(SettingsError, match="cannot be read"):
        read_script(tmp_path / "none.toml")


# --- orders ---


def test_an_order_strikes_once_unless_it_says_otherwise() -> None:
    """Whoever is there can order it again."""
    assert read_order({"name": "stall"}) == Fault(name="stall", seconds=3.0)
    assert read_order({"name": "stall", "every": 60}) == Fault(name="stall", seconds=3.0, every=60.0, count=0)
    assert read_order({"name": "stall", "every": None}) == Fault(name="stall", seconds=3.0)
    assert read_order({"name": "other_user", "hold": 1}) == Fault(name="other_user", seconds=1.0)
    assert read_order({"name": "other_user", "random": True}) == Fault(name="other_user", seconds=2.0, random=True)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda each: st.lists(each)))
def test_whatever_is_no_object_is_told_so(order: Any) -> None:
    """Never a bare exception of a library."""
    with pytest.raises(SettingsError, match="expected a table with name and figures"):
        read_order(order)


@given(
    name=st.sampled_from(sorted(CATALOGUE)),
    figures=st.dictionaries(
        st.sampled_from(["at", "count", "every", "seconds", "hold", "share", "random", "after", "megabytes", "noise"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.integers()),
    ),
)
def test_any_figures_are_taken_or_named(name: str, figures: dict[str, Any]) -> None:
    """A fault that is taken has a name and figures in their ranges; else each line names the fault and a key."""
    try:
        fault = read_order({"name": name, **figures})
    except SettingsError as error:
        keys = [line.removeprefix(f"{name}: ").partition(" ")[0].rstrip(":") for line in str(error).splitlines()]
        assert set(keys) <= figures.keys()
    else:
        assert fault.name == name
        assert fault.count or fault.every

"""Tables that are switched on or off by a word: in a file, by `--set`, beside their other keys, in any order."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import SettingsError
from orchestrator.settings import LadderSettings, Settings
from orchestrator.settings_file import SECTIONS, load_settings, override
from orchestrator.structuring import SWITCH, assign, unfolded

SWITCHED = tuple(name for name, keys in SECTIONS.items() if "on" in keys)


def of(*assignments: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what assignments make of a document."""
    document = {} if document is None else document
    for assignment in assignments:
        assign(document, assignment)
    return document


def test_the_tables_that_can_be_switched() -> None:
    """Those of the settings that have a key `on`."""
    assert SWITCHED == ("ladder", "cache", "admission", "lipsync")


@pytest.mark.parametrize("section", SWITCHED)
@pytest.mark.parametrize("word", SWITCH)
def test_a_word_is_short_for_the_key_on(section: str, word: str, tmp_path: Path) -> None:
    """In a file, and by `--set`; all else of the table has its defaults."""
    file = tmp_path / "talkingstick.toml"
    file.write_text(f'{section} = "{word}"')
    read = load_settings(file)
    assert getattr(read, section).on is SWITCH[word]
    assert override(Settings(), [f"{section}={word}"]) == read
    assert override(Settings(), [f'{section}="{word}"']) == read
    file.write_text(f"[{section}]\non = {str(SWITCH[word]).lower()}")
    assert load_settings(file) == read


ORDERS = tuple(permutations(["ladder=on", 'ladder.rungs=["cache", "filler"]', "ladder.noise_after=3"]))


@pytest.mark.parametrize("order", ORDERS)
def test_a_switch_leaves_the_other_keys_as_they_are(order: tuple[str, ...]) -> None:
    """Whichever comes first."""
    assert of(*order) == {"ladder": {"on": True, "rungs": ["cache", "filler"], "noise_after": 3}}
    assert override(Settings(), ["ladder=off", *order]).ladder == LadderSettings(
        rungs=("cache", "filler"), noise_after=3.0
    )


def test_the_last_switch_counts() -> None:
    """Also where the table stands in the file as a word, or as a table."""
    assert of("ladder=on", "ladder=off") == {"ladder": "off"}
    assert of("ladder=off", "ladder.rungs=[]", "ladder=on", document={"ladder": "on"}) == {
        "ladder": {"on": True, "rungs": []}
    }
    assert of("ladder=off", document={"ladder": {"rungs": []}}) == {"ladder": {"on": False, "rungs": []}}


def test_other_keys_switch_nothing() -> None:
    """A table of which something is set is neither on nor off for it."""
    assert of("ladder.rungs=[]") == {"ladder": {"rungs": []}}
    assert override(Settings(), ["ladder=off", "ladder.rungs=[]"]).ladder == LadderSettings(on=False, rungs=())


def test_only_the_two_words_are_switches() -> None:
    """What else stands for a table is left as it is."""
    assert [unfolded(value) for value in ("on", "off", "On", True, {"a": 1}, None)] == [
        {"on": True}, {"on": False}, "On", True, {"a": 1}, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('ladder = "yes"', 'ladder = "yes": expected "on", "off" or a table'),
        ("admission = true", 'admission = true: expected "on", "off" or a table'),
        ('slot = "on"', 'slot = "on": expected a table'),
        ("[ladder]\non = 1", "ladder.on = 1: expected true or false"),
        ('[ladder]\nrungs = ["stairs"]', 'ladder.rungs = ["stairs"]: expected some of cache, filler, noise, brief, '
         "local_voice, apology, each once"),
        ('[ladder.words]\nen = ["a", " "]', 'ladder.words = {"en": ["a", " "]}: expected texts with something to say'),
        ('[ladder.words]\nxx = ["a"]', "ladder.words = {\"xx\": [\"a\"]}: expected languages as keys: "),
        ('[ladder.words]\nen = "a"', 'ladder.words.en = "a": expected an array of strings, such as ["a", "b"]'),
    ],
)  # fmt: skip
def test_what_is_wrong_with_such_a_table_is_named(text: str, problem: str, tmp_path: Path) -> None:
    """With its value and what would be right."""
    file = tmp_path / "talkingstick.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{file}: {problem}")

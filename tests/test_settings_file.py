"""Settings from TOML, `--set` and the environment: right ones come through, wrong ones are named, keys never shown."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import SettingsError
from orchestrator.settings import ProviderSettings, Settings, SlotSettings, SpeechSettings, WrongValue
from orchestrator.settings_file import SECTIONS, load_settings, override, read_key


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test writes its configuration."""
    return tmp_path / "talkingstick.toml"


def problems(file: Path, text: str) -> list[str]:
    """Return what is said of a configuration with this text, one line a problem, without the file's name."""
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{file}: ") for line in lines)
    return [line.removeprefix(f"{file}: ") for line in lines]


def test_an_empty_file_means_the_defaults(file: Path) -> None:
    """Every setting may be left out."""
    file.write_text("")
    assert load_settings(file) == Settings()


def test_values_come_through_and_an_integer_will_do_for_a_number(file: Path) -> None:
    """Types are as declared; options of the bot stay as they are."""
    file.write_text(
        '[provider]\nslots = 3\nlink_reuse = "never"\nspeed = 1\nword_timestamps = false\n'
        '[bot]\nuse = "echo"\n[bot.options]\nname = "Asha"\ntries = [1, 2]\n',
    )
    settings = load_settings(file)
    assert (settings.provider.slots, settings.provider.link_reuse) == (3, "never")
    assert (settings.provider.speed, type(settings.provider.speed)) == (1.0, float)
    assert settings.provider.word_timestamps is False
    assert settings.bot.options == {"name": "Asha", "tries": [1, 2]}
    assert settings.slot == SlotSettings()


def test_a_byte_order_mark_does_not_matter(file: Path) -> None:
    """Some editors write one."""
    file.write_bytes(b"\xef\xbb\xbf[provider]\nslots = 2\n")
    assert load_settings(file).provider.slots == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[provider]\nslots = "two"', 'provider.slots = "two": expected an integer'),
        ("[provider]\nslots = 2.0", "provider.slots = 2.0: expected an integer"),
        ("[provider]\nslots = true", "provider.slots = true: expected an integer"),
        ("[provider]\nspeed = true", "provider.speed = true: expected a number"),
        ('[provider]\nspeed = "1.0"', 'provider.speed = "1.0": expected a number'),
        ("[provider]\nvoice = 3", "provider.voice = 3: expected a string (in quotes)"),
        ("[provider]\nvoice = 2026-11-01", 'provider.voice = "2026-11-01": expected a string (in quotes)'),
        ("[provider]\nword_timestamps = 1", "provider.word_timestamps = 1: expected true or false"),
        ('[provider]\napi = "unifed"', 'provider.api = "unifed": expected "unified" or "per_model"'),
        ("[provider]\napi = 1", 'provider.api = 1: expected "unified" or "per_model"'),
        (
            '[provider]\naddress = "https://api.smallest.ai"',
            'provider.address = "https://api.smallest.ai": expected "wss://" or "ws://" and a host, without a path',
        ),
        ("[speech]\nlook_ahead = 900", "speech.look_ahead = 900: must lie between 1 and 60"),
        ("[slot]\nbound = nan", "slot.bound = nan: must lie between 0 and 60"),
        ("[slot]\nbound = 1" + "0" * 400, "slot.bound = 1" + "0" * 56 + "...: expected a number"),
        ("[bot]\noptions = 3", "bot.options = 3: expected a table"),
        ("slot = [1]", "slot = [1]: expected a table"),
        ("[provider]\nslotz = 1", "provider.slotz: unknown key; did you mean provider.slots?"),
        ("[provider]\nlook_ahead = 1", "provider.look_ahead: unknown key; did you mean speech.look_ahead?"),
        ("slots = 1", "slots: unknown key; did you mean provider.slots?"),
        ("[providr]", "providr: unknown key; did you mean [provider]?"),
        ("[slot]\nzzz = 1", "slot.zzz: unknown key; known here: slot.patience, slot.bound"),
        ('[slot]\n"a\\nb" = 1', 'slot."a\\nb": unknown key; known here: slot.patience, slot.bound'),
    ],
)
def test_each_wrong_setting_is_named_with_its_value_and_what_would_be_right(
    file: Path, text: str, problem: str
) -> None:
    """No value is bent into another type: neither text into numbers, nor numbers into text, nor truth into either."""
    assert problems(file, text) == [problem]


def test_all_problems_are_told_at_once(file: Path) -> None:
    """Also several in one section, of which attrs alone would tell the first."""
    text = '[provider]\nslots = 0\nspeed = 9\nvoice = 1\nslotz = 1\n[slot]\npatience = "x"\n[zzz]\n'
    assert sorted(line.partition(" ")[0].rstrip(":") for line in problems(file, text)) == [
        "provider.slots", "provider.slotz", "provider.speed", "provider.voice", "slot.patience", "zzz",
    ]  # fmt: skip


def test_a_file_that_is_no_toml_is_named_with_line_and_column(file: Path) -> None:
    """The place is where the parser stopped."""
    (line,) = problems(file, "[slot]\npatience = \n")
    assert line.startswith("not TOML: ")
    assert "line 2, column" in line


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "1" * 5000], ids=["nested", "endless"])
def test_what_breaks_the_toml_parser_is_told_like_any_other_mistake(file: Path, text: str) -> None:
    """Neither raises TOMLDecodeError inside tomllib."""
    assert problems(file, text)[0].startswith("not TOML: ")


def test_a_file_that_is_missing_or_no_text_is_named(file: Path) -> None:
    """Missing, a directory, another encoding."""
    with pytest.raises(SettingsError, match=r"talkingstick\.toml: cannot be read \(No such file"):
        load_settings(file)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(file.parent)
    file.write_bytes(b"# caf\xe9\n")
    with pytest.raises(SettingsError, match="byte 6 is not UTF-8"):
        load_settings(file)


def test_the_constructors_refuse_what_the_file_refuses() -> None:
    """Settings made in code are checked, too."""
    with pytest.raises(WrongValue, match="look_ahead = 900: must lie between 1 and 60"):
        SpeechSettings(look_ahead=900)
    for address in ("ws://host/path", "ws://", "http://host", "ws://[", "ws://host:0", "ws://host:99999", "ws://h?a=1"):
        with pytest.raises(WrongValue, match="without a path"):
            ProviderSettings(address=address)
    assert ProviderSettings(address="ws://127.0.0.1:8090").address == "ws://127.0.0.1:8090"


@given(st.floats(0.5, 2.0), st.integers(1, 1000), st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_what_a_file_says_is_what_the_settings_hold(speed: float, slots: int, apology: str) -> None:
    """Any value in range survives the way through TOML unchanged."""
    quoted = json.dumps(apology, ensure_ascii=False)
    changed = override(
        Settings(),
        [f"provider.speed={speed!r}", f"provider.slots={slots}", f"dialogue.apology={quoted}"],
    )
    assert (changed.provider.speed, changed.provider.slots, changed.dialogue.apology) == (speed, slots, apology)


# --- --set ---


@pytest.mark.parametrize(
    ("assignment", "key", "value"),
    [
        ("slot.patience=0.3", "slot.patience", 0.3),
        ("slot.patience = 1", "slot.patience", 1.0),
        ("provider.api=per_model", "provider.api", "per_model"),
        ("provider.address=ws://127.0.0.1:80", "provider.address", "ws://127.0.0.1:80"),
        ('provider.voice="2"', "provider.voice", "2"),
        ("provider.key_file=", "provider.key_file", ""),
        ("bot.options.desk.open=[9, 17]", "bot.options", {"desk": {"open": [9, 17]}}),
        ("bot.options.a=1\nb=2", "bot.options", {"a": "1\nb=2"}),
    ],
)
def test_set_takes_toml_values_and_bare_words(assignment: str, key: str, value: object) -> None:
    """What is no TOML value is a string."""
    section, _, name = key.partition(".")
    assert getattr(getattr(override(Settings(), [assignment]), section), name) == value


def test_set_changes_nothing_else() -> None:
    """Settings that were not named keep their values."""
    before = Settings(provider=ProviderSettings(slots=3))
    assert override(before, []) == before
    assert override(before, ["slot.bound=1"]) == attrs.evolve(before, slot=SlotSettings(bound=1.0))


@pytest.mark.parametrize(
    ("assignment", "problem"),
    [
        ("slot.patience", "--set slot.patience: expected KEY=VALUE, such as slot.patience=0.3"),
        ("=3", "--set =3: expected KEY=VALUE, such as slot.patience=0.3"),
        ("a..b=3", "--set a..b=3: expected KEY=VALUE, such as slot.patience=0.3"),
        ("slot.patience=99", "--set slot.patience = 99: must lie between 0 and 10"),
        ("slot.patience.x=1", "--set slot.patience.x: unknown key; patience is a value, no table"),
        ("slot.patienc=1", "--set slot.patienc: unknown key; did you mean slot.patience?"),
        ("bot.options.a=[1", '--set bot.options.a: "[1" is no TOML value'),
    ],
)
def test_a_wrong_assignment_is_named(assignment: str, problem: str) -> None:
    """As from a file, with `--set` for its source."""
    with pytest.raises(SettingsError) as caught:
        override(Settings(), [assignment])
    assert str(caught.value) == problem


# --- the key ---

KEY = "sk_live_0123456789"


def test_the_key_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    """The file goes first; white space around the key does not count."""
    key_file = tmp_path / "key"
    key_file.write_text(f"  {KEY}  \nnot this\n")
    assert read_key(ProviderSettings(), {"WAVES_API_KEY": f"{KEY}\n"}) == KEY
    assert read_key(ProviderSettings(key_file=str(key_file)), {"WAVES_API_KEY": "another"}) == KEY


def test_a_missing_key_is_told_with_where_it_was_looked_for(tmp_path: Path) -> None:
    """The message names the variable or the file."""
    with pytest.raises(SettingsError, match=r"environment variable MY_KEY: is not set; .* provider\.key_file"):
        read_key(ProviderSettings(key_env="MY_KEY"), {"WAVES_API_KEY": KEY})
    empty = tmp_path / "empty"
    empty.write_text("\n" + KEY)
    with pytest.raises(SettingsError, match=r"empty\": its first line is empty"):
        read_key(ProviderSettings(key_file=str(empty)), {})
    with pytest.raises(SettingsError, match=r"provider\.key_file = .*nowhere.*cannot be read"):
        read_key(ProviderSettings(key_file=str(tmp_path / "nowhere")), {})
    empty.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="is not text"):
        read_key(ProviderSettings(key_file=str(empty)), {})


@pytest.mark.parametrize(
    "text",
    [
        f'[provider]\nkey = "{KEY}"',
        f'[provider]\nkey_env = "{KEY}"',
        '[provider]\nkey_env = "Bearer 0123456789"',
        f'[provider]\nkey_file = "{KEY}"',
        f'[provider]\nslots = "{KEY}"',
        '[provider]\naddress = "wss://me:0123456789@host"',
    ],
)
def test_a_key_in_the_wrong_place_is_never_shown(file: Path, text: str) -> None:
    """It would end up in terminals and logs."""
    assert not any("0123456789" in line for line in problems(file, text))


def test_an_unusable_key_is_refused_without_showing_it() -> None:
    """It would break the header that carries it."""
    with pytest.raises(SettingsError, match="no usable key") as caught:
        read_key(ProviderSettings(), {"WAVES_API_KEY": "sk live 0123456789"})
    assert "0123456789" not in str(caught.value)


def test_every_section_is_known() -> None:
    """The names that guesses are made from."""
    assert set(SECTIONS) == {
        "provider", "slot", "speech", "ladder", "cache", "dialogue", "admission", "bot", "log", "serve", "lipsync",
    }  # fmt: skip
    assert "patience" in SECTIONS["slot"]


def test_mistakes_in_tables_of_an_array_name_the_place(tmp_path: Path) -> None:
    """Counted from 0; what may be a secret is not shown."""
    path = tmp_path / "a.toml"
    path.write_text(
        """
        [serve]
        public_url = "bots.example.com"
        [serve.hearing]
        levl = 3
        [[serve.lines]]
        carrier = "twillio"
        [[serve.lines]]
        secret_env = "0123456789abcdef0123456789abcdef"
        nummbers = {}
        [[serve.lines]]
        carrier = "twilio"
        numbers = { "+49" = 3 }
        path = "twilio"
        """
    )
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    told = [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()]
    assert sorted(line.partition(":")[0].partition(" =")[0] for line in told) == [
        "serve.hearing.levl", "serve.lines[0].carrier", "serve.lines[1].carrier", "serve.lines[1].nummbers",
        "serve.lines[1].secret_env", 'serve.lines[2].numbers."+49"', "serve.lines[2].path", "serve.public_url",
    ]  # fmt: skip
    assert "serve.lines[1].carrier: is missing" in told
    assert "did you mean serve.lines.numbers?" in str(caught.value)
    assert "0123456789" not in str(caught.value)
    with pytest.raises(SettingsError, match=r"serve\.lines = 3: expected an array of tables"):
        override(Settings(), ["serve.lines=3"])

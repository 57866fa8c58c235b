"""Reads settings from TOML, `--set` and the environment; the account's key is in no message.

What is right is settings.py's, how mistakes are worded structuring.py's, what a configuration means
settings_meaning.py's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs
from attrs import evolve

from orchestrator.errors import SettingsError
from orchestrator.settings import ProviderSettings, Settings
from orchestrator.structuring import Wording, assign, read_toml, structured

NEVER_SHOWN = frozenset({"provider.key_env", "provider.key_file"})
"""Settings that a key is written into by mistake: a message about them leaves the value out."""

SECTIONS: dict[str, tuple[str, ...]] = {
    name: tuple(field.name for field in attrs.fields(type(section)))
    for name, section in attrs.asdict(Settings(), recurse=False).items()
}
"""The names of all settings, by section."""

_WORDING = Wording(keys={"": tuple(SECTIONS), **SECTIONS}, never_shown=NEVER_SHOWN)


def load_settings(path: Path) -> Settings:
    """Return the settings in the TOML file at `path`, defaults where it is silent.

    Raises SettingsError, one line a problem: no such file, not UTF-8, not TOML (with line and column), a key unknown or
    a value wrong.
    """
    return structured(read_toml(path), Settings, wording=evolve(_WORDING, source=f"{path}: "))


def override(settings: Settings, assignments: Iterable[str]) -> Settings:
    """Return `settings` with each `KEY=VALUE` applied, such as `slot.patience=0.3`.

    Values are TOML's; what is no value there, a bare word or an address, is a string. Raises
    SettingsError as `load_settings` does.
    """
    document = attrs.asdict(settings)
    for assignment in assignments:
        assign(document, assignment)
    return structured(document, Settings, wording=evolve(_WORDING, source="--set "))


def read_key(provider: ProviderSettings, environment: Mapping[str, str] = os.environ) -> str:
    """Return the account's key: the first line of `key_file` if that is set, else what `key_env` holds.

    Raises SettingsError that says which of the two is missing or unusable.
    """
    if provider.key_file:
        source = f'provider.key_file = "{provider.key_file}"'
        key, missing = (
            _first_line(Path(provider.key_file), source),
            "its first line is empty; expected the account's key",
        )
    else:
        source = f"environment variable {provider.key_env}"
        key = environment.get(provider.key_env, "").strip()
        missing = "is not set; put the account's key there, or name a file with it in provider.key_file"
    if not key:
        raise SettingsError(f"{source}: {missing}")
    if not all("!" <= character <= "~" for character in key):
        raise SettingsError(f"{source}: no usable key; expected ASCII letters, digits and signs without spaces")
    return key


def _first_line(path: Path, source: str) -> str:
    try:
        return path.read_text("utf-8-sig").partition("\n")[0].strip()
    except OSError as error:
        raise SettingsError(f"{source}: cannot be read ({error.strerror}); expected a file with the key") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{source}: is not text; expected a file with the key in its first line") from None

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

from orchestrator.secret_reading import SecretSource, secret_at
from orchestrator.settings import (
    HearingSettings,
    LineSettings,
    LipsyncSettings,
    ProviderSettings,
    RecordingSettings,
    Settings,
)
from orchestrator.settings_words import Wording
from orchestrator.structuring import assign, read_toml, structured

NEVER_SHOWN = frozenset({"provider.key_env", "provider.key_file"})
NEVER_SHOWN |= {f"lipsync.{name}" for name in ("key_env", "key_file", "webhook_secret_env", "webhook_secret_file")}
NEVER_SHOWN |= {f"serve.lines.{kind}_{where}" for kind in ("secret", "key") for where in ("env", "file")}
"""Settings that a key is written into by mistake: a message about them leaves the value out."""
_SIGN_AND_ASK_WITH_ONE = ("twilio", "plivo")
"""Carriers whose auth token signs their requests and is the key of their REST API, too."""

SECTIONS: dict[str, tuple[str, ...]] = {
    name: tuple(field.name for field in attrs.fields(type(section)))
    for name, section in attrs.asdict(Settings(), recurse=False).items()
}
"""The names of all settings, by section."""

INNER: dict[str, tuple[str, ...]] = {
    f"serve.{name}": tuple(field.name for field in attrs.fields(kind))
    for name, kind in (("lines", LineSettings), ("hearing", HearingSettings), ("recording", RecordingSettings))
}
"""The names of the settings in tables inside sections."""

_WORDING = Wording(keys={"": tuple(SECTIONS), **SECTIONS, **INNER}, never_shown=NEVER_SHOWN)


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
    source = SecretSource(
        env=provider.key_env, file=provider.key_file, setting="provider.key_file", what="the account's key"
    )
    return secret_at(source, environment)


def read_lipsync_key(lipsync: LipsyncSettings, environment: Mapping[str, str] = os.environ) -> str:
    """Return the key of the video service's account. Raises SettingsError as `read_key` does."""
    source = SecretSource(
        env=lipsync.key_env, file=lipsync.key_file, setting="lipsync.key_file", what="the video service's key"
    )
    return secret_at(source, environment)


def read_webhook_secret(lipsync: LipsyncSettings, environment: Mapping[str, str] = os.environ) -> str:
    """Return what signs the video service's webhooks; empty where none is set. Raises SettingsError as `read_key`."""
    if not (lipsync.webhook_secret_env or lipsync.webhook_secret_file):
        return ""
    source = SecretSource(
        env=lipsync.webhook_secret_env,
        file=lipsync.webhook_secret_file,
        setting="lipsync.webhook_secret_file",
        what="the webhooks' secret",
    )
    return secret_at(source, environment)


def read_secret(line: LineSettings, where: str, *, environment: Mapping[str, str] = os.environ) -> str:
    """Return what signs the requests of a line's carrier, or its shared token; empty where none is set.

    `where` names the line in messages, such as `serve.lines[0]`. Raises SettingsError as `read_key` does.
    """
    if not (line.secret_env or line.secret_file):
        return ""
    setting, what = f"{where}.secret_file", f"{line.carrier}'s secret"
    source = SecretSource(env=line.secret_env, file=line.secret_file, setting=setting, what=what)
    return secret_at(source, environment)


def read_api_key(line: LineSettings, where: str, *, environment: Mapping[str, str] = os.environ) -> str:
    """Return the key of the REST API of a line's carrier; empty where none is set.

    Twilio's and Plivo's is the auth token that signs their requests, unless another is set. Raises as `read_secret`.
    """
    if line.key_env or line.key_file:
        setting, what = f"{where}.key_file", f"{line.carrier}'s key"
        source = SecretSource(env=line.key_env, file=line.key_file, setting=setting, what=what)
        return secret_at(source, environment)
    return read_secret(line, where, environment=environment) if line.carrier in _SIGN_AND_ASK_WITH_ONE else ""

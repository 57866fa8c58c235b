"""Reads a secret from the environment or from a file; no message shows it. Whose it is, settings_file.py says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from orchestrator.errors import SettingsError

_PEM = "-----BEGIN "


@frozen(kw_only=True)
class SecretSource:
    """Where a secret is: the variable `env`, or the file `file` that the setting `setting` names; `what` it is."""

    env: str
    file: str
    setting: str
    what: str


def secret_at(source: SecretSource, environment: Mapping[str, str] = os.environ) -> str:
    """Return a secret: the first line of the file if there is one, else what the variable holds.

    A private key in PEM is taken whole. Raises SettingsError that says which of the two is missing or unusable.
    """
    if source.file:
        named = f'{source.setting} = "{source.file}"'
        secret, missing = _in_file(source, named), f"its first line is empty; expected {source.what}"
    else:
        named = f"environment variable {source.env}"
        secret = environment.get(source.env, "").strip()
        missing = f"is not set; put {source.what} there, or name a file with it in {source.setting}"
    if not secret:
        raise SettingsError(f"{named}: {missing}")
    if not secret.startswith(_PEM) and not all("!" <= character <= "~" for character in secret):
        word = source.what.split()[-1]
        raise SettingsError(f"{named}: no usable {word}; expected ASCII letters, digits and signs without spaces")
    return secret


def _in_file(source: SecretSource, named: str) -> str:
    word = source.what.split()[-1]
    try:
        return _cut(Path(source.file).read_text("utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{named}: cannot be read ({error.strerror}); expected a file with the {word}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{named}: is not text; expected a file with the {word} in its first line") from None


def _cut(text: str) -> str:
    return text.strip() if text.lstrip().startswith(_PEM) else text.partition("\n")[0].strip()

"""Reads settings from TOML, `--set` and the environment and words what is wrong with them.

What is right is settings.py's, what a configuration means settings_meaning.py's. Every problem becomes one line of one
SettingsError: the key, the value, what would be right. The account's key is in no message.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn
from cattrs.gen import override as field_override

from orchestrator.errors import SettingsError
from orchestrator.settings import ProviderSettings, Settings, WrongValue

NEVER_SHOWN = frozenset({"provider.key_env", "provider.key_file"})
"""Settings that a key is written into by mistake: a message about them leaves the value out."""

_SECRET = re.compile(r"\bsk_|://[^/]*@")
"""What a key of the account, or an address with a password, looks like."""

SECTIONS: dict[str, tuple[str, ...]] = {
    name: tuple(field.name for field in attrs.fields(type(section)))
    for name, section in attrs.asdict(Settings(), recurse=False).items()
}
"""The names of all settings, by section."""


def load_settings(path: Path) -> Settings:
    """Return the settings in the TOML file at `path`, defaults where it is silent.

    Raises SettingsError, one line a problem: no such file, not UTF-8, not TOML (with line and column), a key unknown or
    a value wrong.
    """
    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); expected a TOML file") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: byte {error.start + 1} is not UTF-8; expected a TOML file in UTF-8") from None
    except (ValueError, RecursionError) as error:  # tomllib lets both through: an endless integer, brackets without end
        raise SettingsError(f"{path}: not TOML: {error}") from None
    return _structured(document, f"{path}: ")


def override(settings: Settings, assignments: Iterable[str]) -> Settings:
    """Return `settings` with each `KEY=VALUE` applied, such as `slot.patience=0.3`.

    Values are TOML's; what is no value there, a bare word or an address, is a string. Raises
    SettingsError as `load_settings` does.
    """
    document = attrs.asdict(settings)
    for assignment in assignments:
        _assign(document, assignment)
    return _structured(document, "--set ")


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


def _assign(document: dict[str, Any], assignment: str) -> None:
    key, equals, text = assignment.partition("=")
    *tables, name = key.strip().split(".")
    if not (equals and name and all(tables)):
        raise SettingsError(f"--set {assignment}: expected KEY=VALUE, such as slot.patience=0.3")
    for table in tables:
        document = document.setdefault(table, {})
        if not isinstance(document, dict):
            raise SettingsError(f"--set {key}: unknown key; {table} is a value, no table")
    document[name] = _toml_value(key, text.strip())


def _toml_value(key: str, text: str) -> Any:
    try:
        values = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        if text.startswith(('"', "'", "[", "{")):
            raise SettingsError(f"--set {key}: {_shown(text)} is no TOML value") from None
        return text
    return values["value"] if len(values) == 1 else text


# --- from a document to settings: cattrs, with our own words for what is wrong ---


def _exactly(kind: type, expected: str) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _type: Any) -> Any:
        if type(value) is not kind:
            raise WrongValue(repr(value), expected)
        return value

    return structure


def _number(value: Any, _type: Any) -> float:
    try:
        if type(value) in (int, float):
            return float(value)
    except OverflowError:
        pass
    raise WrongValue(repr(value), "expected a number")


def _choice(value: Any, kind: Any) -> Any:
    choices = get_args(kind)
    if not isinstance(value, str) or value not in choices:
        raise WrongValue(repr(value), "expected " + " or ".join(map(_shown, choices)))
    return value


def _field(attribute: attrs.Attribute[Any], converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    """Check one field by its type and its validator: attrs alone would stop at the first wrong one."""

    def structure(value: Any, kind: Any) -> Any:
        result = converter.structure(value, kind)
        if attribute.validator is not None:
            attribute.validator(None, attribute, result)
        return result

    return structure


def _section(cls: type, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    fields = {field.name: field_override(struct_hook=_field(field, converter)) for field in attrs.fields(cls)}
    structure_section: Callable[[Any, Any], Any] = make_dict_structure_fn(
        cls,
        converter,
        _cattrs_forbid_extra_keys=True,
        _cattrs_detailed_validation=True,
        **fields,  # type: ignore[arg-type]  # cattrs types its keyword options and the fields' as one
    )

    def structure(value: Any, kind: Any) -> Any:
        return structure_section(_exactly(dict, "expected a table")(value, kind), kind)

    return structure


def _origin_is(origin: Any) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) is origin


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    converter.register_structure_hook_factory(attrs.has, _section)
    converter.register_structure_hook_func(_origin_is(Literal), _choice)
    converter.register_structure_hook_func(_origin_is(dict), _exactly(dict, "expected a table"))
    converter.register_structure_hook(bool, _exactly(bool, "expected true or false"))
    converter.register_structure_hook(int, _exactly(int, "expected an integer"))
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(str, _exactly(str, "expected a string (in quotes)"))
    return converter


_CONVERTER = _make_converter()


def _structured(document: dict[str, Any], source: str) -> Settings:
    try:
        return _CONVERTER.structure(document, Settings)
    except ClassValidationError as errors:
        lines = [line for error, path in _leaves(errors, "") for line in _worded(error, path=path, document=document)]
    raise SettingsError("\n".join(source + line for line in lines))


def _leaves(error: Exception, path: str) -> Iterator[tuple[Exception, str]]:
    if isinstance(error, ClassValidationError):
        noted, others = error.group_exceptions()
        for inner, note in noted:
            yield from _leaves(inner, f"{path}.{note.name}".lstrip("."))
        yield from ((inner, path) for inner in others)
    else:
        yield error, path


def _worded(error: Exception, *, path: str, document: dict[str, Any]) -> Iterator[str]:
    if isinstance(error, ForbiddenExtraKeysError):
        yield from (_unknown(path, name) for name in sorted(error.extra_fields))
    elif not isinstance(error, WrongValue):
        raise error
    elif path in NEVER_SHOWN:
        yield f"{path}: {error.expected}"
    else:
        value = reduce(getitem, path.split("."), document)
        yield f"{path} = {_shown(value)}: {error.expected}"


def _unknown(section: str, name: str) -> str:
    """Word an unknown key; its value is left out, since it may be anything."""
    here = {key: f"{section}.{key}" for key in SECTIONS[section]} if section else {key: f"[{key}]" for key in SECTIONS}
    anywhere = {key: f"{other}.{key}" for other, keys in SECTIONS.items() for key in keys}
    guess = anywhere.get(name) or _guess(name, here) or _guess(name, anywhere)
    bare = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)
    right = f"did you mean {guess}?" if guess else "known here: " + ", ".join(here.values())
    return f"{section}.{bare}".lstrip(".") + f": unknown key; {right}"


def _guess(name: str, candidates: Mapping[str, str]) -> str | None:
    close = get_close_matches(name.lower(), candidates, n=1, cutoff=0.7)
    return candidates[close[0]] if close else None


def _shown(value: Any) -> str:
    """Return `value` as TOML would have it, cut to a line's length; not what looks like a key or a password."""
    text = repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False, default=str)
    if _SECRET.search(text):
        return "(not shown)"
    return text if len(text) <= 60 else text[:57] + "..."

"""Turns TOML and `--set` into attrs classes and says what is wrong: the key, the value, what would be right.

The words are settings_words.py's. What is right is said by the classes, whose validators raise WrongValue or are those
of attrs. Every problem becomes one line of one SettingsError.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import (
    AttributeValidationNote,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn
from cattrs.gen import override as field_override

from orchestrator.errors import SettingsError
from orchestrator.settings import WrongValue
from orchestrator.settings_words import Wording, dotted, shown, unknown

T = TypeVar("T")
SWITCH = {"on": True, "off": False}
"""`ladder = "on"` is short for `ladder.on = true`, and so for every table that has such a key."""


def read_toml(path: Path) -> dict[str, Any]:
    """Return the TOML document at `path`.

    Raises SettingsError: no such file, not UTF-8, not TOML (with line and column).
    """
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); expected a TOML file") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: byte {error.start + 1} is not UTF-8; expected a TOML file in UTF-8") from None
    except (ValueError, RecursionError) as error:  # tomllib lets both through: an endless integer, brackets without end
        raise SettingsError(f"{path}: not TOML: {error}") from None


def assign(document: dict[str, Any], assignment: str, *, source: str = "--set ") -> str:
    """Put `KEY=VALUE`, such as `slot.patience=0.3`, into the document and return the key.

    Values are TOML's; what is no value there, a bare word or an address, is a string. Raises SettingsError.
    """
    key, equals, text = assignment.partition("=")
    *tables, name = key.strip().split(".")
    if not (equals and name and all(tables)):
        raise SettingsError(f"{source}{assignment}: expected KEY=VALUE, such as slot.patience=0.3")
    for table in tables:
        document[table] = unfolded(document.get(table, {}))
        document = document[table]
        if not isinstance(document, dict):
            raise SettingsError(f"{source}{key}: unknown key; {table} is a value, no table")
    value = _toml_value(f"{source}{key}", text.strip())
    switched = isinstance(value, str) and value in SWITCH and isinstance(document.get(name), dict)
    document[name] = document[name] | {"on": SWITCH[value]} if switched else value
    return key.strip()


def unfolded(value: Any) -> Any:
    """Return a table that was only switched on or off as a table; anything else as it is."""
    return {"on": SWITCH[value]} if isinstance(value, str) and value in SWITCH else value


def structured(document: dict[str, Any], kind: type[T], *, wording: Wording) -> T:
    """Return the document as an instance of the attrs class `kind`; raises SettingsError with all that is wrong."""
    told = partial(_worded, document=document, wording=wording)
    try:
        return _CONVERTER.structure(document, kind)
    except ClassValidationError as errors:
        lines = [line for error, path in _leaves(errors, ()) for line in told(error, path)]
    raise SettingsError("\n".join(wording.source + line for line in lines))


def _toml_value(key: str, text: str) -> Any:
    try:
        values = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        if text.startswith(('"', "'", "[", "{")):
            raise SettingsError(f"{key}: {shown(text)} is no TOML value") from None
        return text
    return values["value"] if len(values) == 1 else text


# --- what cattrs does, with our own words for what is wrong ---


def _exactly(kind: type, expected: str) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _type: Any) -> Any:
        if type(value) is not kind:
            raise WrongValue(repr(value), expected)
        return value

    return structure


def _number(value: Any, _type: Any) -> float:
    try:
        number = float(value) if type(value) in (int, float) else math.inf
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise WrongValue(repr(value), "expected a number, and a finite one" if value == number else "expected a number")
    return number


def _choice(value: Any, kind: Any) -> Any:
    choices = get_args(kind)
    choice = str(value) if type(value) is int else value  # a code, such as "1008", is easily written without quotes
    if not isinstance(choice, str) or choice not in choices:
        raise WrongValue(repr(value), "expected " + " or ".join(map(shown, choices)))
    return choice


def _strings(value: Any, _type: Any) -> tuple[str, ...]:
    if type(value) not in (list, tuple) or not all(type(each) is str for each in value):
        raise WrongValue(repr(value), 'expected an array of strings, such as ["a", "b"]')
    return tuple(value)


def _field(attribute: attrs.Attribute[Any], converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    """Check one field by its type and its validator: attrs alone would stop at the first wrong one."""

    def structure(value: Any, kind: Any) -> Any:
        result = converter.structure(value, kind)
        if attribute.validator is not None:
            try:
                attribute.validator(None, attribute, result)
            except WrongValue:
                raise
            except ValueError as error:
                raise WrongValue(f"{attribute.name} = {value!r}", _expected(error, attribute.name)) from None
        return result

    return structure


def _expected(error: ValueError, name: str) -> str:
    """Return what one of attrs' own validators expects: its message without the name and the value."""
    message, *details = error.args
    if len(details) == 3:  # attrs.validators.in_: the attribute, the options, the value
        return "expected " + " or ".join(map(shown, details[1]))
    return str(message).removeprefix(f"'{name}' ").rpartition(": ")[0]


def _section(cls: type, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    fields = {field.name: field_override(struct_hook=_field(field, converter)) for field in attrs.fields(cls)}
    structure_section: Callable[[Any, Any], Any] = make_dict_structure_fn(
        cls,
        converter,
        _cattrs_forbid_extra_keys=True,
        _cattrs_detailed_validation=True,
        **fields,  # type: ignore[arg-type]  # cattrs types its keyword options and the fields' as one
    )

    table = _exactly(dict, 'expected "on", "off" or a table' if "on" in fields else "expected a table")

    def structure(value: Any, kind: Any) -> Any:
        return structure_section(table(unfolded(value) if "on" in fields else value, kind), kind)

    return structure


def _tables(value: Any, kind: Any, *, converter: cattrs.Converter) -> dict[str, Any]:
    """Structure a table of anything (`dict[str, Any]`, left as it is) or of tables of one class, under any names."""
    named: dict[str, Any] = _exactly(dict, "expected a table")(value, kind)
    _, each = get_args(kind)
    if each is Any:
        return named
    found, wrong = {}, []
    for name, table in named.items():
        try:
            found[name] = converter.structure(table, each)
        except Exception as error:
            error.add_note(AttributeValidationNote("", name, each))
            wrong.append(error)
    if wrong:
        raise ClassValidationError("", wrong, dict)
    return found


def _array(value: Any, kind: Any, *, converter: cattrs.Converter) -> tuple[Any, ...]:
    """Structure an array of tables of one class; an array with anything else in it says so for each."""
    if type(value) not in (list, tuple):
        raise WrongValue(repr(value), "expected an array of tables")
    found, wrong = [], []
    for index, table in enumerate(value):
        try:
            found.append(converter.structure(table, get_args(kind)[0]))
        except Exception as error:
            error.add_note(IterableValidationNote("", index, get_args(kind)[0]))
            wrong.append(error)
    if wrong:
        raise IterableValidationError("", wrong, tuple)
    return tuple(found)


def _origin_is(origin: Any) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) is origin


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    converter.register_structure_hook_factory(attrs.has, _section)
    converter.register_structure_hook_func(_origin_is(Literal), _choice)
    converter.register_structure_hook_func(_origin_is(tuple), partial(_array, converter=converter))
    converter.register_structure_hook_func(lambda kind: kind == tuple[str, ...], _strings)
    converter.register_structure_hook_func(_origin_is(dict), partial(_tables, converter=converter))
    converter.register_structure_hook(bool, _exactly(bool, "expected true or false"))
    converter.register_structure_hook(int, _exactly(int, "expected an integer"))
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(str, _exactly(str, "expected a string (in quotes)"))
    return converter


_CONVERTER = _make_converter()


Place = tuple[str | int, ...]
"""Where a value lies in a document: the names of tables, and the places in arrays of tables."""


def _leaves(error: Exception, path: Place) -> Iterator[tuple[Exception, Place]]:
    if isinstance(error, ClassValidationError):
        noted, others = error.group_exceptions()
        for inner, note in noted:
            yield from _leaves(inner, (*path, note.name))
        yield from ((inner, path) for inner in others)
    elif isinstance(error, IterableValidationError):
        for inner, place in error.group_exceptions()[0]:
            yield from _leaves(inner, (*path, place.index))
    else:
        yield error, path


def _worded(error: Exception, path: Place, *, document: dict[str, Any], wording: Wording) -> Iterator[str]:
    name = dotted(("", *path))
    section = dotted(("", *(each for each in path if isinstance(each, str))))
    if isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields):
            yield unknown(section, key, keys=wording.keys).replace(section, name, 1)
    elif isinstance(error, KeyError):
        yield f"{name}: is missing"
    elif not isinstance(error, WrongValue):
        raise error
    elif section in wording.never_shown:
        yield f"{name}: {error.expected}"
    else:
        value: Any = document
        for each in path:
            value = value[each]
        yield f"{name} = {shown(value)}: {error.expected}"

"""What a setting may be: validators with messages that say what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urlsplit

import attrs

Check = Callable[[Any, "attrs.Attribute[Any]", Any], None]
_LIKELY_SECRET = 20
"""Letters from which on one word is taken for a secret: those of secrets.token_urlsafe have 22 and more as a rule."""

_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_NO_UUID = "00000000-0000-0000-0000-000000000000"


class WrongValue(ValueError):
    """A setting can't have the value it was given; `expected` says what would be right, without the value."""

    def __init__(self, setting: str, expected: str) -> None:
        super().__init__(f"{setting}: {expected}")
        self.expected = expected


_LANGUAGES = "auto en hi mr kn ta bn gu te ml pa or es de fr it nl sv pt ru el fi no pl ar zh id ja ko ms tr vi"
LANGUAGES = tuple(_LANGUAGES.split(" "))
"""What the provider speaks (published), and "auto"."""


def between(low: float, high: float) -> Check:
    """Require a number from `low` to `high`."""

    def check(_instance: Any, attribute: attrs.Attribute[Any], value: float) -> None:  # attrs' signature
        if not low <= value <= high:
            raise WrongValue(f"{attribute.name} = {value!r}", f"must lie between {low:g} and {high:g}")

    return check


def address_of_host(_instance: Any, attribute: attrs.Attribute[Any], value: str) -> None:  # attrs' signature
    """Require the scheme and host of a WebSocket server."""
    try:
        parts = urlsplit(value)
        right = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket or a port that is none
        right = False
    right = right and not any(letter.isspace() for letter in value)
    if not right or value != SplitResult(parts.scheme, parts.netloc, "", "", "").geturl() or "@" in value:
        raise WrongValue(f"{attribute.name} = {value!r}", 'expected "wss://" or "ws://" and a host, without a path')


def environment_name(_instance: Any, attribute: attrs.Attribute[Any], value: str) -> None:  # attrs' signature
    """Require the name of an environment variable, not a key."""
    if not re.fullmatch(r"(?!sk_)[A-Za-z_][A-Za-z0-9_]*", value):  # keys begin with sk_; the message must not show one
        raise WrongValue(attribute.name, "expected the name of an environment variable, not the key itself")


def file_name(_instance: Any, attribute: attrs.Attribute[Any], value: str) -> None:  # attrs' signature
    """Require the name of a file, not a key."""
    if "sk_" in value or value.startswith("Bearer ") or "\0" in value:
        raise WrongValue(attribute.name, "expected the name of a file, not the key itself")


def secret_name(_instance: Any, attribute: attrs.Attribute[Any], value: str) -> None:  # attrs' signature
    """Require nothing or the name of an environment variable; a long one without `_`, or in both cases, is likelier a
    secret itself."""
    named = re.fullmatch(r"(?!sk_)[A-Za-z_][A-Za-z0-9_]*", value)
    likely = len(value) >= _LIKELY_SECRET and ("_" not in value or value not in (value.upper(), value.lower()))
    if value and (likely or not named):
        raise WrongValue(attribute.name, "expected the name of an environment variable, not the secret itself")


def secret_file(_instance: Any, attribute: attrs.Attribute[Any], value: str) -> None:  # attrs' signature
    """Require nothing or the name of a file; one long word without a dot or a slash is likelier a secret itself."""
    likely = len(value) >= _LIKELY_SECRET and re.fullmatch(r"[A-Za-z0-9+=_-]+", value)
    if "\0" in value or "sk_" in value or likely:
        expected = 'expected the name of a file, not the secret itself; a long name needs its directory, such as "./"'
        raise WrongValue(attribute.name, expected)


def by_uuid(_instance: Any, attribute: attrs.Attribute[Any], value: dict[str, str]) -> None:  # attrs' signature
    """Require a table whose keys are UUIDs or the beginning of one."""
    for key in value:
        if not key or not _UUID.fullmatch(key + _NO_UUID[len(key) :]):
            expected = f'expected UUIDs or beginnings of one as keys, such as "{_NO_UUID[:11]}"'
            raise WrongValue(f"{attribute.name}.{key}", expected)


def path_on_port(_instance: Any, attribute: attrs.Attribute[Any], value: str) -> None:  # attrs' signature
    """Require nothing or the path of a URL as it is written there, such as /twilio."""
    if value and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value):
        raise WrongValue(
            f"{attribute.name} = {value!r}", 'expected a path such as "/twilio", of letters, digits, . _ ~ -'
        )


def public_address(_instance: Any, attribute: attrs.Attribute[Any], value: str) -> None:  # attrs' signature
    """Require nothing or scheme and host of a web address, with a path if need be."""
    if value and not _is_address(value, "http", "https"):
        expected = 'expected "https://" and a host, such as https://bots.example.com, without a "/" at its end'
        raise WrongValue(f"{attribute.name} = {value!r}", expected)


def media_address(_instance: Any, attribute: attrs.Attribute[Any], value: str) -> None:  # attrs' signature
    """Require nothing or the address of a WebSocket server, with a path if need be."""
    if value and not _is_address(value, "ws", "wss"):
        expected = 'expected "ws://" and a host, such as ws://127.0.0.1:8088/media, without a "/" at its end'
        raise WrongValue(f"{attribute.name} = {value!r}", expected)


def _is_address(value: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(value)
        right = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket or a port that is none
        return False
    right = right and not any(letter.isspace() for letter in value) and "@" not in value
    return right and not (parts.query or parts.fragment or value.endswith("/"))


def one_of(*values: int) -> Check:
    """Require one of some numbers."""

    def check(_instance: Any, attribute: attrs.Attribute[Any], value: int) -> None:  # attrs' signature
        if value not in values:
            raise WrongValue(f"{attribute.name} = {value!r}", f"expected {' or '.join(map(str, values))}")

    return check


def one_word(_instance: Any, attribute: attrs.Attribute[Any], value: str) -> None:  # attrs' signature
    """Require a name without spaces."""
    if not value or value != "".join(value.split()):
        raise WrongValue(f"{attribute.name} = {value!r}", "expected a name without spaces")


def language(_instance: Any, attribute: attrs.Attribute[Any], value: str) -> None:  # attrs' signature
    """Require one of the provider's languages, or "auto"."""
    if value not in LANGUAGES:
        raise WrongValue(f"{attribute.name} = {value!r}", f"expected one of {', '.join(LANGUAGES)}")


def by_language(_instance: Any, attribute: attrs.Attribute[Any], value: dict[str, Any]) -> None:  # attrs' signature
    """Require a table of texts, none of them empty, whose keys are languages."""
    for key, texts in value.items():
        if key not in LANGUAGES:
            raise WrongValue(f"{attribute.name}.{key}", f"expected languages as keys: {', '.join(LANGUAGES)}")
        if not all(text.strip() for text in texts):
            raise WrongValue(f"{attribute.name}.{key} = {list(texts)!r}", "expected texts with something to say")


def each_in(*names: str) -> Check:
    """Require that every item is one of `names`, none of them twice."""

    def check(_instance: Any, attribute: attrs.Attribute[Any], value: tuple[str, ...]) -> None:  # attrs' signature
        if len(set(value)) < len(value) or not set(value) <= set(names):
            raise WrongValue(f"{attribute.name} = {list(value)!r}", f"expected some of {', '.join(names)}, each once")

    return check

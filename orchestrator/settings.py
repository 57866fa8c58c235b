"""Every setting with its default, its unit and what it may be; reading them from a file is settings_file.py's."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

import attrs
from attrs import Factory, field, frozen

Check = Callable[[Any, "attrs.Attribute[Any]", Any], None]


class WrongValue(ValueError):
    """A setting can't have the value it was given; `expected` says what would be right, without the value."""

    def __init__(self, setting: str, expected: str) -> None:
        super().__init__(f"{setting}: {expected}")
        self.expected = expected


_LANGUAGES = "auto en hi mr kn ta bn gu te ml pa or es de fr it nl sv pt ru el fi no pl ar zh id ja ko ms tr vi"
LANGUAGES = tuple(_LANGUAGES.split(" "))
"""What the provider speaks (published), and "auto"."""


def _between(low: float, high: float) -> Check:
    def check(_instance: Any, attribute: attrs.Attribute[Any], value: float) -> None:  # attrs' signature
        if not low <= value <= high:
            raise WrongValue(f"{attribute.name} = {value!r}", f"must lie between {low:g} and {high:g}")

    return check


def _address(_instance: Any, attribute: attrs.Attribute[Any], value: str) -> None:  # attrs' signature
    try:
        parts = urlsplit(value)
        right = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket or a port that is none
        right = False
    right = right and not any(letter.isspace() for letter in value)
    if not right or value != SplitResult(parts.scheme, parts.netloc, "", "", "").geturl() or "@" in value:
        raise WrongValue(f"{attribute.name} = {value!r}", 'expected "wss://" or "ws://" and a host, without a path')


def _environment_name(_instance: Any, attribute: attrs.Attribute[Any], value: str) -> None:  # attrs' signature
    if not re.fullmatch(r"(?!sk_)[A-Za-z_][A-Za-z0-9_]*", value):  # keys begin with sk_; the message must not show one
        raise WrongValue(attribute.name, "expected the name of an environment variable, not the key itself")


def _file_name(_instance: Any, attribute: attrs.Attribute[Any], value: str) -> None:  # attrs' signature
    if "sk_" in value or value.startswith("Bearer ") or "\0" in value:
        raise WrongValue(attribute.name, "expected the name of a file, not the key itself")


def _name(_instance: Any, attribute: attrs.Attribute[Any], value: str) -> None:  # attrs' signature
    if not value or value != "".join(value.split()):
        raise WrongValue(f"{attribute.name} = {value!r}", "expected a name without spaces")


def _language(_instance: Any, attribute: attrs.Attribute[Any], value: str) -> None:  # attrs' signature
    if value not in LANGUAGES:
        raise WrongValue(f"{attribute.name} = {value!r}", f"expected one of {', '.join(LANGUAGES)}")


@frozen(kw_only=True)
class ProviderSettings:
    """The speech provider and what the account allows: `[provider]`."""

    address: str = field(default="wss://api.smallest.ai", validator=_address)
    """Scheme and host, without a path (`api` chooses that)."""
    api: Literal["unified", "per_model"] = "unified"
    """The current endpoint for all models, or the older one with the model in its path."""
    key_env: str = field(default="WAVES_API_KEY", validator=_environment_name)
    """The environment variable that holds the account's key."""
    key_file: str = field(default="", validator=_file_name)
    """A file that holds the key instead (first line)."""
    model: str = field(default="lightning_v3.1", validator=_name)
    voice: str = field(default="avery", validator=_name)
    language: str = field(default="en", validator=_language)
    """One of the provider's languages, or "auto"."""
    speed: float = field(default=1.0, validator=_between(0.5, 2.0))
    slots: int = field(default=1, validator=_between(1, 1000))
    """Requests at a time, of the whole account."""
    links: int = field(default=5, validator=_between(2, 5000))
    """WebSockets at a time, of the whole account (published: 5 a slot)."""
    link_reuse: Literal["auto", "never"] = "auto"
    """Use a socket again after its `complete`: find out, or never."""
    link_idle: float = field(default=45.0, validator=_between(1, 3600))
    """Seconds after which an idle link is replaced (the provider closes at 60)."""
    connect_within: float = field(default=4.0, validator=_between(0.1, 60))
    """Seconds a WebSocket may take to open."""
    settle: float = field(default=0.1, validator=_between(0.001, 10))
    """Seconds the provider still counts a request after its link is gone."""
    backoff: float = field(default=0.5, validator=_between(0.001, 10))
    """Seconds to wait after a refusal for concurrency, at most (the jitter is full)."""
    overdue: float = field(default=2.0, validator=_between(0.1, 60))
    """Seconds past the predicted end after which a request without a terminal frame is given up with its link."""
    word_timestamps: bool = True
    """Ask when each word sounds: the heard position is exact where the voice can tell."""


@frozen(kw_only=True)
class SlotSettings:
    """Who is next: `[slot]`."""

    patience: float = field(default=0.2, validator=_between(0, 10))
    """Seconds a first piece may wait before it is late."""
    bound: float = field(default=2.0, validator=_between(0, 60))
    """Seconds of slot by which a waiting call may fall behind before it goes first."""


@frozen(kw_only=True)
class SpeechSettings:
    """Pieces and joins: `[speech]`."""

    look_ahead: float = field(default=6.0, validator=_between(1, 60))
    """Seconds of a reply that are synthesised before they are heard, at most."""
    piece_characters: int = field(default=250, validator=_between(40, 2000))
    """Characters of one request, at most (published advice: 250)."""
    least_characters: int = field(default=12, validator=_between(1, 100))
    """Characters of a piece, at least; a whole sentence may be shorter."""
    characters_per_second: float = field(default=15.0, validator=_between(1, 100))
    """Speaking rate until it is learned."""
    pause_before: float = field(default=0.02, validator=_between(0, 1))
    """Silence that is left before a piece, in seconds."""
    pause_comma: float = field(default=0.12, validator=_between(0, 2))
    """Silence that is left after a piece that ends inside a sentence, at most."""
    pause_sentence: float = field(default=0.3, validator=_between(0, 2))
    """Silence that is left after a piece that ends a sentence, at most."""
    join: bool = True
    """Later pieces may hold several sentences."""
    split: bool = True
    """Pieces may end inside a sentence."""
    tries: int = field(default=4, validator=_between(1, 20))
    """How often a piece is asked for before the reply is given up."""


@frozen(kw_only=True)
class DialogueSettings:
    """Turns, and how long a bot may take: `[dialogue]`."""

    first_text_within: float = field(default=8.0, validator=_between(0.1, 300))
    """Seconds until a bot's first text."""
    text_within: float = field(default=10.0, validator=_between(0.1, 300))
    """Seconds between two texts of a reply."""
    silence_after: float = field(default=0.0, validator=_between(0, 3600))
    """Seconds without a word from either side after which `on_silence` is asked; 0: never."""
    apology: str = "I am sorry, something went wrong on my side. Could you say that again?"
    """What the caller hears when the bot fails."""
    failures: int = field(default=3, validator=_between(1, 100))
    """Failures of the bot in a row after which the call is ended."""


@frozen(kw_only=True)
class BotSettings:
    """Which bot answers: `[bot]`."""

    use: str = "echo"
    """`package.module:Class`, or a name from the entry-point group `talkingstick.bots`."""
    options: dict[str, Any] = Factory(dict)
    """Keyword arguments for its constructor."""
    weight: float = field(default=1.0, validator=_between(0.01, 100))
    """Its calls' share of the slot when calls compete, beside others' 1.0."""


@frozen(kw_only=True)
class LogSettings:
    """Logs, one JSON object a line on standard error: `[log]`."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    blocked_after: float = field(default=0.1, validator=_between(0.01, 60))
    """Seconds for which one task may keep the loop before it is named with its stack."""


@frozen(kw_only=True)
class Settings:
    """Everything, by section."""

    provider: ProviderSettings = ProviderSettings()
    slot: SlotSettings = SlotSettings()
    speech: SpeechSettings = SpeechSettings()
    dialogue: DialogueSettings = DialogueSettings()
    bot: BotSettings = BotSettings()
    log: LogSettings = LogSettings()

"""Says in plain words what a configuration means, for `talkingstick check`; reading one is settings_file.py's."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from orchestrator.errors import SettingsError
from orchestrator.settings import ProviderSettings, Settings
from orchestrator.settings_file import read_key

SENTENCES = (
    "Speech comes from {provider.address}, {provider.api} endpoint.",
    "Its model is {provider.model}, voice {provider.voice}, language {provider.language}, speed {provider.speed}.",
    "The account allows {provider.slots} request(s) at a time over at most {provider.links} WebSockets.",
    "A WebSocket is used again after a piece: {provider.link_reuse}; an idle one is replaced after "
    "{provider.link_idle} s.",
    "A WebSocket may take {provider.connect_within} s to open.",
    "A request counts for {provider.settle} s after its WebSocket is gone, and a refusal means a wait of "
    "up to {provider.backoff} s.",
    "A request is given up {provider.overdue} s after it should have ended.",
    "Word times are asked of the provider: {provider.word_timestamps}.",
    "A first piece may wait {slot.patience} s for the slot before it is late.",
    "A waiting call may fall {slot.bound} s of slot behind the others before it goes first.",
    "At most {speech.look_ahead} s of a reply are made before they are heard.",
    "A request holds {speech.least_characters} to {speech.piece_characters} characters, tried {speech.tries} times.",
    "Later pieces may hold several sentences: {speech.join}; pieces may end inside a sentence: {speech.split}.",
    "A voice speaks {speech.characters_per_second} characters a second until its speed is learned.",
    "Silence at joins: {speech.pause_before} s before a piece; after it at most {speech.pause_comma} s inside a "
    "sentence, {speech.pause_sentence} s at its end.",
    "A bot has {dialogue.first_text_within} s until its first text, then {dialogue.text_within} s between texts.",
    "on_silence is asked after {dialogue.silence_after} s without a word (0: never).",
    "When a bot fails, the caller hears: {dialogue.apology}",
    "After {dialogue.failures} failures in a row the call is ended.",
    "The bot is {bot.use}; its calls weigh {bot.weight} when calls compete; options set: {bot.options}.",
    "Logs begin at level {log.level}; a task that keeps the loop for {log.blocked_after} s is named.",
)
"""What each setting means; every setting but the two about the key is in one of these, and a test says so."""


def describe(settings: Settings) -> str:
    """Return what `settings` mean, one sentence a line; a line that differs from the defaults is marked with `*`.

    The key is never shown, only where it comes from and whether it is there; nor are values of the bot's options.
    """
    values = dict(_flat(settings))
    lines = [_sentence(sentence, values) for sentence in SENTENCES]
    lines.insert(2, _key_line(settings))
    return "\n".join([*lines, *_notes(settings)])


def _flat(settings: Settings) -> Iterator[tuple[str, Any]]:
    for name, section in attrs.asdict(settings, recurse=False).items():
        for key, value in attrs.asdict(section, recurse=False).items():
            yield f"{name}.{key}", value


DEFAULTS: Mapping[str, Any] = dict(_flat(Settings()))
"""The default of every setting, by its key."""


def keys_in(sentence: str) -> list[str]:
    """Return the settings that `sentence` tells about."""
    return [name for _, name, _, _ in string.Formatter().parse(sentence) if name]


def _sentence(sentence: str, values: Mapping[str, Any]) -> str:
    keys = keys_in(sentence)
    changed = [key for key in keys if values[key] != DEFAULTS[key]]
    for key in keys:
        sentence = sentence.replace(f"{{{key}}}", _worded(values[key]))
    if not changed:
        return f"  {sentence}"
    return f"* {sentence}  [" + ", ".join(f"{key}, default {_worded(DEFAULTS[key])}" for key in changed) + "]"


def _worded(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def key_source(provider: ProviderSettings) -> str:
    """Return where the account's key comes from: the name of a variable or of a file."""
    return f"file {provider.key_file}" if provider.key_file else provider.key_env


def _key_line(settings: Settings) -> str:
    provider, default = settings.provider, Settings().provider
    mark = "*" if (provider.key_file, provider.key_env) != (default.key_file, default.key_env) else " "
    try:
        read_key(provider)
    except SettingsError:
        return f"{mark} key: from {key_source(provider)} (missing)"
    return f"{mark} key: from {key_source(provider)} (set)"


def _notes(settings: Settings) -> Iterator[str]:
    provider = settings.provider
    if provider.links < provider.slots + 1:
        yield f"! {provider.links} WebSockets are too few to keep {provider.slots} requests going and one link spare."
    if settings.speech.least_characters > settings.speech.piece_characters:
        yield "! speech.least_characters is above speech.piece_characters: pieces are cut at the latter."

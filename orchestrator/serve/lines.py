"""The lines on which calls come in, as they are served: each with its secret, its bots and its codec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attrs import field, frozen

from orchestrator.adapters.telephony.markup import answer
from orchestrator.adapters.telephony.rest import control_of, why_no_control
from orchestrator.adapters.telephony.signatures import telnyx_public_key
from orchestrator.dialogue.bot_loading import LoadedBot, load_bot
from orchestrator.errors import BotLoadError, SettingsError
from orchestrator.port.routes import AUDIO_ECHO, SIGNED, Choice, bot_for, bots_of, mistakes, path_of
from orchestrator.ports import StreamTarget
from orchestrator.ports.carriers import CarrierControl
from orchestrator.settings import BotSettings, LineSettings, Settings
from orchestrator.settings_file import read_api_key, read_secret
from orchestrator.settings_words import guess


@frozen(kw_only=True, eq=False)
class PhoneLine:
    """One line. Its `bots` are loaded, by what the routes choose them by; a bot that only echoes is None there."""

    settings: LineSettings
    default: BotSettings
    secret: str = field(repr=False)
    bots: Mapping[tuple[str, str], LoadedBot | None]
    control: CarrierControl | None = None
    """Ends and hands over calls by the carrier's REST API."""

    @property
    def echoes(self) -> bool:
        """Whether every call is only sent back what it says."""
        return not any(self.bots.values())

    def bot(self, *, called: str = "", call: str = "") -> LoadedBot | None:
        """Return who answers a call: to a number, or with AudioSocket's UUID as its id; None: the echo."""
        return self.bots[bot_for(self.settings, self.default, called=called, call=call).key]


def open_lines(settings: Settings) -> tuple[PhoneLine, ...]:
    """Return the lines of the settings, every bot loaded. Raises SettingsError with all that is wrong, a line each."""
    problems = mistakes(settings.serve)
    loaded: dict[tuple[str, str], LoadedBot | None] = {}
    lines = []
    for index, line in enumerate(settings.serve.lines):
        where = f"serve.lines[{index}]"
        secret = _tried(partial(read_secret, line, where), problems) or ""
        key = _tried(partial(read_api_key, line, where), problems)
        if key is not None and _wants_control(line) and (reason := why_no_control(line, key)):
            problems.append(f"{where}: {reason}")
        webhook = f"{settings.serve.public_url}{path_of(line)}" if settings.serve.public_url else ""
        token = "" if line.carrier in SIGNED else secret
        # Without a secret anybody may name any call: none may be ended or handed over with our key.
        control = control_of(line, key or "", webhook=webhook, token=token) if secret else None
        bots = {}
        choices = bots_of(line, settings.bot)
        if len(choices) > 1 and any(choice.name == AUDIO_ECHO for choice in choices):
            problems.append(f"{where}: {AUDIO_ECHO!r} answers all calls of a line or none; give it a line of its own")
        for choice in choices:
            if choice.key not in loaded:
                usual = choice == Choice(settings.bot.use, settings.bot.options)
                loaded[choice.key] = _tried(partial(_load, choice, "" if usual else f"{where}: "), problems)
            bots[choice.key] = loaded[choice.key]
        if line.carrier == "telnyx" and secret:
            _tried(partial(telnyx_public_key, secret), problems)
        _tried(partial(answer, line, StreamTarget(url="wss://a/b")), problems)  # is `hand_over` XML?
        lines.append(PhoneLine(settings=line, default=settings.bot, secret=secret, bots=bots, control=control))
    if problems:
        raise SettingsError("\n".join(dict.fromkeys(problems)))  # a file may be read for two settings
    return tuple(lines)


def _wants_control(line: LineSettings) -> bool:
    """Whether something is set that only the carrier's REST API needs."""
    return bool(line.key_env or line.key_file or (line.account and line.carrier in ("twilio", "plivo")))


def _load(choice: Choice, where: str) -> LoadedBot | None:
    if choice.name == AUDIO_ECHO:
        return None
    try:
        return load_bot(choice.name, choice.options)
    except BotLoadError as error:
        meant = None if ":" in choice.name else guess(choice.name, {AUDIO_ECHO: AUDIO_ECHO})
        raise SettingsError(f"{where}{error}" + (f"; did you mean {meant}?" if meant else "")) from error


def _tried(step: Callable[[], Any], problems: list[str]) -> Any:
    """Return what a step gives; None where it says what is wrong, which is noted."""
    try:
        return step()
    except SettingsError as error:
        problems.append(str(error))
        return None

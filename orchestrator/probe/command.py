"""`talkingstick probe`: asks an account what it allows and how fast it is, and prints it as settings to paste."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

import attrs

from orchestrator.adapters.voices.waves import WavesCodec
from orchestrator.commands_probe import ProbeOptions
from orchestrator.errors import FaultKind, ProviderFault, SettingsError
from orchestrator.ports import Dial
from orchestrator.probe.experiments import WITHIN, probe
from orchestrator.probe.findings import Findings
from orchestrator.probe.plan import Budget
from orchestrator.probe.wording import Report
from orchestrator.redaction import redacted
from orchestrator.settings import ProviderSettings, WrongValue
from orchestrator.settings_file import load_settings, read_key
from orchestrator.settings_meaning import key_source
from orchestrator.slot.capacity_file import load_capacity
from orchestrator.speech.dialling import dial

REACHABLE_WITHIN = 4.0
"""Seconds that the provider has to accept a WebSocket: with its start the program is to give up within five."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NO_KEY = "none"
_ACCOUNT = ("address", "api", "key_env", "key_file", "model", "voice", "language")
"""Options that are settings of the provider."""


async def run(*, options: ProbeOptions) -> int:
    """Probe, print what was found, and return 0, or 1 where the probe was broken off.

    Raises SettingsError for wrong options or settings and where there is no key, ProviderFault where the provider can't
    be reached, refuses the key or serves no request at all.
    """
    settings = settings_of(options)
    key = key_of(settings, os.environ, tell=_tell)
    codec = WavesCodec(settings, key)
    try:
        report = await report_on(
            partial(dial, within=REACHABLE_WITHIN), codec, most_slots=options.most_slots, tell=_tell
        )
    except ProviderFault as fault:
        hint = f" (key: from {key_source(settings)})" if fault.kind is FaultKind.FINAL else ""
        raise ProviderFault(fault.kind, fault.message + hint) from fault
    print(report.as_json() if options.json else report.as_toml())
    return 1 if report.seen.given_up else 0


async def report_on(dial: Dial, codec: WavesCodec, *, most_slots: int, tell: Callable[[str], None]) -> Report:
    """Probe the account that `codec` is for, and return what was found; raises ProviderFault as `run` does."""
    settings, table, budget = codec.settings, load_capacity(), Budget.of(most_slots)
    tell(
        f"{settings.address}, voice {settings.voice}: at most {budget.requests} requests, refused ones among them, of "
        f"{budget.characters} characters in all, mostly half of that, {budget.links} WebSockets at a time, {WITHIN:g} s"
    )
    seen = await probe(dial, codec, settings=settings, most_slots=most_slots, tell=tell)
    return Report(seen=seen, findings=Findings.of(seen), settings=settings, table=table)


def settings_of(options: ProbeOptions) -> ProviderSettings:
    """Return the settings to probe with: those of the configuration, and over them the options. Raises SettingsError.

    Word times are asked for in any case.
    """
    settings = load_settings(options.config).provider if options.config else ProviderSettings()
    given = {name: value for name in _ACCOUNT if (value := getattr(options, name)) is not None}
    if "key_env" in given:
        given.setdefault("key_file", "")  # that of the configuration
    try:
        return attrs.evolve(settings, **given, word_timestamps=True)
    except WrongValue as wrong:
        name = str(wrong).partition(":")[0].partition(" ")[0].replace("_", "-")
        raise SettingsError(f"--{name}: {wrong.expected}") from None


def key_of(settings: ProviderSettings, environment: Mapping[str, str], *, tell: Callable[[str], None]) -> str:
    """Return the account's key; a simulated provider on this machine needs none. Raises SettingsError."""
    local = urlsplit(settings.address).hostname in _LOOPBACK
    if local and not settings.key_file and not environment.get(settings.key_env):
        tell(f"there is no key in {settings.key_env}: on this machine it goes without")
        return _NO_KEY
    return read_key(settings, environment)


def _tell(line: str) -> None:
    print(f"probe: {redacted(line)}", file=sys.stderr, flush=True)

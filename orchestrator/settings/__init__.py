"""Every setting with its default, its unit and what it may be; reading them from a file is settings_file.py's."""

from __future__ import annotations

from typing import Literal

from attrs import Factory, field, frozen

from orchestrator.settings.calls import AdmissionSettings, BotSettings, DialogueSettings
from orchestrator.settings.checks import LANGUAGES, WrongValue, between
from orchestrator.settings.lipsync import LipsyncSettings
from orchestrator.settings.provider import ProviderSettings
from orchestrator.settings.serve import CARRIERS, HearingSettings, LineSettings, RecordingSettings, ServeSettings
from orchestrator.settings.speech import RUNGS, CacheSettings, LadderSettings, SlotSettings, SpeechSettings

__all__ = [
    "CARRIERS",
    "LANGUAGES",
    "RUNGS",
    "AdmissionSettings",
    "BotSettings",
    "CacheSettings",
    "DialogueSettings",
    "HearingSettings",
    "LadderSettings",
    "LineSettings",
    "LipsyncSettings",
    "LogSettings",
    "ProviderSettings",
    "RecordingSettings",
    "ServeSettings",
    "Settings",
    "SlotSettings",
    "SpeechSettings",
    "WrongValue",
]


@frozen(kw_only=True)
class LogSettings:
    """Logs, one JSON object a line on standard error: `[log]`."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    blocked_after: float = field(default=0.1, validator=between(0.01, 60))
    """Seconds for which one task may keep the loop before it is named with its stack."""


@frozen(kw_only=True)
class Settings:
    """Everything, by section."""

    provider: ProviderSettings = Factory(ProviderSettings)
    slot: SlotSettings = Factory(SlotSettings)
    speech: SpeechSettings = Factory(SpeechSettings)
    ladder: LadderSettings = Factory(LadderSettings)
    cache: CacheSettings = Factory(CacheSettings)
    dialogue: DialogueSettings = Factory(DialogueSettings)
    admission: AdmissionSettings = Factory(AdmissionSettings)
    bot: BotSettings = Factory(BotSettings)
    log: LogSettings = Factory(LogSettings)
    serve: ServeSettings = Factory(ServeSettings)
    lipsync: LipsyncSettings = Factory(LipsyncSettings)

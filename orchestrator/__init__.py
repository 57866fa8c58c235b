"""talkingstick: many phone conversations share one text-to-speech slot. These are the public names.

A bot needs the first few; the others are for programs that bring their own calls.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from orchestrator.dialogue.bot import Bot, Heard, Say, Talk, Turn
from orchestrator.errors import LegClosed
from orchestrator.ports import CallFacts, Digits, HungUp, Leg, MarkPlayed, SpeechStarted, UserTurn
from orchestrator.settings import Settings

if TYPE_CHECKING:
    from orchestrator.embedding import open_orchestrator
    from orchestrator.settings_file import load_settings

__all__ = [
    "Bot",
    "CallFacts",
    "Digits",
    "Heard",
    "HungUp",
    "Leg",
    "LegClosed",
    "MarkPlayed",
    "Say",
    "Settings",
    "SpeechStarted",
    "Talk",
    "Turn",
    "UserTurn",
    "load_settings",
    "open_orchestrator",
]

_WHEN_ASKED_FOR = {"load_settings": "orchestrator.settings_file", "open_orchestrator": "orchestrator.embedding"}
"""Names of modules that take longer to import (cattrs, numpy, the wiring) than a bot, or a command's help, can wait."""


def __getattr__(name: str) -> Any:
    if name not in _WHEN_ASKED_FOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_WHEN_ASKED_FOR[name]), name)

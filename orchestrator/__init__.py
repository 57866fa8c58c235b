"""talkingstick: many phone conversations share one text-to-speech slot. These are the public names.

A bot needs the first few; the others are for programs that bring their own calls. Each is imported when it is asked
for: a command imports this first, and until __main__.py runs nobody catches its Ctrl-C.
"""

from __future__ import annotations

TYPE_CHECKING = False  # to type checkers it is typing's, which takes a while to import
if TYPE_CHECKING:
    from orchestrator.dialogue.bot import Bot, Heard, Say, Talk, Turn, Video, VideoReply
    from orchestrator.embedding import open_orchestrator
    from orchestrator.errors import LegClosed
    from orchestrator.ports import CallFacts, Digits, HungUp, Leg, MarkPlayed, SpeechStarted, UserTurn
    from orchestrator.settings import Settings
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
    "Video",
    "VideoReply",
    "load_settings",
    "open_orchestrator",
]

_PLACES = {
    "dialogue.bot": ("Bot", "Heard", "Say", "Talk", "Turn", "Video", "VideoReply"),
    "embedding": ("open_orchestrator",),
    "errors": ("LegClosed",),
    "ports": ("CallFacts", "Digits", "HungUp", "Leg", "MarkPlayed", "SpeechStarted", "UserTurn"),
    "settings": ("Settings",),
    "settings_file": ("load_settings",),
}
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _PLACE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_PLACE_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__

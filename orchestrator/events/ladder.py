"""Events of what a caller hears while a reply must wait, and of the phrases that are kept for it."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from orchestrator.events.base import Event, ReplyEvent


@frozen(kw_only=True)
class RungTaken(ReplyEvent):
    """The reply stepped onto `rung`: "cache", "filler", "noise", "brief", "local_voice" or "apology"."""

    level: ClassVar[str] = "info"
    rung: str


@frozen(kw_only=True)
class RungWords(ReplyEvent):
    """Words of a rung that are no part of the reply (a filler's, those in the noise) begin to sound, for `seconds`."""

    rung: str
    seconds: float


@frozen(kw_only=True)
class LocalVoiceSpoke(ReplyEvent):
    """`characters` of the reply from `start` on are spoken by the voice `name` of this machine, for `seconds`."""

    name: str
    start: int
    characters: int
    seconds: float


@frozen(kw_only=True)
class PhraseStored(Event):
    """A phrase is in the cache from now on: `characters` long, `seconds` of sound."""

    voice: str
    language: str
    characters: int
    seconds: float


@frozen(kw_only=True)
class PhraseFailed(Event):
    """A phrase could not be made, kept or read; what wanted it goes on without."""

    level: ClassVar[str] = "warning"
    error: str

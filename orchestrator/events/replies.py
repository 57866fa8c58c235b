"""Events of one reply: from the bot being asked to the last word heard."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from orchestrator.events.base import CallEvent, GapCause, Outcome, ReplyEvent


@frozen(kw_only=True)
class ReplyStarted(ReplyEvent):
    """The bot was asked; `hook` names which of its hooks; `after_turn` is the caller's turn it answers."""

    hook: str
    after_turn: int | None


@frozen(kw_only=True)
class ReplyReady(ReplyEvent):
    """The bot's text holds its first complete clause: from here on the caller's wait is ours to answer for."""


@frozen(kw_only=True)
class FirstAudioPlayed(ReplyEvent):
    """The caller hears the reply's own first audio."""


@frozen(kw_only=True)
class FirstWordHeard(ReplyEvent):
    """The first word of any voice (a filler's, too) since the caller fell silent."""


@frozen(kw_only=True)
class PiecesJoined(ReplyEvent):
    """The sound passed from one piece to the next with `gap` seconds of silence that nobody meant (0 if none)."""

    gap: float
    cause: GapCause | None


@frozen(kw_only=True)
class Gapped(ReplyEvent):
    """The playout ran dry inside a reply for `seconds`, wherever that was (at a join or inside a piece)."""

    level: ClassVar[str] = "info"
    seconds: float
    cause: GapCause


@frozen(kw_only=True)
class ReplyHeld(ReplyEvent):
    """The caller made a sound: playback stopped, the reply is still alive."""


@frozen(kw_only=True)
class ReplyResumed(ReplyEvent):
    """The hold ended without an interruption."""


@frozen(kw_only=True)
class BargedIn(ReplyEvent):
    """The caller interrupted: the rest of the reply is cut."""

    level: ClassVar[str] = "info"


@frozen(kw_only=True)
class LegCleared(CallEvent):
    """What the leg still held was thrown away: no sound of the reply may follow."""


@frozen(kw_only=True)
class ReplyEnded(ReplyEvent):
    """The reply is over; `heard + cut + unspoken == characters`, and the same for words."""

    level: ClassVar[str] = "info"
    outcome: Outcome
    characters: int
    heard: int
    cut: int
    unspoken: int
    words: int
    words_heard: int
    words_cut: int
    words_unspoken: int

"""What happened, as frozen values: emitted once where it happens, read by logs, metrics, reports and invariants.

Events carry lengths and ids, never texts (those go to the transcript alone). `at` is in seconds of the run's clock
(zero when the run began), `call` the id of the call. Every other time is a length in seconds unless it says otherwise.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar

import attrs
from attrs import frozen


class CallState(Enum):
    """What a call is doing, as the live table shows it."""

    LISTENING = "listening"
    THINKING = "thinking"
    WAITING = "waiting"
    SPEAKING = "speaking"
    HELD = "held"
    ENDED = "ended"


class GapCause(Enum):
    """Why the playout ran dry inside a reply."""

    SLOT = "slot"
    PROVIDER = "provider"
    TEXT = "text"


class Outcome(Enum):
    """How a reply ended."""

    HEARD = "heard"
    CUT = "cut"
    UNSPOKEN = "unspoken"
    EMPTY = "empty"


@frozen(kw_only=True)
class Event:
    """Anything that happened. `level` is the log level at which it is worth a line."""

    level: ClassVar[str] = "debug"
    at: float


@frozen(kw_only=True)
class CallEvent(Event):
    """Something that happened in one call."""

    call: str


# --- the run ---


@frozen(kw_only=True)
class RunStarted(Event):
    """The run began; `wall` is the one wall-clock stamp (ISO 8601, UTC), the rest is what was asked for."""

    level: ClassVar[str] = "info"
    wall: str
    seed: int | None
    calls: int
    profile: str | None


@frozen(kw_only=True)
class RunEnded(Event):
    """The run ended: `reason` is "finished" or "interrupted"."""

    level: ClassVar[str] = "info"
    reason: str


@frozen(kw_only=True)
class LoopLag(Event):
    """A sleep of the loop ended this much late: what every task of the process felt just then."""

    seconds: float


@frozen(kw_only=True)
class TaskBlocked(Event):
    """One task kept the loop for itself for too long; `call` and `bot` are None where no bot was running."""

    level: ClassVar[str] = "warning"
    seconds: float
    task: str
    call: str | None
    bot: str | None
    stack: str


# --- a call ---


@frozen(kw_only=True)
class CallStarted(CallEvent):
    """A leg was answered and its bot made."""

    level: ClassVar[str] = "info"
    bot: str
    leg: str
    group: str | None = None


@frozen(kw_only=True)
class CallEnded(CallEvent):
    """The call is over, everything of it closed; `reason` is "caller", "bot", "run" or "failure"."""

    level: ClassVar[str] = "info"
    reason: str
    seconds: float


@frozen(kw_only=True)
class CallFailed(CallEvent):
    """The call could not go on; no other call felt it."""

    level: ClassVar[str] = "error"
    error: str
    traceback: str


@frozen(kw_only=True)
class CallStateChanged(CallEvent):
    """The call entered `state`."""

    state: CallState


@frozen(kw_only=True)
class BotFailed(CallEvent):
    """A bot raised, yielded the wrong thing or took too long in `hook`; the caller heard an apology."""

    level: ClassVar[str] = "error"
    bot: str
    hook: str
    error: str
    traceback: str


@frozen(kw_only=True)
class CallerSpeechStarted(CallEvent):
    """The caller began to make a sound."""


@frozen(kw_only=True)
class CallerTurnEnded(CallEvent):
    """The caller's turn is over; `spoke` seconds long, `characters` of text."""

    level: ClassVar[str] = "info"
    turn: int
    spoke: float
    characters: int


@frozen(kw_only=True)
class CallerDigits(CallEvent):
    """The caller pressed this many keys (the keys themselves may be secret)."""

    count: int


@frozen(kw_only=True)
class CallerHungUp(CallEvent):
    """The caller ended the call."""

    level: ClassVar[str] = "info"


# --- a reply ---


@frozen(kw_only=True)
class ReplyEvent(CallEvent):
    """Something that happened to one reply of a call (numbered from 1 within the call)."""

    reply: int


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


# --- the slot ---


@frozen(kw_only=True)
class TicketJoined(ReplyEvent):
    """The reply asked for the slot; `need_by` is on the run's clock; `first` says if it is the reply's first piece."""

    ticket: int
    need_by: float
    first: bool


@frozen(kw_only=True)
class TicketLeft(ReplyEvent):
    """The reply gave its place up without a grant."""

    ticket: int
    first: bool
    waited: float


@frozen(kw_only=True)
class SlotGranted(ReplyEvent):
    """The ticket got the slot after `waited` seconds in the queue; `wait` is grant minus ready, first pieces only."""

    ticket: int
    first: bool
    waited: float
    wait: float | None
    account: float


@frozen(kw_only=True)
class SlotFreed(CallEvent):
    """The slot came back after `held` seconds; `cause` is "complete", "unused", "settled", "refused" or "failed"."""

    ticket: int
    held: float
    cause: str


@frozen(kw_only=True)
class PieceAsked(ReplyEvent):
    """A piece went out on `link`; `breaks_sentence` says that it ends inside a sentence."""

    piece: int
    ticket: int
    link: int
    characters: int
    start: int
    first: bool
    breaks_sentence: bool


@frozen(kw_only=True)
class PieceAudio(ReplyEvent):
    """The piece's first audio arrived."""

    piece: int
    after: float


@frozen(kw_only=True)
class PieceEnded(ReplyEvent):
    """The piece is over; `cause` is "complete", "cut" or the fault's kind; `audio` is what arrived, untrimmed."""

    piece: int
    cause: str
    audio: float
    seconds: float


# --- links ---


@frozen(kw_only=True)
class LinkOpened(Event):
    """A WebSocket to the provider is open."""

    link: int
    after: float


@frozen(kw_only=True)
class LinkClosed(Event):
    """A WebSocket to the provider is gone, its close complete."""

    link: int
    reason: str


@frozen(kw_only=True)
class LinkFailed(Event):
    """A WebSocket to the provider could not be opened."""

    level: ClassVar[str] = "warning"
    kind: str
    error: str


@frozen(kw_only=True)
class LinkReuseLearned(Event):
    """The provider closes (`reusable` False) or keeps (True) a socket after its `complete`."""

    level: ClassVar[str] = "info"
    reusable: bool


@frozen(kw_only=True)
class ProviderRefused(Event):
    """The provider refused or failed a request or a socket."""

    level: ClassVar[str] = "warning"
    kind: str
    error: str
    call: str | None = None


def to_json(event: Event) -> dict[str, Any]:
    """Return the event as one JSON object: its name under "event", times rounded to the microsecond."""
    body: dict[str, Any] = {"at": round(event.at, 6), "event": type(event).__name__}
    for field in attrs.fields(type(event)):
        if field.name != "at":
            body[field.name] = _plain(getattr(event, field.name))
    return body


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return round(value, 6) if isinstance(value, float) else value

"""Events of the slot and of the pieces that hold it."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from orchestrator.events.base import CallEvent, Event, ReplyEvent


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
    """The ticket got the slot after `waited` seconds in the queue; `wait` is grant minus ready, first pieces only.

    `account` is the call's, in seconds of slot by weight, before this grant is charged.
    """

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


@frozen(kw_only=True)
class BackedOff(Event):
    """The account was refused, the `in_a_row`th time: nobody asks for `seconds`. `kind` is a FaultKind's value."""

    level: ClassVar[str] = "info"
    kind: str
    seconds: float
    in_a_row: int

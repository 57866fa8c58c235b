"""What crosses between a carrier's wire and a leg: what its messages mean, and the codec that translates them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Protocol

from attrs import Factory, frozen

from orchestrator.ports.telephony import CallFacts

WireMessage = str | bytes
"""One WebSocket message, text or binary; for a byte stream, bytes that belong together: they are sent in one go."""


@frozen
class Answered:
    """The wire told who calls. From now on sound may go out; the codec's `rate` holds."""

    facts: CallFacts


@frozen
class Media:
    """Sound of the caller: mono PCM at the codec's `rate`, of any length. `at` is the carrier's media timestamp in
    seconds, None where it has none."""

    pcm: bytes
    at: float | None = None


@frozen
class Key:
    """The caller pressed one key: 0-9, *, #, A-D."""

    digit: str


@frozen
class MarkBack:
    """A mark came back. Whether its sound was heard or thrown away by a clear is for the leg to know; `cleared` says
    that the carrier told it."""

    name: str
    cleared: bool = False


@frozen
class Emptied:
    """The carrier says that its buffer is empty, or was cleared."""


@frozen
class Congested:
    """The carrier wants no more sound for now (`full`), or takes it again."""

    full: bool


@frozen
class Complaint:
    """The carrier says that something is wrong; the call goes on."""

    text: str


@frozen
class Ended:
    """The carrier ended the stream, and why as far as it told."""

    reason: str = ""


CarrierEvent = Answered | Media | Key | MarkBack | Emptied | Congested | Complaint | Ended


class MarksAfterClear(Enum):
    """What a carrier does with marks that are outstanding when it is told to clear its buffer."""

    RETURNED = "returned"
    DROPPED = "dropped"
    UNKNOWN = "unknown"


class CarrierCodec(Protocol):
    """One call's wire format, one object a call: messages in, events out, and back; pure.

    `rate` is the PCM rate of both directions in samples a second (a guess before Answered). `subprotocols` are the
    WebSocket subprotocols to accept, in order of preference. `marks_after_clear` and `most_marks` (outstanding ones
    that the carrier keeps) tell the leg what to expect; `keeps` is how many seconds of sound `media` may keep back, so
    that the end of a spurt must be filled up in time (`fill`). Whatever comes, `receive` raises nothing but
    CarrierFault.
    """

    name: str
    rate: int
    subprotocols: Sequence[str]
    marks_after_clear: MarksAfterClear
    most_marks: int

    @property
    def keeps(self) -> float:
        """Seconds of sound that may be kept back for want of a whole frame or message (holds from Answered on)."""

    def receive(self, message: WireMessage) -> Sequence[CarrierEvent]:
        """Return what a message means, in order; nothing for one that means nothing. Raises CarrierFault."""

    def media(self, pcm: bytes) -> Sequence[WireMessage]:
        """Return the messages that carry sound; what fills no whole frame is kept for the next call."""

    def fill(self) -> Sequence[WireMessage]:
        """Return what carries the kept rest, filled up with silence; nothing where nothing is kept."""

    def mark(self, name: str) -> Sequence[WireMessage]:
        """Return the messages that ask for MarkBack(name): letters, digits, _ and - only, at most 40."""

    def clear(self) -> Sequence[WireMessage]:
        """Return the messages that empty the carrier's buffer; a kept rest is thrown away with it."""

    def hang_up(self) -> Sequence[WireMessage]:
        """Return the messages that end the call; nothing where closing the connection or only the REST API does."""

    def transfer(self, to: str) -> Sequence[WireMessage] | None:
        """Return the messages that hand the caller over; None where the wire can't."""


class CarrierControl(Protocol):
    """What a carrier does by its REST API for a call, named by its facts. Each raises CarrierFault."""

    async def hang_up(self, facts: CallFacts) -> None:
        """End the call; harmless where it is over."""

    async def transfer(self, facts: CallFacts, to: str) -> None:
        """Hand the caller over to a number or address."""

    async def dial(self, to: str, *, caller: str, answer_url: str, parameters: Mapping[str, str]) -> str:
        """Call a number; return the carrier's id of the call. When it is answered the carrier asks `answer_url`."""


@frozen(kw_only=True)
class StreamTarget:
    """Where a carrier is to bring a call's stream: `url` (wss), and what it is to hand over as custom parameters."""

    url: str
    parameters: Mapping[str, str] = Factory(dict)

"""What a probe saw of an account, as values: requests, WebSockets, rounds; what it means is findings.py's."""

from __future__ import annotations

from enum import Enum

from attrs import Factory, define, frozen

from orchestrator.audio import seconds_of
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Complete, Failed, Sound, VoiceFrame, WordTime


@define(kw_only=True, eq=False)
class Asked:
    """One request and what came of it. Times are of the probe's clock; `sound` and `first` are seconds of sound, of all
    and of the first chunk."""

    id: str
    characters: int
    rate: int
    at: float
    heard_at: float
    sound: float = 0.0
    first: float = 0.0
    sound_at: float | None = None
    last_sound_at: float = 0.0
    words: int = 0
    complete_at: float | None = None
    fault: ProviderFault | None = None

    def take(self, frame: VoiceFrame, *, now: float) -> None:
        """Note a frame of it that came `now`."""
        self.heard_at = now
        match frame:
            case Sound(pcm=pcm):
                seconds = seconds_of(pcm, self.rate)
                if self.sound_at is None:
                    self.sound_at, self.first = now, seconds
                self.sound += seconds
                self.last_sound_at = now
            case WordTime():
                self.words += 1
            case Complete():
                self.complete_at = now
            case Failed(fault=fault) if not self.over:
                self.fault = fault

    @property
    def served(self) -> bool:
        """Whether sound came: its request was let in."""
        return self.sound_at is not None

    @property
    def over(self) -> bool:
        """Whether nothing is to come any more."""
        return self.complete_at is not None or self.fault is not None

    @property
    def answered(self) -> bool:
        """Whether anything came."""
        return self.served or self.over

    @property
    def ttfb(self) -> float | None:
        """Seconds from the request to its first sound."""
        return None if self.sound_at is None else self.sound_at - self.at

    @property
    def sounded_for(self) -> float:
        """Seconds from the first sound to the last."""
        return 0.0 if self.sound_at is None else self.last_sound_at - self.sound_at

    @property
    def after_first(self) -> float:
        """Seconds of sound that came in them: all but the first chunk."""
        return self.sound - self.first

    @property
    def trail(self) -> float | None:
        """Seconds from the last sound to `complete`; None where either is missing."""
        return None if self.complete_at is None or not self.served else self.complete_at - self.last_sound_at


@frozen
class Try:
    """A request that was asked `after` seconds after WebSockets were closed in the middle of theirs."""

    after: float
    served: bool


@frozen(kw_only=True)
class Round:
    """Requests that were started one beside the other until one was refused; then all were cut.

    `held` were served at a time; `refusal` is what the next was told, "" where none was refused, and `limited` what
    refused the WebSocket for it. `overlapped` says that all of them still went on by then. `ends` is when
    the first of them would have ended by itself, in seconds after the cut; `tries` is what was asked from the cut on
    until one was served.
    """

    held: int
    refusal: str
    limited: str = ""
    overlapped: bool
    ends: float
    tries: tuple[Try, ...]


@frozen(kw_only=True)
class Links:
    """WebSockets that were opened side by side: so many were `open` when the next was refused ("" where none was)."""

    open: int
    refusal: str


class Hold(Enum):
    """Whether something that says nothing holds a slot."""

    HELD = "held"
    FREE = "free"
    UNSURE = "unsure"


@frozen
class Look:
    """What another request showed that was asked beside one that says nothing; `reason` says why that is unsure.

    `refusals`: how often it was refused.
    """

    hold: Hold
    reason: str = ""
    refusals: int = 0


@define(kw_only=True, eq=False)
class Seen:
    """All that a probe saw."""

    most_slots: int
    seconds: float = 0.0
    asked: list[Asked] = Factory(list)
    """Every request."""
    alone: list[Asked] = Factory(list)
    """Requests that had the account for themselves, as far as we are concerned, and were served."""
    refused_alone: int = 0
    """How often a request was refused while nothing of ours was in flight: somebody else uses the account."""
    after_complete: list[str] = Factory(list)
    """What became of a WebSocket within a second of a `complete`: how it was closed, "" where it stayed open."""
    rounds: list[Round] = Factory(list)
    links: Links | None = None
    backoff: list[Look] = Factory(list)
    context: list[Look] = Factory(list)
    opened: int = 0
    """WebSockets, in all."""
    refused_links: list[ProviderFault] = Factory(list)
    given_up: str = ""
    """Why the probe was broken off."""
    given_up_kind: FaultKind | None = None

    @property
    def refused(self) -> list[ProviderFault]:
        """What refused requests were told."""
        return [asked.fault for asked in self.asked if asked.fault is not None and not asked.served]

    @property
    def characters(self) -> int:
        """Characters of every request, those of refused ones among them."""
        return sum(asked.characters for asked in self.asked)

    @property
    def let_in(self) -> int:
        """Requests that were served."""
        return sum(asked.served for asked in self.asked)

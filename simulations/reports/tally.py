"""Counts everything that a summary tells of one set of calls: all of a run's, a group's, or a single call.

Lengths of time are latencies.py's, slot seconds slot_use.py's; the object they come to is summary.py's.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable

from orchestrator.events import (
    BotFailed,
    CallFailed,
    Event,
    LocalVoiceSpoke,
    LoopLag,
    Outcome,
    PieceAsked,
    PieceEnded,
    ReplyEnded,
    ReplyStarted,
    RungTaken,
    SlotFreed,
)
from simulations.reports.latencies import Latencies
from simulations.reports.slot_use import SlotUse


class Tally:
    """Everything that is counted for one set of calls: all of a run's, or one group's."""

    def __init__(self) -> None:
        self.latencies = Latencies()
        self.slot = SlotUse()
        self.counts: Counter[str] = Counter()
        self.words: Counter[str] = Counter(reply=0, heard=0, cut=0, unspoken=0)
        self.rungs: Counter[str] = Counter()
        self.failed: set[str] = set()
        self.loop_lag = array("d")
        self._kinds: Counter[type[Event]] = Counter()
        self._local_seconds = 0.0
        self._provider_seconds = 0.0

    def add(self, event: Event) -> None:
        """Take in the next event."""
        self.latencies.add(event)
        self.slot.add(event)
        kind = type(event)
        self._kinds[kind] += 1
        step = _STEPS.get(kind)
        if step is not None:
            step(self, event)

    def count(self, kind: type[Event]) -> int:
        """Return how many events of this very type came."""
        return self._kinds[kind]

    @property
    def turns(self) -> int:
        """The replies that began, less those for which the bot had nothing to say."""
        return self.count(ReplyStarted) - self.counts["empty"]

    @property
    def local_voice_share(self) -> float:
        """The part of all sound of replies, in seconds, that the local voice spoke; 0 where nothing sounded."""
        sound = self._local_seconds + self._provider_seconds
        return self._local_seconds / sound if sound else 0.0

    def finish(self, at: float) -> None:
        """Close what is open when the run ends."""
        self.latencies.finish(at)
        self.slot.finish(at)

    def _ended(self, event: ReplyEnded) -> None:
        self.counts["empty"] += event.outcome is Outcome.EMPTY
        self.words.update(
            reply=event.words, heard=event.words_heard, cut=event.words_cut, unspoken=event.words_unspoken
        )

    def _asked(self, event: PieceAsked) -> None:
        self.counts["breaks"] += event.breaks_sentence

    def _piece_ended(self, event: PieceEnded) -> None:
        self._provider_seconds += event.audio

    def _spoke_locally(self, event: LocalVoiceSpoke) -> None:
        self._local_seconds += event.seconds

    def _climbed(self, event: RungTaken) -> None:
        self.rungs[event.rung] += 1

    def _freed(self, event: SlotFreed) -> None:
        # A slot comes back as settled when its link went with a request on it.
        self.counts["links_dropped"] += event.cause == "settled"

    def _failed(self, event: CallFailed | BotFailed) -> None:
        self.failed.add(event.call)

    def _lagged(self, event: LoopLag) -> None:
        self.loop_lag.append(event.seconds)


_STEPS: dict[type[Event], Callable[..., None]] = {
    ReplyEnded: Tally._ended,
    PieceAsked: Tally._asked,
    PieceEnded: Tally._piece_ended,
    LocalVoiceSpoke: Tally._spoke_locally,
    RungTaken: Tally._climbed,
    SlotFreed: Tally._freed,
    CallFailed: Tally._failed,
    BotFailed: Tally._failed,
    LoopLag: Tally._lagged,
}

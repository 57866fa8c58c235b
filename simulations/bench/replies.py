"""Measures what a reply costs from text to sound, and when its caller interrupts: finding out whether it may be cut,
and writing down what was heard of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.audio import seconds_of, silence
from orchestrator.dialogue.bot import Say
from orchestrator.dialogue.replies import Replies
from orchestrator.dialogue.transcript import Transcript
from orchestrator.ports import CallFacts
from orchestrator.settings import Settings
from orchestrator.slot.pace import Pace
from orchestrator.speech.line import Line
from simulations.bench.figures import MICROSECONDS, Figure, Tell, least_seconds
from simulations.bench.speech import ENDLESS, RATE, SHORT, clauses, growth
from simulations.line import SimulatedLeg

_ASKED = 300


def measure_speaking(tell: Tell) -> Iterator[Figure]:
    """Yield what a clause costs in a reply of a minute and in one of two hours: fed, cut, played, marked as heard."""
    costs = {}
    for count in (SHORT, ENDLESS):
        tell(f"{count} clauses")
        costs[count] = least_seconds([partial(_Spoken, clauses(count))] * _tries(count)) / count * MICROSECONDS
    yield Figure(bench="reply", name="speaking a clause", value=costs[SHORT], unit="us", limit=500)
    yield growth("reply", "speaking a clause", ratio=costs[ENDLESS] / costs[SHORT])


def measure_barge_in(tell: Tell) -> Iterator[Figure]:
    """Yield the cost of deciding and of writing down, after a minute of a reply and after two hours of one."""
    deciding, writing = {}, {}
    for count in (SHORT, ENDLESS):
        tell(f"{count} clauses")
        spoken = [_Spoken(clauses(count)) for _ in range(_tries(count))]
        deciding[count] = least_seconds([each.decide for each in spoken]) / _ASKED * MICROSECONDS
        writing[count] = least_seconds([each.end for each in spoken]) / count * MICROSECONDS
    # The caller must not hear a frame (20 ms) more than can be helped, while nine calls run.
    yield Figure(bench="barge-in", name="deciding to cut, once", value=deciding[SHORT], unit="us", limit=500)
    yield growth("barge-in", "deciding", ratio=deciding[ENDLESS] / deciding[SHORT])
    name = "cutting and noting what was heard, a clause"
    yield Figure(bench="barge-in", name=name, value=writing[SHORT], unit="us", limit=300)
    yield growth("barge-in", "noting a clause", ratio=writing[ENDLESS] / writing[SHORT])


def _tries(count: int) -> int:
    return 30 if count == SHORT else 3


class _Spoken:
    """A call whose bot has said all of `texts`, and whose caller has heard all but the last second."""

    def __init__(self, texts: list[str]) -> None:
        self._now = 0.0
        leg = SimulatedLeg(CallFacts("1"), now=self._time, emit=_nowhere)
        self._line = Line(leg, settings=Settings(), emit=_nowhere, now=self._time)
        self._replies = Replies(self._line, pace=Pace(seconds_per_character=1 / 15), transcript=Transcript())
        self._reply = self._replies.begin(hook="reply", after_turn=1)
        for text in texts:
            self._replies.take(self._reply, Say(text))
            self._speak()
        self._now -= 1.0

    def decide(self) -> None:
        """Find out whether it may be cut, as often as a caller that speaks for a while makes the program do."""
        for _ in range(_ASKED):
            assert not self._reply.protected(self._now)
            assert not self._reply.heard_out(self._now)

    def end(self) -> None:
        """Cut it, and write down what was heard."""
        self._reply.cut(self._now)
        assert self._replies.end(self._reply) is not None

    def _speak(self) -> None:
        reply, clock = self._reply, self._reply.playout.clock
        while (piece := reply.text.next_piece(reply.asked, most_characters=45)) is not None:
            reply.asked = piece.end
            reply.playout.begin(piece)
            reply.playout.add(silence(len(piece.text) / 15, RATE), lead_trimmed=0.0)
            reply.playout.end()
            while pcm := reply.playout.take(0.5):
                clock.marked(clock.written, self._now)
                reply.playout.joins_at(clock.written)
                clock.wrote(len(pcm) // 2)
                self._now += seconds_of(pcm, RATE)

    def _time(self) -> float:
        return self._now


def _nowhere(_event: object) -> None:
    pass

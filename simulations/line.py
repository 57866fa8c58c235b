"""Owns a simulated telephone line: how far its sound has got, in virtual time, and what truly sounded to the caller.

A remote leg's sound lies at the carrier's, behind a link: what is sent is under way for a while, and so are marks. What
the caller does is callers.py's. Whoever reads its events sleeps from one moment that can be observed to the
next: there are no ticks.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator

import trio
from attrs import define

from orchestrator.audio import seconds_of
from orchestrator.errors import LegClosed
from orchestrator.ports import CallFacts, Emit, LegEvent, MarkPlayed, Now
from simulations.plain_voice import call_marked
from simulations.world_events import SoundPlayed

RATE = 8000
"""PCM rate, in samples a second: that of the telephone."""
REMOTE_AHEAD = 1.5
"""Seconds of sound that a remote leg takes ahead."""
_HAIR = 1e-9
"""Seconds by which rounded times may miss each other: less is no wait, and no pause."""


@define
class _Run:
    """Sound without a pause, made for one call. Nothing goes on with it once it is `cut`."""

    began: float
    ended: float
    of: str
    cut: bool = False


class _Track:
    """What sounds on the line, run by run; of a remote leg at the carrier's, where all these times are of, too."""

    def __init__(self) -> None:
        self.due = -math.inf
        """When all that was written has sounded."""
        self._runs: deque[_Run] = deque()

    def begins(self, arrives: float) -> float:
        """When sound that arrives then will begin: at once if nothing sounds."""
        return arrives if arrives > self.due + _HAIR else self.due

    def add(self, arrives: float, *, seconds: float, of: str) -> None:
        """Take sound that arrives then."""
        began = self.begins(arrives)
        self.due = began + seconds
        last = self._runs[-1] if self._runs else None
        goes_on = last is not None and last.ended == began and not last.cut
        if last is not None and goes_on and (last.of == of or not (last.of and of)):
            last.ended, last.of = self.due, last.of or of
        else:
            self._runs.append(_Run(began, self.due, of))

    def cut(self, stops: float) -> None:
        """Nothing of what was taken sounds after that time."""
        self._runs = deque(run for run in self._runs if run.began < stops - _HAIR)
        for run in self._runs:
            run.ended, run.cut = min(run.ended, stops), True
        self.due = min(self.due, stops)

    def sounded(self, now: float) -> Iterator[_Run]:
        """Take off the runs that are over. The last is not at its end, but when nothing has followed there."""
        while self._runs and self._runs[0].ended < now - (0 if len(self._runs) > 1 else _HAIR):
            yield self._runs.popleft()

    @property
    def next_end(self) -> float:
        """When the next run will be over."""
        return self._runs[0].ended + 2 * _HAIR if self._runs else math.inf


class SimulatedLeg:
    """Our end of the line: implements ports.Leg. Takes any amount of sound at once and plays it to the sample.

    It has no task of its own: time passes on it for whoever reads `events`. `mark` says which call sound was made for;
    sound that bears no mark goes with what it follows. `link` makes the leg remote: sound, marks and clears are so many
    seconds under way, each way, and no more than 1.5 s of sound are taken ahead. What the caller does is told at once.
    """

    rate = RATE

    def __init__(
        self,
        facts: CallFacts,
        *,
        now: Now,
        emit: Emit,
        mark: Callable[[bytes], str] = call_marked,
        link: float | None = None,
    ) -> None:
        self.facts = facts
        self.latency = link or 0.0
        self.stride = 30.0 if link is None else 0.2
        self._ahead = math.inf if link is None else REMOTE_AHEAD
        self.over = trio.Event()
        self.transferred_to: str | None = None
        self._now = now
        self._emit = emit
        self._mark_of = mark
        self._track = _Track()
        self._marks: deque[tuple[float, str]] = deque()
        self._news: deque[LegEvent] = deque()
        """What was not read yet: no more than happens in a moment, for the conversation always reads."""
        self._moment = math.inf
        """When there will be more."""
        self._nap = trio.CancelScope()
        self._cleared = trio.Event()

    # --- for the conversation: ports.Leg ---

    async def write(self, pcm: bytes) -> None:
        """Take sound, however much; a remote leg waits until it has room. Raises LegClosed."""
        await trio.lowlevel.checkpoint_if_cancelled()  # what is cut must not sound
        seconds = seconds_of(pcm, self.rate)
        while not self.over.is_set() and (excess := self._too_far_ahead(seconds)) > _HAIR:
            with trio.move_on_after(excess):
                await self._cleared.wait()
            await trio.lowlevel.checkpoint_if_cancelled()
        if self.over.is_set():
            raise LegClosed(f"the line of call {self.facts.id} is closed")
        self._track.add(self._now() + self.latency, seconds=seconds, of=self._mark_of(pcm))
        self._settle()

    def mark(self, name: str) -> None:
        """Report when all that was written before has sounded."""
        self._marks.append((self._track.begins(self._now() + self.latency) + self.latency, name))
        self._settle()

    def clear(self) -> None:
        """Throw away what has not sounded: it stops now, on a remote leg when word of it is there.

        Of what it throws away a remote leg returns the marks, as some carriers do.
        """
        stops = self._now() + self.latency
        back = stops + self.latency
        self._track.cut(stops)
        self._marks = deque((min(at, back), name) for at, name in self._marks if self.latency)
        self._cleared.set()
        self._cleared = trio.Event()
        if not self.latency:
            self._tell_sounds(math.inf)
        self._settle()

    async def events(self) -> AsyncIterator[LegEvent]:
        """What the caller does, and the marks, each in its moment."""
        while self._news or not self.over.is_set():
            while self._news:
                yield self._news.popleft()
            if not self.over.is_set():
                with trio.CancelScope(deadline=trio.current_time() + (self._moment - self._now())) as self._nap:
                    await trio.sleep_forever()
                self._settle()

    async def hang_up(self) -> None:
        """End the call from our side."""
        self.end()
        await trio.lowlevel.checkpoint()

    async def transfer(self, to: str) -> None:
        """Note where the caller goes, and leave the call."""
        self.transferred_to = to
        await self.hang_up()

    # --- for the caller ---

    def tell(self, event: LegEvent) -> None:
        """Pass on what happens on the line; nothing follows once it is over."""
        if not self.over.is_set():
            self._news.append(event)
            self._nap.cancel()

    def end(self) -> None:
        """The call is over, whoever ended it."""
        if not self.over.is_set():
            self.over.set()
            self.clear()
            self._tell_sounds(math.inf)
            self._nap.cancel()

    def _too_far_ahead(self, seconds: float) -> float:
        """For how long so much more sound has to wait; not at all if none is ahead."""
        ahead = self._track.due - self._now() - self.latency
        return min(ahead, ahead + seconds - self._ahead)

    def _settle(self) -> None:
        """Tell what has come to pass, and wake up when more will have."""
        now = self._now()
        while self._marks and self._marks[0][0] <= now + _HAIR:
            at, name = self._marks.popleft()
            self.tell(MarkPlayed(name, at))
        self._tell_sounds(now)
        moment = self._marks[0][0] if self._marks else self._track.next_end
        if moment != self._moment:
            self._moment = moment
            self._nap.deadline = trio.current_time() + (moment - now)

    def _tell_sounds(self, until: float) -> None:
        for run in self._track.sounded(until):
            self._emit(SoundPlayed(at=self._now(), call=self.facts.id, began=run.began, ended=run.ended, of=run.of))

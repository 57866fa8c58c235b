"""Owns a simulated telephone line: how far its sound has got, in virtual time, and what truly sounded to the caller.

What the caller does on it is callers.py's. Whoever reads its events sleeps from one moment that can be observed to the
next: there are no ticks.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncIterator, Callable

import trio
from attrs import define

from orchestrator.audio import seconds_of
from orchestrator.errors import LegClosed
from orchestrator.ports import CallFacts, Emit, LegEvent, MarkPlayed, Now
from simulations.plain_voice import call_marked
from simulations.world_events import SoundPlayed

RATE = 8000
"""PCM rate, in samples a second: that of the telephone."""
_HAIR = 1e-9
"""Seconds by which rounded times may miss each other: less is no wait, and no pause."""


@define
class _Run:
    """Sound without a pause, made for one call."""

    began: float
    ended: float
    of: str


class SimulatedLeg:
    """Our end of the line: implements ports.Leg. Takes any amount of sound at once and plays it to the sample.

    It has no task of its own: time passes on it for whoever reads `events`. `mark` says which call sound was made for;
    sound that bears no mark goes with what it follows.
    """

    rate = RATE
    latency = 0.0
    stride = 30.0

    def __init__(self, facts: CallFacts, *, now: Now, emit: Emit, mark: Callable[[bytes], str] = call_marked) -> None:
        self.facts = facts
        self.over = trio.Event()
        self.transferred_to: str | None = None
        self._now = now
        self._emit = emit
        self._mark_of = mark
        self._due = -math.inf
        """When all that was written has sounded."""
        self._runs: deque[_Run] = deque()
        self._marks: deque[tuple[float, str]] = deque()
        self._news: deque[LegEvent] = deque()
        """What was not read yet: no more than happens in a moment, for the conversation always reads."""
        self._moment = math.inf
        """When there will be more."""
        self._nap = trio.CancelScope()

    # --- for the conversation: ports.Leg ---

    async def write(self, pcm: bytes) -> None:
        """Take sound, however much. Raises LegClosed."""
        await trio.lowlevel.checkpoint_if_cancelled()  # what is cut must not sound
        if self.over.is_set():
            raise LegClosed(f"the line of call {self.facts.id} is closed")
        now = self._now()
        begins = self._end_of_sound(now)
        self._due = begins + seconds_of(pcm, self.rate)
        self._add(_Run(begins, self._due, self._mark_of(pcm)))
        self._settle(now)

    def mark(self, name: str) -> None:
        """Report when all that was written before has sounded."""
        now = self._now()
        self._marks.append((self._end_of_sound(now), name))
        self._settle(now)

    def clear(self) -> None:
        """Throw away what has not sounded; the sound stops now."""
        now = self._now()
        for run in self._runs:
            if run.began < now - _HAIR:
                self._tell_sound(run, ended=min(run.ended, now))
        self._runs.clear()
        self._marks.clear()
        self._due = min(self._due, now)
        self._settle(now)

    async def events(self) -> AsyncIterator[LegEvent]:
        """What the caller does, and the marks, each in its moment."""
        while self._news or not self.over.is_set():
            while self._news:
                yield self._news.popleft()
            if not self.over.is_set():
                with trio.CancelScope(deadline=trio.current_time() + (self._moment - self._now())) as self._nap:
                    await trio.sleep_forever()
                self._settle(self._now())

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
            self._nap.cancel()

    def _end_of_sound(self, now: float) -> float:
        """When sound that is written now will begin: at once if nothing sounds."""
        return now if now > self._due + _HAIR else self._due

    def _add(self, run: _Run) -> None:
        last = self._runs[-1] if self._runs else None
        if last is not None and last.ended == run.began and (last.of == run.of or not (last.of and run.of)):
            last.ended, last.of = run.ended, last.of or run.of
        else:
            self._runs.append(run)

    def _settle(self, now: float) -> None:
        """Tell what has come to pass, and wake up when more will have."""
        while self._marks and self._marks[0][0] <= now + _HAIR:
            at, name = self._marks.popleft()
            self.tell(MarkPlayed(name, at))
        # The last run is not over at its end, but when nothing has followed there.
        while self._runs and self._runs[0].ended < now - (0 if len(self._runs) > 1 else _HAIR):
            run = self._runs.popleft()
            self._tell_sound(run, ended=run.ended)
        if (moment := self._next_moment()) != self._moment:
            self._moment = moment
            self._nap.deadline = trio.current_time() + (moment - now)

    def _next_moment(self) -> float:
        """When there will be something to tell (run clock)."""
        if self._marks:
            return self._marks[0][0]
        return self._runs[0].ended + 2 * _HAIR if self._runs else math.inf

    def _tell_sound(self, run: _Run, *, ended: float) -> None:
        self._emit(SoundPlayed(at=self._now(), call=self.facts.id, began=run.began, ended=ended, of=run.of))

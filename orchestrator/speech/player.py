"""Hands a reply's sound to the leg as it comes, and says from the marks when it was heard and where it gapped."""

from __future__ import annotations

from orchestrator import events
from orchestrator.audio import FRAME_SECONDS, samples_in
from orchestrator.speech.line import Line
from orchestrator.speech.playout import PieceSound
from orchestrator.speech.reply import Phase, Reply

_MARK_WITHIN = 2.0
"""Seconds past its time within which the last mark comes back, or is given up: a leg may lose one."""


_END = "end"
"""Behind the position of a reply's last mark: no sound of it follows."""


class Player:
    """Plays one reply at a time on the call's leg."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._reply: Reply | None = None
        self._marked = 0
        """How many samples of the reply lay before the last mark."""
        self._begun = False
        """Whether the reply's own sound has begun."""
        self._dry_since: float | None = None
        """Since when it gaps, while what sounds is a rung's."""
        self._told: PieceSound | None = None
        """The last words of a rung that were told of."""

    async def play(self, reply: Reply) -> None:
        """Play until all of the reply that will ever come was heard. Cancel it to cut, then clear the leg."""
        self._reply = reply
        self._begun, self._dry_since, self._told = False, None, None
        while True:
            if pcm := reply.playout.take(self._line.leg.stride):
                await self._write(reply, pcm)
            elif reply.pieces_done:
                break
            else:
                await reply.wait_changed()
        await self._wait_heard(reply)

    def marked(self, name: str, at: float) -> None:
        """A mark came back from the leg; those of earlier replies, and after a cut, mean nothing any more."""
        number, _, position = name.partition(":")
        if self._reply is None or number != str(self._reply.number) or self._reply.phase is Phase.CUT:
            return
        if position.endswith(_END):
            self._reply.playout.clock.marked(int(position.removesuffix(_END)), at)
            self._reply.notify()
        else:
            self._heard_up_to(self._reply, int(position), at=at)

    async def _write(self, reply: Reply, pcm: bytes) -> None:
        if self._mark_due(reply):
            self._mark(reply)
        await self._line.leg.write(pcm)
        reply.playout.clock.wrote(samples_in(pcm))

    def _mark_due(self, reply: Reply) -> bool:
        """Whether a mark is needed here: after a stride, at a join, and where the sound may have run dry."""
        clock, leg = reply.playout.clock, self._line.leg
        strode = clock.written - self._marked >= leg.stride * leg.rate
        # Sound that leaves now is heard a latency later: by then all before it may be over.
        dry = clock.sounded(self._line.now() + leg.latency + FRAME_SECONDS) >= clock.written
        return strode or dry or reply.playout.joins_at(clock.written)

    def _mark(self, reply: Reply, *, end: str = "") -> None:
        self._marked = reply.playout.clock.written
        self._line.leg.mark(f"{reply.number}:{self._marked}{end}")

    async def _wait_heard(self, reply: Reply) -> None:
        clock = reply.playout.clock
        if clock.written == 0:
            return
        self._mark(reply, end=_END)
        give_up_at = self._line.now() + reply.playout.ahead(self._line.now()) + self._line.leg.latency + _MARK_WITHIN
        while clock.last_mark < clock.written and self._line.now() < give_up_at:
            await reply.wait_changed(within=give_up_at - self._line.now())

    def _heard_up_to(self, reply: Reply, position: int, *, at: float) -> None:
        clock = reply.playout.clock
        expected = clock.time_of(position)
        gap = clock.marked(position, at)
        if clock.time_of(position) != expected:  # else all is as it was known to come
            reply.notify()
        sound = reply.playout.sounding_at(position)
        if sound is not None and sound.rung:
            self._rung_sounds(reply, sound, at=at, since=at - gap)
            return
        self._line.enter(events.CallState.SPEAKING)  # after a gap, too
        if not self._begun:
            self._begun = True
            self._line.emit(events.FirstAudioPlayed(at=at, call=self._line.call, reply=reply.number))
            self._first_word(reply, at)
            return
        if self._dry_since is not None:
            gap, self._dry_since = at - self._dry_since, None
        cause = reply.blame(at - gap) if gap else None
        if cause is not None:
            self._line.emit(events.Gapped(at=at, call=self._line.call, reply=reply.number, seconds=gap, cause=cause))
        if reply.playout.joins_at(position):
            self._line.emit(events.PiecesJoined(at=at, call=self._line.call, reply=reply.number, gap=gap, cause=cause))

    def _rung_sounds(self, reply: Reply, sound: PieceSound, *, at: float, since: float) -> None:
        """What fills the wait is no part of the reply: the gap goes on, if it is one."""
        if self._begun and self._dry_since is None:
            self._dry_since = since
        if sound.speaks and sound is not self._told:
            self._told = sound
            self._line.enter(events.CallState.SPEAKING)
            seconds = sound.samples / reply.playout.clock.rate
            self._line.emit(
                events.RungWords(at=at, call=self._line.call, reply=reply.number, rung=sound.rung, seconds=seconds)
            )
            self._first_word(reply, at)

    def _first_word(self, reply: Reply, at: float) -> None:
        if self._line.caller_waits:
            self._line.caller_waits = False
            self._line.emit(events.FirstWordHeard(at=at, call=self._line.call, reply=reply.number))

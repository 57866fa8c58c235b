"""A Trio program of your own with a telephone line of your own: what the caller hears goes into a WAV file.

Without --wav it lies in a new temporary directory; the last line says where.

    python -m simulations.embedding.own_leg [--config talkingstick.toml] [--wav heard.wav]

`Line` is what you would write for your own telephony: the six methods of orchestrator.Leg, on a clock of its own.
"""

from __future__ import annotations

import sys
import wave
from collections import deque
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import trio

from orchestrator import (
    Bot,
    CallFacts,
    HungUp,
    LegClosed,
    MarkPlayed,
    SpeechStarted,
    Talk,
    Turn,
    UserTurn,
    open_orchestrator,
)
from simulations.embedding.stage import arguments, heard_file, open_provider, run, show

RATE = 8000
FRAME = 320
"""Bytes of 20 ms."""
AHEAD = 20 * FRAME
"""What the line takes ahead of its clock: it is thrown away when the caller cuts in."""


class Bakery(Bot):
    """The bot."""

    async def opening(self, talk: Talk) -> AsyncIterator[str]:
        """Greet."""
        yield "Good morning, this is the bakery. What can I do for you?"

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
        """Answer, or say goodbye and hang up."""
        if "thank" in turn.text.lower():
            yield "You are welcome, goodbye!"
            talk.hang_up()
        else:
            yield f"You said: {turn.text} "
            yield "Let me see what is still warm. There are plain rolls, rye rolls, and a few with poppy seeds."


class Line:
    """A telephone line: implements orchestrator.Leg. `run` is its clock, `hear` gets each 20 ms that the caller hears.

    `now` is the orchestrator's clock: whatever happens on the line is stamped with it.
    """

    rate = RATE
    latency = 0.0  # a mark comes back at once, for the clock is ours
    stride = 0.2

    def __init__(self, facts: CallFacts, *, now: Callable[[], float], hear: Callable[[bytes], object]) -> None:
        self.facts = facts
        self.over = False
        self._now = now
        self._hear = hear
        self._buffer = bytearray()
        self._taken = self._sounded = 0  # bytes
        self._marks: deque[tuple[int, str]] = deque()
        self._room = trio.lowlevel.ParkingLot()
        self._turn_began = 0.0
        self._sender, self._events = trio.open_memory_channel[
            SpeechStarted | UserTurn | MarkPlayed | HungUp  # and Digits, on a line that has keys
        ](1000)

    async def write(self, pcm: bytes) -> None:
        """Take sound, when there is room for it."""
        while len(self._buffer) > AHEAD and not self.over:
            await self._room.park()
        await trio.lowlevel.checkpoint_if_cancelled()  # the caller has cut in: this must not sound any more
        if self.over:
            raise LegClosed("the line is closed")
        self._buffer += pcm
        self._taken += len(pcm)

    def mark(self, name: str) -> None:
        """Note what is to be reported when all that was taken has sounded."""
        self._marks.append((self._taken, name))
        self._report()

    def clear(self) -> None:
        """Throw away what has not sounded, and the marks in it."""
        self._taken -= len(self._buffer)
        self._buffer.clear()
        self._marks.clear()

    async def events(self) -> AsyncIterator[SpeechStarted | UserTurn | MarkPlayed | HungUp]:
        """What happens on the line, until it is closed."""
        async for event in self._events:
            yield event

    async def hang_up(self) -> None:
        """End the call."""
        self.over = True
        self._room.unpark_all()
        self._sender.close()
        await trio.lowlevel.checkpoint()

    async def transfer(self, to: str) -> None:
        """Hand the caller over: your own telephony knows how."""
        print(f"{self.facts.id} is handed over to {to}")
        await self.hang_up()

    # --- what your telephony does ---

    async def run(self) -> None:
        """Play 20 ms after 20 ms to the caller, silence where the bot says nothing."""
        due = self._now()
        while not self.over:
            frame = bytes(self._buffer[:FRAME])
            del self._buffer[:FRAME]
            self._room.unpark_all()
            self._hear(frame.ljust(FRAME, b"\0"))
            due += 0.02
            await trio.sleep(max(0.0, due - self._now()))
            self._sounded += len(frame)
            self._report()

    def begin_turn(self) -> None:
        """The caller begins to speak: a bot that is speaking falls silent."""
        self._turn_began = self._now()
        self._tell(SpeechStarted(self._turn_began))

    def end_turn(self, text: str) -> None:
        """The caller has said `text`: your speech recognition knows."""
        self._tell(UserTurn(text, self._turn_began, self._now()))

    def caller_hangs_up(self) -> None:
        """The caller has put down the receiver."""
        self._tell(HungUp(self._now()))

    def _report(self) -> None:
        while self._marks and self._marks[0][0] <= self._sounded:
            self._tell(MarkPlayed(self._marks.popleft()[1], self._now()))

    def _tell(self, event: SpeechStarted | UserTurn | MarkPlayed | HungUp) -> None:
        if not self.over:
            self._sender.send_nowait(event)


async def caller(line: Line) -> None:
    """Say two lines by the clock; the second cuts the bot short."""
    for after, text in (6.0, "Do you have rolls?"), (4.0, "That will do, thank you."):
        await trio.sleep(after)
        line.begin_turn()
        await trio.sleep(1.0)
        line.end_turn(text)
    await trio.sleep(6.0)
    line.caller_hangs_up()  # unless the bot has


async def main(config: Path | None, wav: Path) -> None:
    """Make one call."""
    async with open_provider(config) as settings, open_orchestrator(settings) as orchestrator:
        await orchestrator.wait_ready()
        print("the call begins; Ctrl-C ends it", flush=True)
        with wave.open(str(wav), "wb") as heard:
            heard.setparams((1, 2, RATE, 0, "NONE", ""))
            line = Line(CallFacts("call-1"), now=orchestrator.now, hear=heard.writeframes)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(line.run)
                nursery.start_soon(caller, line)
                record = await orchestrator.serve_leg(line, Bakery)
                nursery.cancel_scope.cancel()
        show("call-1", record.transcript.entries)
        print(f"The call took {record.seconds:.1f} s and was ended by: {record.reason}. What was heard is in {wav}.")


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--wav", type=Path, help="where what the caller hears goes; without it, a temporary directory")
    given = parser.parse_args()
    sys.exit(run(partial(main, given.config, heard_file(given.wav))))

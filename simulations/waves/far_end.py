"""The provider's end of a link without a wire: who gets a slot, what is sent and when, how the link ends.

It has no task: it does what is due whenever it is told to, by the client's end (direct.py). The pace of what it
sends is schedule.py's.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

import trio
from attrs import define

from orchestrator.adapters.voices.waves import fault_of
from orchestrator.audio import seconds_of
from orchestrator.ports import Complete, Failed, Sound, SpeechRequest, VoiceFrame, WordTime
from simulations.waves.asks import Ask
from simulations.waves.books import Refusal
from simulations.waves.desk import REFUSALS
from simulations.waves.frames import error_body
from simulations.waves.schedule import Made
from simulations.waves.server import WavesServer
from simulations.waves.socket import IDLE_MESSAGE
from simulations.waves.speech import VOICE_FAILED
from simulations.waves.synthesis import Synthesis, VoiceFailed

NEVER = float("inf")


@define(eq=False)
class _Run:
    """A request that is spoken: `next` is what is made of it at `due`; None stands for its end."""

    request: SpeechRequest
    use: int
    synthesis: Synthesis
    next: Made | None = None
    due: float = NEVER


def _due(run: _Run) -> float:
    return run.due


class _State(Enum):
    """Of the provider's end: CLOSING when it has sent its close, GONE when its socket is no longer counted."""

    OPEN = "open"
    CLOSING = "closing"
    GONE = "gone"


class FarEnd:
    """The provider's end of a link: does what is due whenever it is told to `work`.

    `asked` holds requests with the times when they reach it, `sent` frames (None: the close) with the times when they
    reach the client. It sends its close at `closes_at` and is gone when the client's has come, at `gone_at`.
    """

    def __init__(self, server: WavesServer, *, word_timestamps: bool) -> None:
        self.asked: deque[tuple[float, SpeechRequest]] = deque()
        self.sent: deque[tuple[float, VoiceFrame | None]] = deque()
        self.closes_at = self.gone_at = NEVER
        self._synthesizer = server.synthesizer
        self._options = server.options
        self._books = server.books
        self._word_timestamps = word_timestamps
        self._runs: list[_Run] = []
        self._state = _State.OPEN
        self._idle_at = trio.current_time() + server.options.idle_timeout

    @property
    def due(self) -> float:
        """When there is something to do."""
        if self._state is _State.GONE:
            return NEVER
        due = self.gone_at
        if self._state is _State.OPEN:
            due = min(due, self._idle_at)
            for run in self._runs:
                # Nobody can tell when a chunk was sent: it has time until it arrives, or all sound so far is made.
                due = min(due, run.due + self._options.transport, max(run.due, run.synthesis.ends))
            if self.asked:
                due = min(due, self.asked[0][0])
        return due

    async def work(self, now: float) -> None:
        """Do all that is due by now."""
        while self._runs and (run := min(self._runs, key=_due)).due <= now:
            await self._go_on(run)
        while self.asked and self.asked[0][0] <= now:
            begun = self._take(self.asked.popleft()[1])
            if begun is not None:
                await self._look_ahead(begun)
        if self._idle_at <= now and self._state is _State.OPEN:
            self._books.errors += 1
            self._fail(IDLE_MESSAGE.format(self._options.idle_timeout))
            self._hang_up()
        if self.gone_at <= now:
            self.go()

    def go(self) -> None:
        """The client has left, or answered the close: what it asked for is abandoned. Harmless when it is done."""
        while self.asked:
            self._take(self.asked.popleft()[1])
        self._hang_up()
        if self._state is not _State.GONE:
            self._state = _State.GONE
            self._books.close_link()

    def _take(self, request: SpeechRequest) -> _Run | None:
        """Begin to speak what a request asks for, or refuse it; blank text only keeps the link alive."""
        now, ask = trio.current_time(), _read(request, word_timestamps=self._word_timestamps)
        self._idle_at = now + self._options.idle_timeout
        if self._state is not _State.OPEN or ask.blank:
            return None
        use = self._books.take_slot(now)
        if isinstance(use, Refusal):
            self._fail(REFUSALS[use])
            return None
        run = _Run(request, use, self._synthesizer.begin(ask, ask.text, books=self._books))
        self._runs.append(run)
        return run

    async def _look_ahead(self, run: _Run) -> None:
        run.due = NEVER
        try:
            run.next = await run.synthesis.next_made()
        except VoiceFailed:
            self._end(run, settle=0.0)
            self._fail(VOICE_FAILED)
        else:
            run.due = run.synthesis.ends if run.next is None else run.next.at

    async def _go_on(self, run: _Run) -> None:
        """Send what is made of a request by now."""
        if run.next is None:
            self._complete(run)
            return
        name, made, arrives = run.request.id, run.next, run.due + self._options.transport
        self._books.audio_seconds += seconds_of(made.chunk, run.request.rate)
        self.sent.append((arrives, Sound(name, made.chunk)))
        for word in made.words:
            self.sent.append((arrives, WordTime(name, word.number, word.text, word.start, word.end)))
        await self._look_ahead(run)

    def _complete(self, run: _Run) -> None:
        self._books.completed += 1
        self._end(run, settle=0.0)
        self._send(Complete(run.request.id))
        if self._options.close_after_complete and not self._runs:
            self._hang_up()

    def _end(self, run: _Run, *, settle: float) -> None:
        run.due = NEVER
        self._runs.remove(run)
        self._books.free_slot(run.use, now=trio.current_time(), settle=settle)

    def _hang_up(self) -> None:
        """Close the link, unless it is; what is still spoken on it is abandoned."""
        for run in list(self._runs):
            self._books.abandoned += 1
            self._end(run, settle=self._options.settle)
        if self._state is _State.OPEN:
            self._state = _State.CLOSING
            self.closes_at, transport = trio.current_time(), self._options.transport
            self.gone_at = min(self.gone_at, self.closes_at + 2 * transport)
            # As `websockets` has it: the client takes a link for closed when the provider has its answer and ends it.
            self.sent.append((self.gone_at + transport, None))

    def _fail(self, message: str) -> None:
        self._send(Failed("", fault_of(error_body(message))))

    def _send(self, frame: VoiceFrame) -> None:
        self.sent.append((trio.current_time() + self._options.transport, frame))


def _read(request: SpeechRequest, *, word_timestamps: bool) -> Ask:
    return Ask(
        text=request.text,
        voice=request.voice,
        rate=request.rate,
        speed=request.speed,
        word_timestamps=word_timestamps,
        request=request.id,
    )

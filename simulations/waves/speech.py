"""Speaks one text onto a WebSocket, step by step, each step at its time; another kind of link is direct.py's.

Which text is spoken, and who has a slot for it, is decided by socket.py and lines.py.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from enum import Enum

import attrs
import trio

from orchestrator.audio import seconds_of
from simulations.waves.asks import Ask
from simulations.waves.desk import Desk
from simulations.waves.faults.catalogue import WEBSOCKET_REQUEST_FAULTS
from simulations.waves.faults.spoiling import spoiled
from simulations.waves.frames import Ids, Problem, error_frame
from simulations.waves.options import WavesOptions
from simulations.waves.steps import Binary, Close, Free, HalfClose, Hang, Raw, Send, Step, Steps
from simulations.waves.synthesis import Synthesis, VoiceFailed

VOICE_FAILED = "An unexpected error occurred."

_CLAMPED = 4.0
"""Seconds of back-off where `clamp_backoff` is set."""


class Outcome(Enum):
    """How the steps of a synthesis ended: with `complete`, with an error, or without either."""

    COMPLETE = "complete"
    FAILED = "failed"
    OPEN = "open"


def _always() -> bool:
    return True


def backoff_of(ask: Ask, options: WavesOptions) -> float:
    """Return how long `complete` waits after the last sound, in seconds."""
    return _CLAMPED if options.clamp_backoff else ask.complete_backoff


@attrs.define(kw_only=True)
class _Run:
    """One synthesis: what it sends where nothing goes wrong. `last` says whether it ends its request."""

    _ask: Ask
    _ids: Ids
    _synthesis: Synthesis
    _options: WavesOptions
    _last: Callable[[], bool]
    outcome: Outcome = attrs.field(default=Outcome.OPEN, init=False)
    """How it ends, as far as the books know."""

    async def steps(self) -> AsyncGenerator[Step, None]:
        """Yield the steps; each frame when its audio is made, on a schedule fixed beforehand, so that errors do not
        add up."""
        ids, rate = self._ids, self._ask.rate
        try:
            while (made := await self._synthesis.next_made()) is not None:
                yield Send(made.at, ids.chunk(made.chunk), "chunk", seconds_of(made.chunk, rate))
                for word in made.words:
                    yield Send(made.at, ids.word(word), "word")
        except VoiceFailed:
            self.outcome = Outcome.FAILED  # noted in the books
            now, problem = trio.current_time(), Problem(message=VOICE_FAILED, code="INTERNAL_ERROR")
            yield Free(now)
            yield Send(now, error_frame(problem, names=ids.names, shape=self._options.error_shape), "error")
            return
        ends = self._synthesis.ends
        done = ends + backoff_of(self._ask, self._options)
        yield Free(done if self._options.backoff_holds_slot and self._last() else ends)
        if self._last():
            yield Send(done, ids.complete(), "complete")


@attrs.define(kw_only=True)
class WavesSpeech:
    """The speech on one socket; several syntheses may run at a time."""

    _desk: Desk

    async def speak(
        self, ask: Ask, text: str, *, ids: Ids, free: Callable[[], None], last: Callable[[], bool] = _always
    ) -> Outcome:
        """Send the sound of `text` at the provider's pace, and how it ends.

        `free` is called when its slot is free, before whatever else is sent then: who reads that may ask again at once.
        `last` is asked when all sound was sent, and after `free`: only what ends its request has a `complete`.
        """
        provider, books = self._desk.provider, self._desk.books
        synthesis = provider.synthesizer.begin(ask, text, books=books)
        run = _Run(ask=ask, ids=ids, synthesis=synthesis, options=provider.options, last=last)
        fault = provider.faults.strike(*WEBSOCKET_REQUEST_FAULTS)
        is_part = False
        try:
            async with aclosing(run.steps()) as steps:
                if fault is None:
                    await self._perform(steps, run=run, free=free)
                else:
                    async with aclosing(spoiled(fault, steps)) as changed:
                        await self._perform(changed, run=run, free=free)
            is_part = not last()
        finally:
            synthesis.forget()
            if run.outcome is Outcome.OPEN:
                books.completed += is_part  # all of this part of a request was sent
                books.abandoned += not is_part
        return run.outcome

    async def _perform(self, steps: Steps, *, run: _Run, free: Callable[[], None]) -> None:
        """Do the steps, each at its time."""
        books, socket = self._desk.books, self._desk.socket
        reached = float("-inf")
        async for step in steps:
            if isinstance(step, Hang):
                await trio.sleep_forever()
            # A slot is never given back in the turn of the last sound: the order of tasks in one instant hangs on it.
            if step.at != reached or isinstance(step, Free):
                await trio.sleep_until(step.at)
                reached = step.at
            if isinstance(step, Send):
                if step.what == "complete" and run.outcome is Outcome.OPEN:
                    run.outcome = Outcome.COMPLETE
                    books.completed += 1
                elif step.what == "error" and run.outcome is Outcome.OPEN:
                    run.outcome = Outcome.FAILED
                    books.errors += 1
                await socket.send_message(step.text)
                books.audio_seconds += step.seconds
            elif isinstance(step, Free):
                free()
            else:
                await self._misbehave(step)

    async def _misbehave(self, step: Raw | Binary | HalfClose | Close) -> None:
        """Do what only a fault asks for."""
        desk = self._desk
        if isinstance(step, Binary):
            await desk.socket.send_message(step.data)
        elif isinstance(step, Close):
            await trio.aclose_forcefully(desk.stream)
            await trio.sleep_forever()  # until the socket has noticed
        else:
            # The socket's own lock: frames of other requests and its pongs go over this stream, too.
            async with desk.socket._stream_lock:
                if isinstance(step, Raw):
                    await desk.stream.send_all(step.data)
                elif isinstance(desk.stream, trio.abc.HalfCloseableStream):
                    await desk.stream.send_eof()

    async def complete(self, ids: Ids, *, at: float) -> None:
        """Send nothing but the end of a request, at the time `at`."""
        await trio.sleep_until(at)
        await self._desk.socket.send_message(ids.complete())

"""One client's socket at the simulated Waves provider: takes its messages and decides which get a slot and are spoken.

What a message means, when a context releases its text and how it is spoken belongs to the files beside it.
"""

from __future__ import annotations

import attrs
import trio
from trio_websocket import WebSocketConnection

from simulations.waves.asks import Ask, BadRequest, read_ask
from simulations.waves.books import Books, Refusal
from simulations.waves.contexts import Context
from simulations.waves.frames import error_frame
from simulations.waves.options import WavesOptions
from simulations.waves.speech import WavesSpeech

REFUSALS = {
    Refusal.CONCURRENCY: "Concurrency limit reached",
    Refusal.RATE: "Rate limit exceeded. Please retry after a short backoff.",
}
"""What a refused request is told; neither text is published for speech, both are of the vendor's neighbouring APIs."""
IDLE_MESSAGE = "Connection timed out after {:g} seconds of inactivity"
_CLOSE_WITHIN = 1.0
"""Seconds that the client gets to answer our close."""


@attrs.define
class _Line:
    """A continuation context on this socket, the use of the slot that is its own, and the last frame's parameters."""

    use: int
    ask: Ask
    context: Context = attrs.field(factory=Context)
    changed: trio.Event = attrs.field(factory=trio.Event)


@attrs.define(kw_only=True)
class WavesSocket:
    """One open socket. `idle` is in seconds, `per_model` says that it came by the older path."""

    _socket: WebSocketConnection
    _options: WavesOptions
    _books: Books
    _speech: WavesSpeech
    _idle: float
    _per_model: bool
    _lines: dict[str, _Line] = attrs.field(factory=dict, init=False)
    _listening: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)

    async def serve(self) -> None:
        """Serve the socket until either side ends it, and close it; raises ConnectionClosed if the client did."""
        async with trio.open_nursery() as work:
            with self._listening:
                await self._listen(work)
            work.cancel_scope.cancel()
        with trio.move_on_after(_CLOSE_WITHIN):
            await self._socket.aclose()  # code 1000: which one the provider uses is not known

    async def _listen(self, work: trio.Nursery) -> None:
        """Take message after message, until none came for too long."""
        while True:
            with trio.move_on_after(self._idle) as waiting:
                message = await self._socket.get_message()
            if waiting.cancelled_caught:
                await self._fail(IDLE_MESSAGE.format(self._idle))
                return
            try:
                await self._take(read_ask(message, per_model=self._per_model), work)
            except BadRequest as bad:
                self._books.errors += 1
                await self._socket.send_message(error_frame("Invalid input data", bad.issues))

    async def _fail(self, message: str) -> None:
        self._books.errors += 1
        await self._socket.send_message(error_frame(message))

    async def _take(self, ask: Ask, work: trio.Nursery) -> None:
        """Start what a message asks for, or refuse it. Blank text without a context only keeps the socket alive."""
        if ask.context is not None:
            await self._take_fragment(ask, name=ask.context, work=work)
        elif not ask.blank and (use := await self._take_slot()) is not None:
            work.start_soon(self._speak_once, ask, use)

    async def _take_slot(self) -> int | None:
        use = self._books.take_slot(trio.current_time())
        if isinstance(use, Refusal):
            await self._socket.send_message(error_frame(REFUSALS[use]))
            return None
        return use

    # --- a request that stands alone ---

    async def _speak_once(self, ask: Ask, use: int) -> None:
        settle = self._options.settle
        try:
            last = await self._speech.speak(ask, ask.text)
            settle = 0.0
        finally:
            self._books.free_slot(use, now=trio.current_time(), settle=settle)
        await self._socket.send_message(last.text)
        if last.complete and self._options.close_after_complete:
            self._listening.cancel()

    # --- continuation contexts ---

    async def _take_fragment(self, ask: Ask, *, name: str, work: trio.Nursery) -> None:
        line = self._lines.get(name)
        if line is None:
            if ask.blank or ask.cancel or (use := await self._take_slot()) is None:
                return
            line = self._lines[name] = _Line(use, ask)
            work.start_soon(self._speak_context, name, line)
        if not self._note_fragment(line, ask):
            await self._fail("Too much text is buffered in the context")
        line.changed.set()

    def _note_fragment(self, line: _Line, ask: Ask) -> bool:
        """Do to the context what the fragment says; False if it had no room for the text."""
        if ask.cancel:
            line.context.drop_buffered()
            return True
        if ask.voice:
            line.ask = ask
        line.context.closing = False
        fits = line.context.add(ask.text, now=trio.current_time(), delay=ask.buffer_delay)
        if ask.close or not ask.more:
            line.context.close()
        return fits

    async def _speak_context(self, name: str, line: _Line) -> None:
        """Speak what the context releases, each release a run of its own; it holds its slot until it is over."""
        settle = self._options.settle
        try:
            while not line.context.over:
                text = line.context.next_release(trio.current_time())
                if text is None:
                    await _wait_changed(line)
                    continue
                last = await self._speech.speak(line.ask, text)
                if line.context.over:  # before the frame: whoever reads it may ask again at once
                    self._hang_up(name, line, settle=0.0)
                await self._socket.send_message(last.text)
            settle = 0.0
        finally:
            self._hang_up(name, line, settle=settle)

    def _hang_up(self, name: str, line: _Line, *, settle: float) -> None:
        self._books.free_slot(line.use, now=trio.current_time(), settle=settle)
        if self._lines.get(name) is line:
            del self._lines[name]


async def _wait_changed(line: _Line) -> None:
    """Wait for a fragment, or until what is buffered is due."""
    line.changed = trio.Event()
    with trio.move_on_at(line.context.due):
        await line.changed.wait()

"""One client's socket at the simulated Waves provider: takes its messages and decides which get a slot and are spoken.

What a message means and how it is spoken belongs to the files beside it.
"""

from __future__ import annotations

from functools import partial

import attrs
import trio
from trio_websocket import WebSocketConnection

from simulations.waves.accounts import Account
from simulations.waves.asks import Ask, BadRequest, Knows, read_ask
from simulations.waves.desk import Desk
from simulations.waves.frames import WRONG_REQUEST, Problem, external_names, names_in
from simulations.waves.handshake import close_socket
from simulations.waves.known_voices import known_voices
from simulations.waves.lines import BufferLine, ContextLine
from simulations.waves.provider import Provider
from simulations.waves.speech import Outcome, WavesSpeech

IDLE_MESSAGE = "Connection timed out after {:g} seconds of inactivity"
_OLDER_MODELS = ("lightning", "lightning-large", "lightning-v2")
_MOST_CONTEXTS = 100
"""Contexts on one socket at a time, where an idle one needs no slot: each may have a long text that waits."""
_TOO_MUCH_TEXT = Problem(message="Too much text is buffered", code="INVALID_INPUT")
_TOO_MANY_CONTEXTS = Problem(message="Too many contexts are open", code="INVALID_INPUT")


@attrs.define(kw_only=True)
class WavesSocket:
    """One open socket of an account. `idle` is in seconds; `model` is what an older path names, as it names it.

    `stream` is what lies under the socket: faults put bytes there, and end it.
    """

    _socket: WebSocketConnection
    _stream: trio.abc.Stream
    _provider: Provider
    _account: Account
    _idle: float
    _model: str | None
    _knows_voice: Knows = attrs.field(init=False)
    _desk: Desk = attrs.field(init=False)
    _speech: WavesSpeech = attrs.field(init=False)
    _contexts: dict[str, ContextLine] = attrs.field(factory=dict, init=False)
    _buffered: BufferLine | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._desk = Desk(
            socket=self._socket,
            stream=self._stream,
            provider=self._provider,
            account=self._account,
            older=self._model in _OLDER_MODELS,
        )
        self._speech = WavesSpeech(desk=self._desk)
        self._knows_voice = known_voices(self._provider, self._account)

    async def serve(self) -> None:
        """Serve the socket until either side ends it, and close it; raises ConnectionClosed if the client did."""
        async with trio.open_nursery() as work:
            with self._desk.listening:
                await self._listen(work)
            work.cancel_scope.cancel()
        await close_socket(self._socket)

    async def _listen(self, work: trio.Nursery) -> None:
        """Take message after message, until none came for too long."""
        while True:
            with trio.move_on_after(self._idle) as waiting:
                message = await self._socket.get_message()
            if waiting.cancelled_caught:
                await self._desk.fail(Problem(message=IDLE_MESSAGE.format(self._idle), code="CONNECTION_TIMEOUT"))
                return
            try:
                ask = read_ask(message, per_model=self._model is not None, knows_voice=self._knows_voice)
            except BadRequest as bad:
                await self._desk.fail(WRONG_REQUEST, names=names_in(message), issues=bad.issues)
            else:
                await self._take(ask, work)

    async def _take(self, ask: Ask, work: trio.Nursery) -> None:
        """Start what a message asks for, or refuse it. Blank text without a context only keeps the socket alive."""
        if ask.context is not None:
            await self._take_fragment(ask, name=ask.context, work=work)
        elif ask.more or ask.cancel or (self._buffered is not None and not self._buffered.ended):
            await self._take_buffered(ask, work)
        elif not ask.blank:
            if (use := await self._desk.take_slot(ask)) is not None:
                self._desk.requests += 1
                work.start_soon(self._speak_once, ask, use)
        elif ask.flush and not self._desk.requests:  # a flush of nothing: clients wait for an end
            self._start_buffered(ask, work).take(ask)

    async def _refuse_text(self, ask: Ask) -> None:
        await self._desk.fail(_TOO_MUCH_TEXT, names=external_names(ask.session, ask.request))

    # --- requests without a context ---

    async def _speak_once(self, ask: Ask, use: int) -> None:
        """Speak a request that is one message."""
        desk, settle = self._desk, self._desk.options.settle
        try:
            outcome = await self._speech.speak(ask, ask.text, ids=desk.new_ids(ask), free=partial(desk.free_slot, use))
            settle = 0.0
        finally:
            desk.free_slot(use, settle=settle)
        desk.request_over(complete=outcome is Outcome.COMPLETE)

    async def _take_buffered(self, ask: Ask, work: trio.Nursery) -> None:
        """Put a message's text to the rest of its request; blank text begins none."""
        line = self._buffered
        if line is None or line.ended:
            if ask.blank or ask.cancel:
                return
            line = self._buffered = self._start_buffered(ask, work)
        if not line.take(ask):
            await self._refuse_text(ask)

    def _start_buffered(self, ask: Ask, work: trio.Nursery) -> BufferLine:
        line = BufferLine(desk=self._desk, speech=self._speech, ask=ask)
        self._desk.requests += 1
        work.start_soon(self._speak_buffered, line)
        return line

    async def _speak_buffered(self, line: BufferLine) -> None:
        self._desk.request_over(complete=await line.run())

    # --- continuation contexts ---

    async def _take_fragment(self, ask: Ask, *, name: str, work: trio.Nursery) -> None:
        line = self._contexts.get(name)
        if line is None or line.left:
            if ask.blank or ask.cancel or (line := await self._open_context(ask)) is None:
                return
            self._contexts[name] = line
            work.start_soon(partial(self._speak_context, name, line, work=work))
        if not line.take(ask):
            await self._refuse_text(ask)

    async def _open_context(self, ask: Ask) -> ContextLine | None:
        """Return a new context, with its slot where an idle one has one; None, and the client is told, if refused."""
        use = None
        if self._desk.options.idle_context_holds_slot:
            if (use := await self._desk.take_slot(ask)) is None:
                return None
        elif len(self._contexts) >= _MOST_CONTEXTS:
            await self._desk.fail(_TOO_MANY_CONTEXTS, names=external_names(ask.session, ask.request))
            return None
        return ContextLine(desk=self._desk, speech=self._speech, ask=ask, use=use)

    async def _speak_context(self, name: str, line: ContextLine, *, work: trio.Nursery) -> None:
        self._desk.contexts += 1
        await line.run(work)
        self._desk.contexts -= 1
        if self._contexts.get(name) is line:
            del self._contexts[name]

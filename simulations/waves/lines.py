"""Speaks text that comes fragment by fragment on one WebSocket, in a context or without one: who says what, and when
its slot is taken and free. When text is released is decided by contexts.py and buffer.py."""

from __future__ import annotations

from functools import partial

import attrs
import trio

from simulations.waves.asks import Ask
from simulations.waves.buffer import Buffer
from simulations.waves.contexts import Context
from simulations.waves.desk import Desk
from simulations.waves.frames import Ids
from simulations.waves.speech import Outcome, WavesSpeech, backoff_of

_NEVER = float("inf")


@attrs.define(kw_only=True, eq=False)
class Line:
    """What all text has in common that comes in fragments: the parameters of the last one, and the use of a slot."""

    _desk: Desk
    _speech: WavesSpeech
    _ask: Ask
    _use: int | None = None
    left: bool = attrs.field(default=False, init=False)
    """It is over: no fragment is for it any more."""
    _changed: trio.Event = attrs.field(factory=trio.Event, init=False)

    def _note(self, ask: Ask) -> None:
        if not ask.blank:  # the end of a text may come without what its words were to sound like
            self._ask = ask

    async def _has_slot(self) -> bool:
        """Take a slot unless there is one; False, and the client is told, where that was not possible."""
        if self._use is None:
            self._use = await self._desk.take_slot(self._ask)
        return self._use is not None

    def _free_slot(self, *, settle: float = 0.0) -> None:
        if self._use is not None:
            self._desk.free_slot(self._use, settle=settle)
            self._use = None

    def _leave(self, *, settle: float = 0.0) -> None:
        self.left = True
        self._free_slot(settle=settle)

    async def _wait_changed(self, until: float) -> None:
        """Wait for a fragment, but not beyond `until`."""
        self._changed = trio.Event()
        with trio.move_on_at(until):
            await self._changed.wait()


@attrs.define(kw_only=True, eq=False)
class ContextLine(Line):
    """A continuation context: each release is a synthesis with a `complete` of its own.

    Its slot is its own until it is over, or (`idle_context_holds_slot` off) while something is spoken.
    """

    _context: Context = attrs.field(factory=Context, init=False)
    _heard: float = attrs.field(factory=trio.current_time, init=False)

    def take(self, ask: Ask) -> bool:
        """Do to the context what the fragment says; False if it had no room for the text."""
        context, self._heard, fits = self._context, trio.current_time(), True
        if ask.cancel:
            context.drop_buffered()
        else:
            self._note(ask)
            context.closing = False
            fits = context.add(ask.text, now=self._heard, delay=ask.buffer_delay)
        if ask.close or not (ask.more or ask.cancel):
            context.close()
        self._changed.set()
        return fits

    async def run(self, work: trio.Nursery) -> None:
        """Speak what the context releases until it is over; `work` is where the ends of releases are waited for."""
        settle = self._desk.options.settle
        try:
            while (text := await self._next_text()) is not None:
                if await self._has_slot():
                    await self._speak(text, work)
            settle = 0.0
        finally:
            self._leave(settle=settle)

    async def _next_text(self) -> str | None:
        """Wait for what is released next; None when the context was closed, or without a message for too long."""
        context = self._context
        while not context.over:
            now = trio.current_time()
            text = context.next_release(now)
            if text is not None:
                return text
            idle_at = self._heard + self._desk.options.context_idle if context.due == _NEVER else _NEVER
            if idle_at <= now:
                break
            await self._wait_changed(min(context.due, idle_at))
        return None

    async def _speak(self, text: str, work: trio.Nursery) -> None:
        """Speak a release until its slot is free: the next one does not wait for this one's back-off."""
        sounded = trio.Event()
        work.start_soon(self._say, text, sounded)
        await sounded.wait()

    async def _say(self, text: str, sounded: trio.Event) -> None:
        ids = self._desk.new_ids(self._ask)
        self._desk.contexts += 1
        try:
            await self._speech.speak(self._ask, text, ids=ids, free=partial(self._sounded, sounded))
        finally:
            sounded.set()
        self._desk.contexts -= 1

    def _sounded(self, sounded: trio.Event) -> None:
        if self._context.over:
            self._leave()
        elif not self._desk.options.idle_context_holds_slot:
            self._free_slot()
        sounded.set()


@attrs.define(kw_only=True, eq=False)
class BufferLine(Line):
    """A request whose text is buffered without a context: whatever is spoken early, it has one slot from the first
    sound on, and one `complete` at the end."""

    _buffer: Buffer = attrs.field(factory=Buffer, init=False)
    _ids: Ids | None = attrs.field(default=None, init=False)
    _sounded_at: float = attrs.field(default=-_NEVER, init=False)
    _last: bool = attrs.field(default=False, init=False)
    """What was spoken just now was all."""

    def take(self, ask: Ask) -> bool:
        """Do to the buffer what the message says; False if it had no room for the text."""
        buffer, fits = self._buffer, True
        if ask.cancel:
            buffer.drop_buffered()
        else:
            self._note(ask)
            fits = buffer.add(ask.text, now=trio.current_time(), flush_after=ask.flush_after)
            if ask.flush or not ask.more:
                buffer.end()
        self._changed.set()
        return fits

    @property
    def ended(self) -> bool:
        """No text is to follow: what comes now belongs to another request."""
        return self.left or self._buffer.ended

    async def run(self) -> bool:
        """Speak what is released until the request is over; say whether that was in order."""
        settle = self._desk.options.settle
        try:
            outcome = await self._speak_all()
            if outcome is Outcome.OPEN and not self._last:
                outcome = await self._end()
            settle = 0.0
        finally:
            self._leave(settle=settle)
        return outcome is Outcome.COMPLETE

    async def _end(self) -> Outcome:
        """Complete a request of which nothing was left to say when its end came."""
        options = self._desk.options
        if not options.backoff_holds_slot:
            self._leave()
        ids = self._ids or self._desk.new_ids(self._ask)
        await self._speech.complete(ids, at=self._sounded_at + backoff_of(self._ask, options))
        return Outcome.COMPLETE

    async def _speak_all(self) -> Outcome:
        outcome = Outcome.OPEN
        while outcome is Outcome.OPEN and (text := await self._next_text()) is not None:
            if not await self._has_slot():
                return Outcome.FAILED
            self._ids = self._desk.new_ids(self._ask)
            outcome = await self._speech.speak(
                self._ask, text, ids=self._ids, free=self._sounded, last=lambda: self._buffer.over
            )
        return outcome

    async def _next_text(self) -> str | None:
        while not self._buffer.over:
            text = self._buffer.next_release(trio.current_time())
            if text is not None:
                return text
            await self._wait_changed(self._buffer.due)
        return None

    def _sounded(self) -> None:
        self._sounded_at, self._last = trio.current_time(), self._buffer.over
        if self._last:
            self._leave()

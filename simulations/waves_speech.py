"""How the simulated Waves provider speaks: one synthesis after another onto a socket, at the provider's pace.

Whether a synthesis may take place is decided before; the voice that makes the sound is an argument.
"""

from __future__ import annotations

import logging
import random

import attrs
import trio
from trio_websocket import WebSocketConnection

from orchestrator.ports import Spoken
from simulations.books import Books
from simulations.voices import Voice
from simulations.waves_contexts import break_before
from simulations.waves_frames import Ids, Part, error_frame, frames_of
from simulations.waves_options import WavesOptions
from simulations.waves_requests import Ask

_log = logging.getLogger(__name__)


@attrs.frozen
class LastFrame:
    """The frame that ends a synthesis; `complete` unless it failed."""

    text: str
    complete: bool


@attrs.define(kw_only=True)
class WavesSpeech:
    """The speech on one socket, under one session id; several syntheses may run at a time."""

    _socket: WebSocketConnection
    _options: WavesOptions
    _books: Books
    _voice: Voice
    _ids: random.Random
    _session: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._session = f"ws_{self._ids.getrandbits(64):016x}"

    async def speak(self, ask: Ask, text: str) -> LastFrame:
        """Send the sound of `text` at the provider's pace; return the frame that is to end it."""
        ids = Ids(
            session=self._session,
            request=f"task_{self._ids.getrandbits(64):016x}",
            external_session=ask.session,
            external_request=ask.request,
        )
        self._books.begin_request(text)
        ended = False
        try:
            made = await self._send_all(text, ask=ask, ids=ids)
            ended = True
        finally:
            self._books.abandoned += not ended
        if not made:
            self._books.errors += 1
            return LastFrame(error_frame("An unexpected error occurred."), complete=False)
        self._books.completed += 1
        return LastFrame(ids.complete(), complete=True)

    async def _send_all(self, text: str, *, ask: Ask, ids: Ids) -> bool:
        """Send the sound of `text` part by part, then sit the back-off out; False if the voice failed."""
        first_byte = trio.current_time() + self._options.ttfb
        begins, words = 0.0, 0
        while text:
            cut = break_before(text)
            spoken = await self._sound_of(text[:cut], ask)
            if spoken is None:
                return False
            part = Part(text[:cut], spoken, begins, words)
            await self._send_paced(part, ask=ask, ids=ids, first_byte=first_byte)
            text, begins, words = text[cut:], part.ends, words + len(spoken.words)
        await trio.sleep_until(first_byte + self._options.rtf * begins + ask.complete_backoff)
        return True

    async def _sound_of(self, text: str, ask: Ask) -> Spoken | None:
        try:
            return await self._voice(text, ask.voice, ask.rate, ask.speed)
        except Exception:
            _log.exception("the voice failed")
            return None

    async def _send_paced(self, part: Part, *, ask: Ask, ids: Ids, first_byte: float) -> None:
        """Send each frame when its audio is made, on a schedule fixed beforehand, so that errors do not add up."""
        for made in frames_of(part, ask=ask, ids=ids, chunk_seconds=self._options.chunk_ms / 1000):
            await trio.sleep_until(first_byte + self._options.rtf * made.at)
            await self._socket.send_message(made.frame)
            self._books.audio_seconds += made.seconds

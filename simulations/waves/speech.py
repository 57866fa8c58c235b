"""Sends what the simulated Waves provider speaks onto one socket, each frame at its time; another kind of link is
direct.py's."""

from __future__ import annotations

import random

import attrs
import trio
from trio_websocket import WebSocketConnection

from orchestrator.audio import seconds_of
from simulations.waves.asks import Ask
from simulations.waves.books import Books
from simulations.waves.frames import Ids, error_frame
from simulations.waves.synthesis import Synthesis, Synthesizer, VoiceFailed

VOICE_FAILED = "An unexpected error occurred."


@attrs.frozen
class LastFrame:
    """The frame that ends a synthesis; `complete` unless it failed."""

    text: str
    complete: bool


@attrs.define(kw_only=True)
class WavesSpeech:
    """The speech on one socket, under one session id; several syntheses may run at a time."""

    _socket: WebSocketConnection
    _synthesizer: Synthesizer
    _books: Books
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
        ended = False
        try:
            await self._send_paced(self._synthesizer.begin(ask, text, books=self._books), ask=ask, ids=ids)
            ended = True
        except VoiceFailed:
            ended = True
            return LastFrame(error_frame(VOICE_FAILED), complete=False)
        finally:
            self._books.abandoned += not ended
        self._books.completed += 1
        return LastFrame(ids.complete(), complete=True)

    async def _send_paced(self, synthesis: Synthesis, *, ask: Ask, ids: Ids) -> None:
        """Send each frame when its audio is made, on a schedule fixed beforehand, so that errors do not add up.

        After the last one the back-off is sat out.
        """
        while (made := await synthesis.next_made()) is not None:
            await trio.sleep_until(made.at)
            await self._socket.send_message(ids.chunk(made.chunk))
            self._books.audio_seconds += seconds_of(made.chunk, ask.rate)
            for word in made.words:
                await self._socket.send_message(ids.word(word))
        await trio.sleep_until(synthesis.ends + ask.complete_backoff)

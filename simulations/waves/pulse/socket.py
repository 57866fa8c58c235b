"""One client's session with Pulse: takes its sound and its signals, and sends what was understood.

Where an utterance ends is turns.py's, what it said a recogniser's, how that is written frames.py's.
"""

from __future__ import annotations

import json
from typing import Any

import attrs
import trio
from trio_websocket import WebSocketConnection

from orchestrator.audio import seconds_of
from simulations.waves.handshake import close_socket
from simulations.waves.pulse.frames import Final, Frames, error_frame, pong_frame, written
from simulations.waves.pulse.hearing import Hearing, Word
from simulations.waves.pulse.query import Listening
from simulations.waves.pulse.sessions import Sessions
from simulations.waves.pulse.sound import Decoder
from simulations.waves.pulse.turns import Growing, Happening, Started, Stopped, Turns, Utterance

IDLE_SECONDS = 30.0
"""Without a message. The oldest path's documents say so, and those of the neighbour for speech to speech; for Pulse
nothing is published."""
IDLE_MESSAGE = f"Connection timed out after {IDLE_SECONDS:g} seconds of inactivity"

NORMAL, NOT_TEXT, TOO_MANY = 1000, 1007, 1008
"""How sessions are closed. Published is only 1008, for one session too many."""


@attrs.define(kw_only=True)
class PulseSocket:
    """One open session. `turns` says when an interim result is due, too."""

    _socket: WebSocketConnection
    _listening: Listening
    _hearing: Hearing
    _frames: Frames
    _sessions: Sessions
    _turns: Turns
    _decoder: Decoder = attrs.field(init=False)
    _guessed: str = attrs.field(default="", init=False)
    """The last interim result of this utterance."""
    _finals: list[str] = attrs.field(factory=list, init=False)
    """For the full transcript, where it is wanted."""

    def __attrs_post_init__(self) -> None:
        self._decoder = Decoder(self._listening.encoding)

    async def serve(self) -> None:
        """Serve the session until either side ends it, and close it; raises ConnectionClosed if the client did."""
        await close_socket(self._socket, await self._listen())

    async def _listen(self) -> int:
        """Take message after message, and return with what code to close."""
        while True:
            with trio.move_on_after(IDLE_SECONDS) as waiting:
                message = await self._socket.get_message()
            if waiting.cancelled_caught:
                await self._socket.send_message(error_frame(IDLE_MESSAGE))
                return NORMAL
            if isinstance(message, bytes):
                await self._take_sound(message)
            elif (code := await self._take_signal(message)) is not None:
                return code

    async def _take_sound(self, data: bytes) -> None:
        pcm = self._decoder.decode(data)
        self._sessions.audio_seconds += seconds_of(pcm, self._listening.rate)
        for happening in self._turns.feed(pcm):
            await self._tell(happening)

    async def _take_signal(self, message: str) -> int | None:
        """Do what a text says; return the code if that is to close. Unknown ones pass: the vendor sends such, too."""
        try:
            signal = _kind(message)
        except ValueError:
            await self._socket.send_message(error_frame("Invalid message: expected binary audio or a JSON signal"))
            return NOT_TEXT
        if signal == "finalize":
            await self._finish(self._turns.flush(), from_finalize=True)
        elif signal in ("close_stream", "end"):
            await self._finish(self._turns.flush(), last=True)
            return NORMAL
        elif signal == "keepalive":
            await self._socket.send_message(pong_frame())
        return None

    async def _tell(self, happening: Happening) -> None:
        match happening:
            case Started(at) if self._listening.vad_events:
                await self._socket.send_message(self._frames.speech_started(at))
            case Stopped(at) if self._listening.vad_events:
                await self._socket.send_message(self._frames.speech_ended(at))
            case Growing():
                await self._guess(happening)
            case Utterance():
                await self._finish(happening)

    async def _guess(self, growing: Growing) -> None:
        """Send an interim result, where it says more than the last."""
        words = await self._hearing.guess(growing.pcm, self._listening.rate, language=self._listening.language)
        text = written(words, self._listening)
        if text and text != self._guessed:
            self._guessed = text
            await self._socket.send_message(self._frames.interim(words))

    async def _finish(self, utterance: Utterance | None, *, last: bool = False, from_finalize: bool = False) -> None:
        """Send the finals of an utterance; whoever asked for one gets one, though there be nothing to say."""
        self._guessed = ""
        words = [] if utterance is None else await self._understand(utterance)
        if not words and not (last or from_finalize):
            return
        pieces = _pieces(words, self._listening.max_words)
        for number, piece in enumerate(pieces, 1):
            whole = number == len(pieces)
            if self._listening.full_transcript:
                self._finals.append(written(piece, self._listening))
            final = Final(
                last=last and whole,
                from_finalize=from_finalize,
                full=" ".join(filter(None, self._finals)),
                turn_over=whole,
            )
            await self._socket.send_message(self._frames.final(piece, final))

    async def _understand(self, utterance: Utterance) -> list[Word]:
        """Return the words of an utterance, at their times in the session's sound."""
        self._sessions.utterances += 1
        words = await self._hearing.transcribe(utterance.pcm, self._listening.rate, language=self._listening.language)
        return [
            Word(word.text, word.start + utterance.start, word.end + utterance.start, word.confidence) for word in words
        ]


def _kind(message: str) -> Any:
    """Return the `type` of a signal, None where it has none. Raises ValueError for what is not JSON."""
    try:
        signal = json.loads(message)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return signal.get("type") if isinstance(signal, dict) else None


def _pieces(words: list[Word], size: int | None) -> list[list[Word]]:
    """Return the words in pieces of at most `size`; one piece, empty, where there are none."""
    if size is None or not words:
        return [words]
    return [words[start : start + size] for start in range(0, len(words), size)]

"""Takes one piece from the provider into the reply's playout, its joins trimmed; what is asked next is the mouth's."""

from __future__ import annotations

from contextlib import suppress

import trio

from orchestrator import events
from orchestrator.audio import seconds_of
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Complete, Failed, Sound, VoiceFrame, WordTime
from orchestrator.speech.chunking import Piece
from orchestrator.speech.joins import Joiner
from orchestrator.speech.line import Line
from orchestrator.speech.phrase import Phrase
from orchestrator.speech.reply import Reply


class Intake:
    """Takes one piece's frames into the reply's playout."""

    def __init__(self, line: Line, *, reply: Reply, piece: Piece, number: int) -> None:
        speech = line.settings.speech
        pause = speech.pause_sentence if piece.ends_sentence else speech.pause_comma
        self._line = line
        self._reply = reply
        self._number = number
        self._began = line.now()
        self._audio = 0.0
        self._kept = bytearray()
        self._words: list[WordTime] = []
        self._joiner = Joiner(rate=line.leg.rate, before=speech.pause_before, after=pause)
        reply.asked = piece.end
        reply.playout.begin(piece)

    async def run(self, frames: trio.MemoryReceiveChannel[VoiceFrame]) -> ProviderFault | None:
        """Take everything; return the fault if the piece did not come whole, its whole words kept."""
        cause = "cut"
        try:
            fault = await self._take(frames)
            cause = fault.kind.value if fault else "complete"
            return fault
        finally:
            now = self._line.now()
            self._line.emit(
                events.PieceEnded(
                    at=now,
                    call=self._line.call,
                    reply=self._reply.number,
                    piece=self._number,
                    cause=cause,
                    audio=self._audio,
                    seconds=now - self._began,
                )
            )

    def as_phrase(self) -> Phrase:
        """Return what came, trimmed as it is played."""
        trimmed = self._joiner.lead_trimmed
        words = tuple(
            (word.index, word.word, max(0.0, word.start - trimmed), max(0.0, word.end - trimmed))
            for word in self._words
        )
        return Phrase(pcm=bytes(self._kept), rate=self._line.leg.rate, words=words)

    async def _take(self, frames: trio.MemoryReceiveChannel[VoiceFrame]) -> ProviderFault | None:
        fault: ProviderFault | None = ProviderFault(FaultKind.RETRY, "the frames ended without a terminal one")
        async for first in frames:
            for frame in (first, *_more(frames)):
                match frame:
                    case Sound(pcm=pcm):
                        self._sound(pcm)
                    case WordTime():
                        self._words.append(frame)
                        self._reply.playout.add_word(frame)
                    case Complete():
                        fault = None
                    case Failed():
                        fault = frame.fault
        self._add(self._joiner.finish())
        if fault is None and self._joiner.silent:
            fault = ProviderFault(FaultKind.RETRY, "the provider answered with silence")
        if fault is None:
            self._reply.playout.end()
        else:
            self._reply.asked = self._reply.playout.give_up()
        self._reply.notify()
        return fault

    def _sound(self, pcm: bytes) -> None:
        self._reply.received = True
        if not self._audio:
            now = self._line.now()
            self._line.emit(
                events.PieceAudio(
                    at=now,
                    call=self._line.call,
                    reply=self._reply.number,
                    piece=self._number,
                    after=now - self._began,
                )
            )
        self._audio += seconds_of(pcm, self._line.leg.rate)
        self._add(self._joiner.feed(pcm))

    def _add(self, pcm: bytes) -> None:
        self._reply.playout.add(pcm, lead_trimmed=self._joiner.lead_trimmed)
        if pcm:
            self._kept += pcm
            self._reply.notify()


def _more(frames: trio.MemoryReceiveChannel[VoiceFrame]) -> list[VoiceFrame]:
    """Return what else is there already: to wait for each frame would cost more than its sound."""
    more: list[VoiceFrame] = []
    with suppress(trio.WouldBlock, trio.EndOfChannel):
        while True:
            more.append(frames.receive_nowait())
    return more

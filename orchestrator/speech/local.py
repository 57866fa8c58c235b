"""Speaks pieces of a reply with the voice of this machine; when it is to speak is the ladder's."""

from __future__ import annotations

from orchestrator import events
from orchestrator.audio import seconds_of
from orchestrator.errors import ProviderFault
from orchestrator.ports import LocalVoice, Spoken, WordTime
from orchestrator.speech.chunking import Piece
from orchestrator.speech.joins import Joiner
from orchestrator.speech.line import Line
from orchestrator.speech.reply import Reply

AHEAD = 0.3
"""Seconds of sound left at which the next piece is made: no earlier, for the provider may come back."""
_CHARACTERS = 60
"""About four seconds of speech: so long may it take until the real voice goes on."""


class LocalSpeech:
    """One call's local voice, if there is one."""

    def __init__(self, line: Line, voice: LocalVoice | None) -> None:
        self._line = line
        self._failed: Reply | None = None
        """The reply that it could not speak: nobody tries twice."""
        self._voice = voice if line.settings.ladder.on and "local_voice" in line.settings.ladder.rungs else None

    def speaks(self, reply: Reply) -> bool:
        """Whether it can speak this reply."""
        speaks = self._voice is not None and self._voice.speaks(reply.voice.language)
        return speaks and reply is not self._failed

    def next_piece(self, reply: Reply) -> Piece | None:
        """Return what it would speak next, None while there is no clause."""
        piece = reply.text.clauses_piece(reply.asked, most_characters=_CHARACTERS)
        return piece or reply.text.first_piece(reply.asked)

    async def speak(self, reply: Reply, piece: Piece) -> None:
        """Put the piece's sound into the playout. Where it fails, this voice speaks no more of the reply."""
        assert self._voice is not None
        rate = self._line.leg.rate
        try:
            spoken = await self._voice.speak(
                piece.text, language=reply.voice.language, rate=rate, speed=reply.voice.speed
            )
        except ProviderFault as fault:
            self._line.emit(
                events.ProviderRefused(
                    at=self._line.now(), kind=fault.kind.value, error=fault.message, call=self._line.call
                )
            )
            self._failed = reply
            return
        self._line.emit(
            events.LocalVoiceSpoke(
                at=self._line.now(),
                call=self._line.call,
                reply=reply.number,
                name=self._voice.name_in(reply.voice.language),
                start=piece.start,
                characters=len(piece.text),
                seconds=seconds_of(spoken.pcm, rate),
            )
        )
        self._take_in(reply, piece, spoken=spoken)

    def _take_in(self, reply: Reply, piece: Piece, *, spoken: Spoken) -> None:
        assert self._voice is not None
        settings = self._line.settings.speech
        after = settings.pause_sentence if piece.ends_sentence else settings.pause_comma
        joiner = Joiner(rate=spoken.rate, before=settings.pause_before, after=after)
        reply.playout.begin(piece, voice=self._voice.name_in(reply.voice.language))
        for index, (offset, length, begins, ends) in enumerate(spoken.words):
            reply.playout.add_word(WordTime("", index, piece.text[offset : offset + length], begins, ends))
        pcm = joiner.feed(spoken.pcm) + joiner.finish()
        reply.playout.add(pcm, lead_trimmed=joiner.lead_trimmed)
        reply.playout.end()
        reply.asked, reply.received = piece.end, True
        reply.notify()

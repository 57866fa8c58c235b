"""Says what comes next of a reply: from the phrase cache where it is a phrase that is there, else by asking for it."""

from __future__ import annotations

from orchestrator import events
from orchestrator.errors import ProviderFault
from orchestrator.ports import WordTime
from orchestrator.speech.asking import Asker
from orchestrator.speech.cache import PhraseCache
from orchestrator.speech.chunking import Piece
from orchestrator.speech.climb import Asking, Climb
from orchestrator.speech.line import Line
from orchestrator.speech.phrase import Phrase, PhraseKey
from orchestrator.speech.phrases import key_of
from orchestrator.speech.reply import Reply


class PhraseSpeech:
    """One call's way to the phrase cache, and past it to the provider."""

    def __init__(self, line: Line, *, cache: PhraseCache | None, climb: Climb, asker: Asker) -> None:
        self._line = line
        self._cache = cache
        self._climb = climb
        self._asker = asker

    async def say(self, reply: Reply, piece: Piece) -> ProviderFault | None:
        """Say a piece: from the cache where it is a phrase that is there, else by asking for it."""
        cache = self._cache
        is_phrase = reply.next_phrase is not None and len(piece.text) <= self._line.settings.speech.piece_characters
        if cache is None or not is_phrase:
            return await self._asker.ask(reply, piece, whole=is_phrase)
        reply.enter_stage(events.GapCause.SLOT, self._line.now())
        asking = self._climb.asking = Asking()
        with asking.scope:
            async with cache.claim(self._key(reply, piece)) as claim:
                if reply.hopeless or self._climb.goes_local(reply):  # it was long in coming
                    return None
                if claim.phrase is None:
                    return await self._asker.ask(reply, piece, whole=True, claim=claim)
                self._climb.note(reply, "cache")
                self._play(reply, piece, phrase=claim.phrase)
        self._climb.asking = None
        return None

    async def find(self, reply: Reply) -> bool:
        """Play the phrase that comes next if it is in the cache."""
        if self._cache is None or reply.next_phrase is None:
            return False
        piece = reply.text.span_piece(reply.asked, reply.next_phrase[1])
        phrase = await self._cache.find(self._key(reply, piece))
        if phrase is not None:
            self._climb.note(reply, "cache")
            self._play(reply, piece, phrase=phrase)
        return phrase is not None

    def _key(self, reply: Reply, piece: Piece) -> PhraseKey:
        return key_of(self._line.settings, piece.text, voice=reply.voice, rate=self._line.leg.rate)

    def _play(self, reply: Reply, piece: Piece, *, phrase: Phrase) -> None:
        reply.playout.begin(piece)
        for index, word, begins, ends in phrase.words:
            reply.playout.add_word(WordTime("", index, word, begins, ends))
        reply.playout.add(phrase.pcm, lead_trimmed=0.0)
        reply.playout.end()
        reply.asked, reply.received = piece.end, True
        reply.notify()

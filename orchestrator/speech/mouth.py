"""Takes a reply from text to sound: waits for a piece's time, then for the slot, then for the provider.

What is asked for next is portions.py's, who gets the slot the queue's, what has sounded the player's, what is heard
while a reply must wait climb.py's.
"""

from __future__ import annotations

import trio

from orchestrator import events
from orchestrator.audio import FRAME_SECONDS
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.speech.asking import Asker, Service
from orchestrator.speech.chunking import Piece
from orchestrator.speech.climb import Climb
from orchestrator.speech.line import Line
from orchestrator.speech.local import AHEAD, LocalSpeech
from orchestrator.speech.phrase_speech import PhraseSpeech
from orchestrator.speech.player import Player
from orchestrator.speech.reply import Reply

_RETRY_AFTER, _LONGEST_RETRY = 0.1, 1.0


class Mouth:
    """Speaks one call's replies, one at a time."""

    def __init__(self, line: Line, service: Service) -> None:
        self.player = Player(line)
        self._line = line
        self._service = service
        self._local = LocalSpeech(line, service.local)
        self._climb = Climb(line, needs=service, local=self._local)
        self._asker = Asker(line, service=service, climb=self._climb)
        self._phrases = PhraseSpeech(line, cache=service.cache, climb=self._climb, asker=self._asker)

    async def speak(self, reply: Reply) -> None:
        """Speak a reply whose text is still coming in; returns when it was heard, as far as it could be spoken."""
        self._service.slots.begin_reply(self._line.call, weight=self._line.weight)
        async with trio.open_nursery() as nursery:
            if self._line.settings.ladder.on:
                nursery.start_soon(self._climb.run, reply)
            nursery.start_soon(self._ask_all, reply)
            await self.player.play(reply)
            nursery.cancel_scope.cancel()  # the climb: nothing waits any more

    async def _ask_all(self, reply: Reply) -> None:
        try:
            await self._ask_pieces(reply)
        finally:
            self._service.slots.unexpect(self._line.call)
        reply.pieces_done = True
        reply.notify()

    async def _ask_pieces(self, reply: Reply) -> None:
        tries = 0
        while not self._all_asked(reply):
            if reply.hopeless:
                reply.give_up()
                return
            if self._climb.goes_local(reply):
                await self._speak_locally(reply)
            elif (piece := await self._wait_due(reply)) is not None:
                fault = await self._phrases.say(reply, piece)
                tries = 0 if fault is None else tries + (fault.kind in _COUNTED)
                if fault is not None and not await self._go_on(reply, fault, tries=tries):
                    return

    async def _go_on(self, reply: Reply, fault: ProviderFault, *, tries: int) -> bool:
        """Do what a fault asks for; False if the rest of the reply can't be spoken."""
        self._service.slots.unexpect(self._line.call)  # nobody else waits for this one
        hopeless = fault.kind in (FaultKind.REQUEST, FaultKind.FINAL)
        if hopeless or tries >= self._line.settings.speech.tries:
            if self._local.speaks(reply):
                while not self._all_asked(reply) and not await self._speak_locally(reply):
                    pass  # it waits until its piece is due
                return True
            apologises = self._line.settings.ladder.on and "apology" in self._line.settings.ladder.rungs
            if fault.kind is FaultKind.REQUEST or not apologises:
                reply.give_up()
                return False
        if (hopeless or fault.kind in _COUNTED) and not self._climb.goes_local(reply):
            await trio.sleep(min(_RETRY_AFTER * max(1, tries), _LONGEST_RETRY))
        return True

    # --- the local voice ---

    async def _speak_locally(self, reply: Reply) -> bool:
        """Have the local voice speak the next piece when it is due, and return True; else wait for a change."""
        self._service.slots.unexpect(self._line.call)
        piece = self._local.next_piece(reply)
        early = reply.playout.ahead(self._line.now()) - AHEAD
        if piece is None or (piece.text and early > 0):
            self._stage(reply, events.GapCause.TEXT)
            await reply.wait_changed(within=float("inf") if piece is None else max(early, FRAME_SECONDS))
            return False
        if not piece.text:
            self._skip(reply, piece)
            return True
        self._stage(reply, events.GapCause.PROVIDER)
        if reply.next_phrase is not None and await self._phrases.find(reply):
            return True
        self._climb.note(reply, "local_voice")
        await self._local.speak(reply, piece)
        return True

    def _all_asked(self, reply: Reply) -> bool:
        return reply.text.finished and reply.asked >= reply.text.length

    # --- pieces ---

    async def _wait_due(self, reply: Reply) -> Piece | None:
        """Wait until a piece is worth asking for, and return it; None when the local voice is to go on, or none is."""
        self._stage(reply, events.GapCause.TEXT)
        told = not reply.received
        while not self._all_asked(reply):
            if reply.hopeless or self._climb.goes_local(reply):
                return None
            situation = self._asker.situation(reply)
            piece, wait = self._asker.next_piece(reply, situation)
            if piece is not None and not piece.text:
                self._skip(reply, piece)
                continue
            if piece is not None and wait <= 0:
                return piece
            if not told:
                self._service.slots.expect(self._line.call, need_in=situation.ahead)
                told = True
            await reply.wait_changed(within=max(wait, FRAME_SECONDS))  # sound passes sample by sample, waits need not
        return None

    def _skip(self, reply: Reply, piece: Piece) -> None:
        reply.playout.begin(piece)
        reply.playout.end()
        reply.asked = piece.end
        reply.notify()

    def _stage(self, reply: Reply, stage: events.GapCause) -> None:
        reply.enter_stage(stage, self._line.now())


_COUNTED = (FaultKind.RETRY, FaultKind.LINKS)
"""Faults that count as tries; a refusal means that somebody else is served."""

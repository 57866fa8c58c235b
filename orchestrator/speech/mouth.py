"""Takes a reply from text to sound: waits for a piece's time, then for the slot, then for the provider.

What is asked for next is portions.py's, who gets the slot the queue's, what has sounded the player's.
"""

from __future__ import annotations

import trio
from attrs import frozen

from orchestrator import events
from orchestrator.audio import FRAME_SECONDS
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Ask, Grant, Slots, SpeechRequest
from orchestrator.slot.pace import Pace
from orchestrator.speech.chunking import Piece
from orchestrator.speech.intake import Intake
from orchestrator.speech.line import Line
from orchestrator.speech.player import Player
from orchestrator.speech.pool import Pool
from orchestrator.speech.portions import Portions, Situation
from orchestrator.speech.reply import Reply

_RETRY_AFTER = 0.1


@frozen(kw_only=True)
class Service:
    """What all calls share to speak."""

    slots: Slots
    pool: Pool
    pace: Pace
    portions: Portions


class Mouth:
    """Speaks one call's replies, one at a time."""

    def __init__(self, line: Line, service: Service, *, weight: float = 1.0) -> None:
        self.player = Player(line)
        self._line = line
        self._service = service
        self._weight = weight
        self._pieces = 0

    async def speak(self, reply: Reply) -> None:
        """Speak a reply whose text is still coming in; returns when it was heard, as far as it could be spoken."""
        self._service.slots.begin_reply(self._line.call, weight=self._weight)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._ask_all, reply)
            await self.player.play(reply)

    async def _ask_all(self, reply: Reply) -> None:
        try:
            await self._ask_pieces(reply)
        finally:
            self._service.slots.unexpect(self._line.call)
        reply.pieces_done = True
        reply.notify()

    async def _ask_pieces(self, reply: Reply) -> None:
        tries = 0
        while (piece := await self._wait_due(reply)) is not None:
            fault = await self._ask_one(reply, piece)
            if fault is None:
                tries = 0
            elif fault.kind in (FaultKind.RETRY, FaultKind.LINKS):
                tries += 1
                self._service.slots.unexpect(self._line.call)  # nobody else waits for this one
                await trio.sleep(_RETRY_AFTER * tries)
            if fault and (tries >= self._line.settings.speech.tries or _is_hopeless(fault)):
                reply.give_up()
                break

    async def _wait_due(self, reply: Reply) -> Piece | None:
        """Wait until a piece is worth asking for, and return it; None when the reply's text is all asked for."""
        self._stage(reply, events.GapCause.TEXT)
        portions, told = self._service.portions, not reply.received
        while not (reply.text.finished and reply.asked >= reply.text.length):
            situation = self._situation(reply)
            piece = portions.next_piece(situation)
            if piece is not None and not piece.text:
                self._skip(reply, piece)
                continue
            wait = portions.too_early(piece, situation)
            if piece is not None and wait <= 0:
                return piece
            if not told:
                self._service.slots.expect(self._line.call, need_in=situation.ahead)
                told = True
            await reply.wait_changed(within=max(wait, FRAME_SECONDS))  # sound passes sample by sample, waits need not
        return None

    def _situation(self, reply: Reply, *, room: float = float("inf")) -> Situation:
        return Situation(
            text=reply.text,
            start=reply.asked,
            begun=reply.received,
            ahead=reply.playout.ahead(self._line.now()),
            room=room,
            leisure=self._service.slots.leisure(),
            since_ready=self._since_ready(reply),
        )

    def _since_ready(self, reply: Reply) -> float:
        return 0.0 if reply.ready_at is None else self._line.now() - reply.ready_at

    def _skip(self, reply: Reply, piece: Piece) -> None:
        reply.playout.begin(piece)
        reply.playout.end()
        reply.asked = piece.end
        reply.notify()

    async def _ask_one(self, reply: Reply, piece: Piece) -> ProviderFault | None:
        """Ask for about that piece: in the queue, then on a link; return what went wrong, if anything did."""
        self._stage(reply, events.GapCause.SLOT)
        try:
            async with self._service.slots.join(self._ask(reply, piece)) as grant:
                self._stage(reply, events.GapCause.PROVIDER)
                # More text may have come while it waited, and other calls may need the slot sooner.
                fitting = self._service.portions.next_piece(self._situation(reply, room=grant.room))
                some = fitting if fitting is not None and fitting.text else piece
                return await self._fetch(reply, some, grant=grant)
        except ProviderFault as fault:
            return fault

    def _ask(self, reply: Reply, piece: Piece) -> Ask:
        ahead = reply.playout.ahead(self._line.now())
        if ahead <= 0:
            self._line.enter(events.CallState.WAITING)
        return Ask(
            call=self._line.call,
            reply=reply.number,
            first=not reply.received,
            need_in=ahead,
            since_ready=self._since_ready(reply),
            expected=self._service.pace.slot_seconds(len(piece.text)),
        )

    def _tell_more(self, reply: Reply, piece: Piece) -> None:
        """Tell the slots when the reply will need the piece after `piece`, as far as is known."""
        if reply.text.finished and piece.end >= reply.text.length:
            self._service.slots.unexpect(self._line.call)
        else:
            pace = self._service.pace
            ahead = max(reply.playout.ahead(self._line.now()), pace.ttfb) + pace.audio_seconds(len(piece.text))
            self._service.slots.expect(self._line.call, need_in=ahead)

    async def _fetch(self, reply: Reply, piece: Piece, *, grant: Grant) -> ProviderFault | None:
        async with self._service.pool.lease() as lease:
            self._pieces += 1
            self._tell_more(reply, piece)
            request = SpeechRequest(
                id=f"{self._line.call}-{reply.number}-{self._pieces}",
                text=piece.text,
                rate=self._line.leg.rate,
                voice=reply.voice.voice,
                language=reply.voice.language,
                speed=reply.voice.speed,
            )
            frames = lease.ask(request, grant)
            self._line.emit(
                events.PieceAsked(
                    at=self._line.now(),
                    call=self._line.call,
                    reply=reply.number,
                    piece=self._pieces,
                    ticket=grant.number,
                    link=lease.link,
                    characters=len(piece.text),
                    start=piece.start,
                    first=not reply.received,
                    breaks_sentence=not piece.ends_sentence,
                )
            )
            async with frames:
                return await Intake(self._line, reply=reply, piece=piece, number=self._pieces).run(frames)

    def _stage(self, reply: Reply, stage: events.GapCause) -> None:
        reply.enter_stage(stage, self._line.now())


def _is_hopeless(fault: ProviderFault) -> bool:
    return fault.kind in (FaultKind.REQUEST, FaultKind.FINAL)

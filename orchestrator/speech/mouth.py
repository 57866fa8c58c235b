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
        tries = 0
        while await self._wait_due(reply):
            fault = await self._ask_one(reply)
            if fault is None:
                tries = 0
            elif fault.kind in (FaultKind.RETRY, FaultKind.LINKS):
                tries += 1
                await trio.sleep(_RETRY_AFTER * tries)
            if fault and (tries >= self._line.settings.speech.tries or _is_hopeless(fault)):
                reply.give_up()
                break
        reply.pieces_done = True
        reply.notify()

    async def _wait_due(self, reply: Reply) -> bool:
        """Wait until a piece is worth asking for; False when the reply's text is all asked for."""
        self._stage(reply, events.GapCause.TEXT)
        while not (reply.text.finished and reply.asked >= len(reply.text.text)):
            situation = self._situation(reply)
            piece = self._service.portions.next_piece(situation)
            if piece is not None and not piece.text:
                self._skip(reply, piece)
                continue
            wait = self._service.portions.too_early(piece, situation)
            if wait <= 0:
                return True
            await reply.wait_changed(within=max(wait, FRAME_SECONDS))  # sound passes sample by sample, waits need not
        return False

    def _situation(self, reply: Reply, *, slack: float = float("inf")) -> Situation:
        ahead = reply.playout.ahead(self._line.now())
        return Situation(text=reply.text, start=reply.asked, begun=reply.received, ahead=ahead, slack=slack)

    def _next_piece(self, reply: Reply, *, slack: float = float("inf")) -> Piece | None:
        return self._service.portions.next_piece(self._situation(reply, slack=slack))

    def _skip(self, reply: Reply, piece: Piece) -> None:
        reply.playout.begin(piece)
        reply.playout.end()
        reply.asked = piece.end
        reply.notify()

    async def _ask_one(self, reply: Reply) -> ProviderFault | None:
        """Ask for one piece: in the queue, then on a link; return what went wrong, if anything did."""
        self._stage(reply, events.GapCause.SLOT)
        try:
            async with self._service.slots.join(self._ask(reply)) as grant:
                self._stage(reply, events.GapCause.PROVIDER)
                piece = self._next_piece(reply, slack=grant.slack)  # more text may have come while it waited
                return None if piece is None or not piece.text else await self._fetch(reply, piece, grant=grant)
        except ProviderFault as fault:
            return fault

    def _ask(self, reply: Reply) -> Ask:
        now, ahead = self._line.now(), reply.playout.ahead(self._line.now())
        first = not reply.received
        since_ready = now - (now if reply.ready_at is None else reply.ready_at)
        piece = self._next_piece(reply)
        if ahead <= 0:
            self._line.enter(events.CallState.WAITING)
        return Ask(
            call=self._line.call,
            reply=reply.number,
            first=first,
            need_in=self._line.settings.slot.patience - since_ready if first else ahead,
            since_ready=since_ready,
            expected=self._service.pace.slot_seconds(len(piece.text)) if piece else 0.0,
        )

    async def _fetch(self, reply: Reply, piece: Piece, *, grant: Grant) -> ProviderFault | None:
        async with self._service.pool.lease() as lease:
            self._pieces += 1
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

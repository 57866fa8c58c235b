"""Asks for one piece of a reply: chooses it anew at the grant, waits for the slot and a link, and takes in what comes.

What is asked for is portions.py's; when, and what follows from a fault, the mouth's.
"""

from __future__ import annotations

from attrs import frozen

from orchestrator import events
from orchestrator.errors import ProviderFault
from orchestrator.ports import Ask, Grant, LocalVoice, Slots, SpeechRequest
from orchestrator.slot.pace import Pace
from orchestrator.speech.cache import Claim, PhraseCache
from orchestrator.speech.chunking import Piece
from orchestrator.speech.climb import Asking, Climb
from orchestrator.speech.intake import Intake
from orchestrator.speech.line import Line
from orchestrator.speech.phrases import Phrases
from orchestrator.speech.pool import Pool
from orchestrator.speech.portions import Portions, Situation
from orchestrator.speech.reply import Reply

_PHRASE_AHEAD = 0.5
"""Seconds of sound left at which a phrase is wanted at the latest: it may be there at once, or have to be made."""


@frozen(kw_only=True)
class Service:
    """What all calls share to speak.

    Without a `cache` every phrase is asked for, without `phrases` none is ready, without `local` there is no such
    voice.
    """

    slots: Slots
    pool: Pool
    pace: Pace
    portions: Portions
    cache: PhraseCache | None = None
    phrases: Phrases | None = None
    local: LocalVoice | None = None


class Asker:
    """Asks for one call's pieces, one at a time; what a piece waits for is noted with the `climb`."""

    def __init__(self, line: Line, *, service: Service, climb: Climb) -> None:
        self._line = line
        self._service = service
        self._climb = climb
        self._pieces = 0

    def next_piece(self, reply: Reply, now: Situation) -> tuple[Piece | None, float]:
        """Return what comes next, and in how many seconds it is due."""
        phrase, settings = reply.next_phrase, self._line.settings.speech
        whole = None if phrase is None else reply.text.span_piece(reply.asked, phrase[1])
        if whole is not None and len(whole.text) <= settings.piece_characters:
            room = settings.look_ahead - self._service.pace.audio_seconds(len(whole.text))
            return whole, now.ahead - max(_PHRASE_AHEAD, room)
        piece: Piece | None = self._service.portions.next_piece(now)
        limit = reply.phrase_limit
        if limit is not None and (piece is None or piece.end > limit):
            piece = reply.text.span_piece(reply.asked, limit)
        return piece, self._service.portions.too_early(piece, now)

    def situation(self, reply: Reply, *, room: float = float("inf")) -> Situation:
        """Return where the reply stands; `room` is for how long the slot may be held."""
        return Situation(
            text=reply.text,
            start=reply.asked,
            begun=reply.received,
            ahead=reply.playout.ahead(self._line.now()),
            room=room,
            leisure=self._service.slots.leisure(),
            crowded=self._service.slots.crowded,
            since_ready=self._since_ready(reply),
        )

    def _since_ready(self, reply: Reply) -> float:
        return 0.0 if reply.ready_at is None else self._line.now() - reply.ready_at

    async def ask(
        self, reply: Reply, piece: Piece, *, whole: bool = False, claim: Claim | None = None
    ) -> ProviderFault | None:
        """Ask for about that piece (for just that one: `whole`): in the queue, then on a link; return what went wrong.

        The ladder may give it up on the way: then nothing did, and no more was taken in than came.
        """
        reply.enter_stage(events.GapCause.SLOT, self._line.now())
        place = self._service.slots.join(self._wish(reply, piece))
        if not reply.received and (ahead := reply.playout.ahead(self._line.now())) > 0:
            place.revise(ahead)  # words of a rung sound: it is their end at which there would be silence
        asking = self._climb.asking = Asking(place)
        try:
            with asking.scope:
                async with place as grant:
                    reply.enter_stage(events.GapCause.PROVIDER, self._line.now())
                    asking.written_at = self._line.now()
                    some = piece if whole else self._fitting(reply, piece, room=grant.room)
                    return await self._fetch(reply, some, grant=grant, claim=claim)
        except ProviderFault as fault:
            return fault
        finally:
            self._climb.asking = None
        if reply.playout.in_work:
            reply.asked = reply.playout.give_up()
        return None

    def _fitting(self, reply: Reply, piece: Piece, *, room: float) -> Piece:
        """More text may have come while it waited, and other calls may need the slot sooner."""
        fitting, _ = self.next_piece(reply, self.situation(reply, room=room))
        return fitting if fitting is not None and fitting.text else piece

    def _wish(self, reply: Reply, piece: Piece) -> Ask:
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

    async def _fetch(self, reply: Reply, piece: Piece, *, grant: Grant, claim: Claim | None) -> ProviderFault | None:
        async with self._service.pool.lease() as lease:
            self._pieces += 1
            self._tell_more(reply, piece)
            whose = self._line.call if claim is None else "phrase"
            request = SpeechRequest(
                id=f"{whose}-{reply.number}-{self._pieces}",
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
            intake = Intake(self._line, reply=reply, piece=piece, number=self._pieces)
            async with frames:
                fault = await intake.run(frames)
        if claim is not None and fault is None:
            await claim.store(intake.as_phrase())
        return fault

"""Takes a reply up the ladder while it waits: plays what a rung sounds like, and calls for the local voice.

Which rung it is to be is ladder.py's, speaking the reply itself the mouth's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import trio
from attrs import define, field

from orchestrator import events
from orchestrator.ports import Place, Slots, Standing
from orchestrator.slot.pace import Pace
from orchestrator.speech.ladder import NOISE_SECONDS, Rung, Waiting, next_step
from orchestrator.speech.line import Line
from orchestrator.speech.local import LocalSpeech
from orchestrator.speech.noise import comfort_noise
from orchestrator.speech.phrase import Phrase
from orchestrator.speech.phrases import Phrases
from orchestrator.speech.pool import Pool
from orchestrator.speech.reply import Reply

_LOST = (Standing.OUT, Standing.FINAL)
"""Where the provider can't be asked."""
_LONG_ENOUGH = 0.85
"""Fillers of this part of the longest that fits, and more, are said by turns."""


@define(eq=False)
class Asking:
    """A piece on its way to the slot and the provider; cancelling its `scope` gives it up, whatever it waits for.

    Without a `place` it waits for another call that makes the same phrase.
    """

    place: Place | None = None
    written_at: float | None = None
    scope: trio.CancelScope = field(factory=trio.CancelScope)


class ClimbNeeds(Protocol):
    """What of the calls' service the ladder needs."""

    @property
    def slots(self) -> Slots:
        """Who hands out the slots."""

    @property
    def pool(self) -> Pool:
        """Who knows how the provider stands."""

    @property
    def pace(self) -> Pace:
        """How fast the provider is."""

    @property
    def phrases(self) -> Phrases | None:
        """What is ready to be said, if anything is kept."""


class Climb:
    """One call's replies on the ladder, one at a time; the mouth notes in `asking` what a reply waits for."""

    def __init__(self, line: Line, *, needs: ClimbNeeds, local: LocalSpeech) -> None:
        self.asking: Asking | None = None
        self._line = line
        self._slots = needs.slots
        self._pool = needs.pool
        self._pace = needs.pace
        self._phrases = needs.phrases
        self._local = local
        self._word_at = float("-inf")

    async def run(self, reply: Reply) -> None:
        """Watch over `reply` until it is hopeless; to be cancelled when all of it was heard."""
        settings = self._line.settings.ladder
        self._word_at = float("-inf")
        while not reply.hopeless:
            if reply.ready_at is None or reply.stage is events.GapCause.TEXT or not reply.playout.may_insert:
                await reply.wait_changed()
                continue
            step = next_step(settings, self._waiting(reply))
            self._take(step.rung, reply)
            if not reply.hopeless:
                await trio.sleep(step.look_in)

    def goes_local(self, reply: Reply) -> bool:
        """Whether the local voice is to speak what comes next."""
        return self._local.speaks(reply) and (reply.local or self._pool.standing in _LOST)

    def _waiting(self, reply: Reply) -> Waiting:
        now = self._line.now()
        since = reply.playout.silent_since(now)
        filler, word = self._filler(reply), self._word(reply)
        return Waiting(
            silent=now - (since if since is not None else reply.ready_at or now),
            waited=self._waited(reply, now),
            wait=self._predicted(now),
            ahead=reply.playout.ahead(now),
            filler=None if filler is None else filler.seconds,
            word=None if word is None else word.seconds,
            since_word=now - self._word_at,
            speakable=self._local.speaks(reply),
            standing=self._pool.standing,
        )

    def _waited(self, reply: Reply, now: float) -> float:
        """Seconds since the reply was ready, or its own sound was all heard; 0 while there is some."""
        own = reply.playout.own_end
        if own and reply.playout.clock.sounded(now) < own:
            return 0.0
        since = reply.playout.clock.time_of(own) if own else reply.ready_at
        return 0.0 if since is None else now - since

    def _predicted(self, now: float) -> float:
        """Predict the seconds until the reply's own sound."""
        if self._pool.standing in _LOST:
            return float("inf")
        if self.asking is None or self.asking.place is None:
            return self._pace.ttfb + (0.0 if self.asking is None else self._slots.wait_ahead())
        if self.asking.written_at is None:
            return self.asking.place.wait_ahead() + self._pace.ttfb
        return max(0.0, self.asking.written_at + self._pace.ttfb - now)

    def _take(self, rung: Rung, reply: Reply) -> None:
        rate = self._line.leg.rate
        match rung:
            case Rung.FILLER:
                self._play(self._filler(reply), reply, rung="filler")
            case Rung.NOISE:
                self.note(reply, "noise")
                reply.playout.insert(comfort_noise(NOISE_SECONDS, rate), rung="noise", speaks=False)
                reply.notify()
            case Rung.WORD:
                self._play(self._word(reply), reply, rung="noise")
                self._word_at = self._line.now()
            case Rung.LOCAL_VOICE:
                # Where the provider is lost it is asked again as soon as it is back, else not within this reply.
                reply.local = reply.local or self._pool.standing not in _LOST
                self._give_up_asking(reply)
            case Rung.APOLOGY:
                self._play(self._phrase(self._line.settings.ladder.apologies, reply), reply, rung="apology")
                reply.hopeless = True
                self._give_up_asking(reply)

    def _play(self, phrase: Phrase | None, reply: Reply, *, rung: str) -> None:
        self.note(reply, rung)
        if phrase is not None:
            reply.playout.insert(phrase.pcm, rung=rung)
            if self.asking is not None and self.asking.place is not None and self.asking.written_at is None:
                self.asking.place.revise(reply.playout.ahead(self._line.now()))
            reply.notify()

    def note(self, reply: Reply, rung: str) -> None:
        """The reply steps onto a rung: told once a reply."""
        if rung not in reply.rungs:
            reply.rungs.add(rung)
            self._line.emit(events.RungTaken(at=self._line.now(), call=self._line.call, reply=reply.number, rung=rung))

    def _give_up_asking(self, reply: Reply) -> None:
        if self.asking is not None:
            self.asking.scope.cancel()
        reply.notify()

    # --- phrases that are ready ---

    def _filler(self, reply: Reply) -> Phrase | None:
        """Return one of the longest that the wait has room for, by turns: the more is covered, the better."""
        settings = self._line.settings.ladder
        if "filler" in reply.rungs:
            return None
        most = min(settings.filler_longest, self._predicted(self._line.now()))
        fitting = [phrase for phrase in self._ready(settings.fillers, reply) if phrase.seconds <= most]
        longest = max((phrase.seconds for phrase in fitting), default=0.0)
        return _by_turns([phrase for phrase in fitting if phrase.seconds >= _LONG_ENOUGH * longest], reply)

    def _word(self, reply: Reply) -> Phrase | None:
        return self._phrase(self._line.settings.ladder.words, reply)

    def _phrase(self, texts: dict[str, tuple[str, ...]], reply: Reply) -> Phrase | None:
        """Return one of the texts in the reply's language and voice, by turns; None if none is ready."""
        return _by_turns(self._ready(texts, reply), reply)

    def _ready(self, texts: dict[str, tuple[str, ...]], reply: Reply) -> Sequence[Phrase]:
        if self._phrases is None:
            return ()
        language = "en" if reply.voice.language == "auto" else reply.voice.language
        found = (
            self._phrases.ready(text, voice=reply.voice, rate=self._line.leg.rate) for text in texts.get(language, ())
        )
        return [phrase for phrase in found if phrase is not None]


def _by_turns(phrases: Sequence[Phrase], reply: Reply) -> Phrase | None:
    return phrases[reply.number % len(phrases)] if phrases else None

"""Makes a call's replies and writes down how each ended: in the transcript and as an event, once."""

from __future__ import annotations

import attrs

from orchestrator import events
from orchestrator.dialogue.bot import Say
from orchestrator.dialogue.transcript import BotEntry, Ending, SoundedWord, Transcript, WordState
from orchestrator.events import Outcome
from orchestrator.ports import Slots
from orchestrator.slot.pace import Pace
from orchestrator.speech.chunking import ReplyText
from orchestrator.speech.ladder import wants_brief
from orchestrator.speech.line import Line
from orchestrator.speech.phrases import Phrases
from orchestrator.speech.play_clock import PlayClock
from orchestrator.speech.playout import Playout
from orchestrator.speech.reply import Reply, usual_voice


class Replies:
    """One call's replies, numbered from 1. The `slots` say if it is crowded; `phrases` are told what may be needed."""

    def __init__(
        self,
        line: Line,
        *,
        pace: Pace,
        transcript: Transcript,
        slots: Slots | None = None,
        phrases: Phrases | None = None,
    ) -> None:
        self._line = line
        self._pace = pace
        self._slots = slots
        self._phrases = phrases
        self._transcript = transcript
        self._count = 0

    def begin(self, *, hook: str, after_turn: int | None) -> Reply:
        """Make the next reply, in the voice of the settings until its first `Say` asks for another."""
        settings = self._line.settings
        self._count += 1
        reply = Reply(
            number=self._count,
            text=ReplyText(
                least_characters=settings.speech.least_characters, most_characters=settings.speech.piece_characters
            ),
            playout=Playout(PlayClock(self._line.leg.rate, self._line.leg.latency), self._pace.seconds_per_character),
            voice=usual_voice(settings.provider),
        )
        self._line.emit(
            events.ReplyStarted(
                at=self._line.now(), call=self._line.call, reply=reply.number, hook=hook, after_turn=after_turn
            )
        )
        return reply

    def take(self, reply: Reply, say: Say, *, opens: bool = False) -> None:
        """Add what the bot yielded; whole sentences with which it `opens` are phrases like those it asks to cache."""
        if not reply.text.length:
            reply.voice = attrs.evolve(
                reply.voice, voice=say.voice or reply.voice.voice, language=say.language or reply.voice.language
            )
            if self._phrases is not None and self._line.settings.ladder.on:
                self._phrases.want_usual(voice=reply.voice, rate=self._line.leg.rate)
        text = self._brief(reply, say.brief) if say.brief is not None and self._crowded() else say.text
        if reply.feed(
            text,
            interruptible=say.interruptible,
            phrase=say.cached or (opens and _is_sentence(text)),
            now=self._line.now(),
        ):
            self._ready(reply)

    def _crowded(self) -> bool:
        return self._slots is not None and wants_brief(self._line.settings.ladder, self._slots.wait_ahead())

    def _brief(self, reply: Reply, text: str) -> str:
        if "brief" not in reply.rungs:
            reply.rungs.add("brief")
            self._line.emit(
                events.RungTaken(at=self._line.now(), call=self._line.call, reply=reply.number, rung="brief")
            )
        return text

    def finish_text(self, reply: Reply) -> None:
        """The bot has said all of the reply."""
        if reply.finish_text(now=self._line.now()):
            self._ready(reply)

    def end(self, reply: Reply) -> BotEntry | None:
        """Write down how a reply ended; None for one in which the bot said nothing."""
        text, now = reply.text.text, self._line.now()
        given_up = len(text) if reply.given_up_from is None else reply.given_up_from
        ending = Ending(heard=min(reply.heard(now), given_up), given_up=given_up)
        entry = self._transcript.add_reply(
            reply.number, text, ending=ending, sounded=self._sounded(reply), voice=reply.voice.voice
        )
        self._line.emit(self._ended(reply, entry))
        if text.strip():
            return entry
        self._transcript.entries.remove(entry)
        return None

    def _ready(self, reply: Reply) -> None:
        at = self._line.now() if reply.ready_at is None else reply.ready_at
        self._line.emit(events.ReplyReady(at=at, call=self._line.call, reply=reply.number))

    def _sounded(self, reply: Reply) -> list[SoundedWord]:
        ended_at = self._line.now() if reply.ended_at is None else reply.ended_at
        return [
            SoundedWord(span.start, span.end, self._in_call(span.begins), self._in_call(span.ends), span.voice)
            for span in reply.playout.words(ended_at)
        ]

    def _in_call(self, at: float | None) -> float | None:
        return None if at is None else at - self._line.began

    def _ended(self, reply: Reply, entry: BotEntry) -> events.ReplyEnded:
        return events.ReplyEnded(
            at=self._line.now(),
            call=self._line.call,
            reply=reply.number,
            outcome=_outcome(entry),
            characters=len(entry.heard) + len(entry.cut) + len(entry.unspoken),
            heard=len(entry.heard),
            cut=len(entry.cut),
            unspoken=len(entry.unspoken),
            words=len(entry.words),
            words_heard=entry.count(WordState.HEARD),
            words_cut=entry.count(WordState.CUT),
            words_unspoken=entry.count(WordState.UNSPOKEN),
        )


def _is_sentence(text: str) -> bool:
    return len(text.split()) > 1 and text.rstrip().endswith((".", "!", "?", "।"))


def _outcome(entry: BotEntry) -> Outcome:
    if not (entry.heard + entry.cut + entry.unspoken).strip():
        return Outcome.EMPTY
    if entry.cut:
        return Outcome.CUT
    return Outcome.UNSPOKEN if entry.unspoken else Outcome.HEARD

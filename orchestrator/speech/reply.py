"""One reply on its way: its text, its sound, how far it was asked for, and how it ended; waits for nothing itself."""

from __future__ import annotations

from bisect import bisect_right
from enum import Enum
from operator import itemgetter

import trio
from attrs import frozen

from orchestrator.events import GapCause
from orchestrator.settings import ProviderSettings
from orchestrator.speech.chunking import ReplyText
from orchestrator.speech.playout import Playout

_TEXT_AHEAD = 20_000
"""Characters that a bot may be ahead of its voice: about twenty minutes of speech."""


class Phase(Enum):
    """Where a reply stands (DESIGN.md section 4)."""

    SPEAKING = "speaking"
    HELD = "held"
    CUT = "cut"
    ENDED = "ended"


@frozen(kw_only=True)
class VoiceChoice:
    """The voice of a whole reply."""

    voice: str
    language: str
    speed: float


def usual_voice(settings: ProviderSettings) -> VoiceChoice:
    """Return the voice of the settings: a reply's until its first text asks for another."""
    return VoiceChoice(voice=settings.voice, language=settings.language, speed=settings.speed)


class Reply:
    """A bot's turn. Its one `scope` covers every task that works on it; cancelling that is a cut.

    `changed` wakes whoever waits for text, sound or an end; `asked` is the text offset up to which pieces went out,
    `received` says whether any sound has come.
    """

    def __init__(self, *, number: int, text: ReplyText, playout: Playout, voice: VoiceChoice) -> None:
        self.number = number
        self.text = text
        self.playout = playout
        self.voice = voice
        self.phase = Phase.SPEAKING
        self.scope = trio.CancelScope()
        self.asked = 0
        self.received = False
        self.ready_at: float | None = None
        self.pieces_done = False
        self.given_up_from: int | None = None
        self._stages: list[tuple[float, GapCause]] = []
        self.ended_at: float | None = None
        self.stage = GapCause.TEXT
        """What the next sound is waiting for."""
        self.local = False
        """Whether the local voice is to speak what comes next, though the provider could be asked."""
        self.rungs: set[str] = set()
        """The steps of the ladder it has stood on."""
        self.hopeless = False
        """Whether we have apologised: the call is to end."""
        self._protected: list[tuple[int, int]] = []
        self._phrases: list[tuple[int, int]] = []
        self._changed = trio.Event()

    def feed(self, text: str, *, now: float, interruptible: bool = True, phrase: bool = False) -> bool:
        """Take in the bot's next text; return whether the reply became ready by it.

        A `phrase` is spoken as it is, by itself: it may come from the cache.
        """
        start = self.text.length
        self.text.feed(text, apart=phrase)
        if not interruptible:
            self._protect(start, self.text.length)
        if phrase and text.strip():
            self._phrases.append((start, self.text.length))
        return self._settle_ready(now)

    @property
    def next_phrase(self) -> tuple[int, int] | None:
        """The phrase that begins where the reply has been asked for up to; None if none does, or not as a whole."""
        after = bisect_right(self._phrases, self.asked, key=itemgetter(1))
        if after == len(self._phrases):
            return None
        start, end = self._phrases[after]
        between = self.text.text[min(start, self.asked) : max(start, self.asked)]
        return None if between.strip() else (start, end)

    @property
    def phrase_limit(self) -> int | None:
        """Where the next phrase begins, which no piece before it may reach into."""
        after = bisect_right(self._phrases, self.asked, key=itemgetter(0))
        return self._phrases[after][0] if after < len(self._phrases) else None

    def finish_text(self, *, now: float) -> bool:
        """The bot has said all; return whether the reply became ready by it."""
        self.text.finish()
        return self._settle_ready(now)

    def cut(self, now: float) -> None:
        """The caller interrupts, or the call ends: nothing more of it sounds, and all its tasks end."""
        if self.phase in (Phase.SPEAKING, Phase.HELD):
            self.phase, self.ended_at = Phase.CUT, now
            self.playout.clock.stop(now)
            self.scope.cancel()

    def give_up(self) -> None:
        """We cannot speak the rest: what was received still sounds, nothing more is asked for."""
        self.given_up_from = self.asked

    def end(self, now: float) -> None:
        """All of it was heard."""
        if self.phase is Phase.SPEAKING:
            self.phase, self.ended_at = Phase.ENDED, now

    def protected(self, now: float) -> bool:
        """Whether what sounds (or would sound next) is not to be interrupted."""
        next_offset = self.playout.heard(now)
        before = bisect_right(self._protected, next_offset, key=itemgetter(0))
        return before > 0 and next_offset < self._protected[before - 1][1]

    def heard_out(self, now: float) -> bool:
        """Whether all that the bot had to say was heard: there is nothing left to interrupt."""
        return self.text.finished and self.heard(now) >= self.text.length > 0

    def heard(self, now: float) -> int:
        """The text offset up to which the caller has heard the reply."""
        return self.playout.heard(now if self.ended_at is None else self.ended_at)

    def enter_stage(self, stage: GapCause, now: float) -> None:
        """Note what the next sound is waiting for."""
        changed, self.stage = stage is not self.stage, stage
        self._stages.append((now, stage))
        if changed:
            self.notify()

    def blame(self, since: float) -> GapCause:
        """What the sound was waiting for when it ran dry at `since`: the rest of the silence follows from that."""
        entered = bisect_right(self._stages, since, key=itemgetter(0))
        return self._stages[entered - 1][1] if entered else GapCause.TEXT

    def notify(self) -> None:
        """Wake whoever waits for a change."""
        self._changed.set()
        self._changed = trio.Event()

    async def wait_changed(self, *, within: float = float("inf")) -> None:
        """Wait until something changed, or `within` seconds."""
        if within == float("inf"):  # a scope would cost more than the wait
            await self._changed.wait()
            return
        with trio.move_on_after(max(0.0, within)):
            await self._changed.wait()

    async def wait_text_wanted(self) -> None:
        """Wait until the text that was not asked for yet is not too long: a bot may talk without end."""
        await trio.lowlevel.checkpoint()
        while self.text.length - self.asked > _TEXT_AHEAD:
            await self.wait_changed()

    def _protect(self, start: int, end: int) -> None:
        if self._protected and self._protected[-1][1] == start:
            start = self._protected.pop()[0]
        self._protected.append((start, end))

    def _settle_ready(self, now: float) -> bool:
        self.notify()
        if self.ready_at is None and self.text.ready(0):
            self.ready_at = now
            return True
        return False

"""Makes one phrase in slot time that nobody else needs; which ones are wanted, and when again, is phrases.py's."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, AsyncExitStack
from typing import Protocol

import trio
from attrs import define, field, frozen

from orchestrator.audio import seconds_of
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Ask, Complete, Failed, Grant, Slots, Sound, SpeechRequest, VoiceFrame, WordTime
from orchestrator.settings import Settings
from orchestrator.slot.pace import Pace
from orchestrator.speech.chunking import Piece, ReplyText
from orchestrator.speech.joins import Joiner
from orchestrator.speech.phrase import Phrase, PhraseKey, PhraseWord
from orchestrator.speech.pool import Pool

CALL = "phrases"
"""What phrases are called in the slot's queue."""
LOOK_EVERY = 0.25
"""Seconds between two looks at whether the slot is idle."""
_SLOT_SECONDS = 1.0
"""Seconds that a part of a phrase may hold the slot, as far as can be predicted."""
_LEAST, _FEWEST = 15, 8
"""Characters: no part is shorter than the first because the provider is slow, and none that ends at a comma than the
second: a phrase of single words would sound like one."""
_GRANTED_WITHIN = 0.5
"""Seconds after which a place in the queue is left again: others need the slot after all."""
_NEED_IN = 60.0
"""Seconds until the phrase is needed, as the queue is told: later than any call."""


@frozen(kw_only=True)
class Means:
    """What phrases are made with: the slots, links and pace that the calls use, too."""

    slots: Slots
    pool: Pool
    pace: Pace


class Wanted(Protocol):
    """A wish for a phrase as its maker sees it: a cache's claim, or one of somebody who shares it with nobody."""

    @property
    def key(self) -> PhraseKey:
        """What is to be made."""

    @property
    def awaited(self) -> bool:
        """Whether somebody else wants it."""

    def giving_way(self) -> AbstractContextManager[trio.CancelScope]:
        """Cut the body as soon as somebody else wants it."""


class PhraseMaker:
    """Makes phrases, one at a time, in parts that hold the slot for a second at most.

    `call` is what it is called in the slot's queue, `name` what its requests are: each maker has its own.
    """

    def __init__(self, settings: Settings, means: Means, *, call: str = CALL, name: str = "phrase") -> None:
        self._speech = settings.speech
        self._means = means
        self._call = call
        self._name = name
        self._requests = 0

    def fits(self, text: str) -> bool:
        """Whether the slot is idle for long enough to begin with `text`."""
        return self._fits(self._next_part(self._cut(text), 0))

    async def make(self, claim: Wanted) -> Phrase | None:
        """Make the claimed phrase, part by part whenever there is time; None if somebody else shall, who wants it now.

        Raises ProviderFault.
        """
        key = claim.key
        text, made, start = self._cut(key.text), _Made(key.rate), 0
        while (part := self._next_part(text, start)) is not None:
            start = part.end
            if part.text and not await self._make_part(part, claim=claim, made=made):
                return None
        if not made.pcm:
            raise ProviderFault(FaultKind.REQUEST, "the phrase has nothing that can be spoken")
        return made.phrase()

    def _cut(self, text: str) -> ReplyText:
        cut = ReplyText(least_characters=_FEWEST, most_characters=self._speech.piece_characters)
        cut.feed(text)
        cut.finish()
        return cut

    def _next_part(self, text: ReplyText, start: int) -> Piece | None:
        if start >= text.length:
            return None
        pace = self._means.pace
        characters = pace.audio_within(_SLOT_SECONDS) / pace.seconds_per_character
        most = max(_LEAST, int(min(characters, self._speech.piece_characters)))
        return text.next_piece(start, most_characters=most)

    def _fits(self, part: Piece | None) -> bool:
        characters = len(part.text) if part is not None else 0
        return self._means.slots.idle_for() >= self._means.pace.slot_seconds(characters)

    async def _make_part(self, part: Piece, *, claim: Wanted, made: _Made) -> bool:
        """Ask for a part once there is time; return False if somebody else began to wait for the phrase first."""
        async with AsyncExitStack() as held:
            grant = await self._wait_granted(part, claim=claim, held=held)
            if grant is None:
                return False
            lease = await held.enter_async_context(self._means.pool.lease())
            frames = lease.ask(self._request(part, claim.key), grant)
            await held.enter_async_context(frames)
            await self._take(frames, part=part, made=made)
            return True

    async def _wait_granted(self, part: Piece, *, claim: Wanted, held: AsyncExitStack) -> Grant | None:
        while not claim.awaited:
            with claim.giving_way() as scope:
                while not self._fits(part):  # noqa: ASYNC110  # how long nobody needs the slot changes with time alone
                    await trio.sleep(LOOK_EVERY)
                scope.deadline = trio.current_time() + _GRANTED_WITHIN
                self._means.slots.begin_reply(self._call, weight=1.0)
                try:
                    return await held.enter_async_context(self._means.slots.join(self._ask(part)))
                finally:
                    self._means.slots.close(self._call)  # phrases are no call that the others must reckon with
        return None

    def _ask(self, part: Piece) -> Ask:
        self._requests += 1
        expected = self._means.pace.slot_seconds(len(part.text))
        return Ask(call=self._call, reply=self._requests, first=False, need_in=_NEED_IN, expected=expected)

    def _request(self, part: Piece, key: PhraseKey) -> SpeechRequest:
        return SpeechRequest(
            id=f"{self._name}-{self._requests}",
            text=part.text,
            rate=key.rate,
            voice=key.voice,
            language=key.language,
            speed=key.speed,
        )

    async def _take(self, frames: trio.MemoryReceiveChannel[VoiceFrame], *, part: Piece, made: _Made) -> None:
        """Take all of a part into the phrase, its joins trimmed as a reply's are. Raises ProviderFault."""
        speech = self._speech
        pause = speech.pause_sentence if part.ends_sentence else speech.pause_comma
        joiner = Joiner(rate=made.rate, before=speech.pause_before, after=pause)
        pcm, words, complete = bytearray(), list[WordTime](), False
        async for frame in frames:
            match frame:
                case Sound():
                    pcm += joiner.feed(frame.pcm)
                case WordTime():
                    words.append(frame)
                case Complete():
                    complete = True
                case Failed():
                    raise frame.fault
        pcm += joiner.finish()
        if not complete:
            raise ProviderFault(FaultKind.RETRY, "the frames ended without a terminal one")
        if joiner.silent:
            raise ProviderFault(FaultKind.RETRY, "the provider answered with silence")
        made.add(bytes(pcm), words=words, lead_trimmed=joiner.lead_trimmed)
        made.counted += len(part.words)


@define
class _Made:
    """The parts of a phrase so far, end to end; `counted` are their words, as we count them."""

    rate: int
    pcm: bytearray = field(init=False, factory=bytearray)
    counted: int = field(init=False, default=0)
    _words: list[PhraseWord] = field(init=False, factory=list)

    def add(self, pcm: bytes, *, words: list[WordTime], lead_trimmed: float) -> None:
        """Append a part; its words' times are those of what the provider sent."""
        begin, seconds = seconds_of(bytes(self.pcm), self.rate), seconds_of(pcm, self.rate)
        for word in words:
            if word.index >= 0 and math.isfinite(word.start) and math.isfinite(word.end):
                start = min(max(0.0, word.start - lead_trimmed), seconds)
                end = min(max(start, word.end - lead_trimmed), seconds)
                self._words.append((self.counted + word.index, word.word, begin + start, begin + end))
        self.pcm += pcm

    def phrase(self) -> Phrase:
        """Return what was made."""
        return Phrase(pcm=bytes(self.pcm), rate=self.rate, words=tuple(self._words))

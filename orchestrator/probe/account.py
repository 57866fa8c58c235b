"""The account that is probed: opens WebSockets to it, asks over them, counts both, and stops where that is too much.

What is asked when, and why, is experiments.py's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio
from attrs import define, field

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Dial, VoiceCodec
from orchestrator.probe.asking import Question
from orchestrator.probe.line import Line, LineState
from orchestrator.probe.plan import SHORT, Budget, Speed, text_of
from orchestrator.probe.seen import Asked, Seen
from orchestrator.settings import ProviderSettings

RATE = 8000
"""Samples a second, as on the telephone."""
PAUSES = (0.5, 1.0, 2.0, 4.0, 4.0)
"""Seconds after which a refused request is asked again that had the account for itself; then the probe gives up."""
_LONGEST_PAUSE = 10.0
"""Seconds that are waited at most where the provider says for how long to wait."""
_ANSWER_WITHIN = 5.0
"""Seconds until the first sound or a refusal."""
_END_WITHIN = 20.0
"""Seconds until a request that was served has ended."""
_QUIET = 6.0
"""Seconds without a frame after which no `complete` is to come any more: one plugin saw it come 4 s late."""
_CLOSED_WITHIN = 3.0
"""Seconds until a WebSocket is closed: dialling gives up before."""
_UNSETTLED = 0.5
"""Seconds that a cut request counts, until that was seen."""
_FATAL = (FaultKind.FINAL, FaultKind.REQUEST)


class GivenUp(Exception):
    """Nothing more can be asked; `kind` is that of the last refusal, None where there was none."""

    def __init__(self, reason: str, kind: FaultKind | None = None) -> None:
        super().__init__(reason)
        self.kind = kind


@define(kw_only=True, eq=False)
class Account:
    """One account as the probe uses it: its WebSockets run in `nursery`, one task each; `seen` is what came of it."""

    _nursery: trio.Nursery
    _dial: Dial
    _codec: VoiceCodec
    _settings: ProviderSettings
    _budget: Budget
    seen: Seen
    tell: Callable[[str], None]
    """Say what is going on, in a line."""
    _cut_at: float = field(default=float("-inf"), init=False)
    _characters: int = field(default=0, init=False)

    @property
    def speed(self) -> Speed:
        """How fast it is, as far as was seen."""
        return Speed.of(self.seen)

    def text(self, characters: int) -> str:
        """Return a text of about so many characters that was not asked for before."""
        return text_of(characters, number=len(self.seen.asked))

    # --- WebSockets ---

    @asynccontextmanager
    async def lines(self) -> AsyncIterator[list[Line]]:
        """Yield a list for WebSockets; leaving closes those in it, whatever goes on there."""
        opened: list[Line] = []
        try:
            yield opened
        finally:
            await self.close(opened)

    async def open(self, lines: list[Line]) -> Line:
        """Open a WebSocket and put it on the list. Raises ProviderFault with why that failed."""
        line = Line(self._dial, self._codec)
        lines.append(line)
        self._nursery.start_soon(line.run)
        self.seen.opened += 1
        while line.state is LineState.DIALLING:
            await line.wait(lambda: line.state is not LineState.DIALLING, within=_ANSWER_WITHIN)
        if not line.is_open:
            fault = line.fault or ProviderFault(FaultKind.RETRY, "the WebSocket was closed at once")
            if fault.kind is FaultKind.LINKS:
                self.seen.refused_links.append(fault)
            raise fault
        return line

    async def close(self, lines: list[Line]) -> None:
        """Close WebSockets, all at once; returns when they are closed."""
        for line in lines:
            line.close()
        for line in lines:
            await line.wait(lambda line=line: line.state is LineState.CLOSED, within=_CLOSED_WITHIN)  # type: ignore[misc]

    # --- requests ---

    def ask(self, line: Line, text: str, *, backoff: float = 0.0, context: bool = False) -> Asked:
        """Ask for a text. Raises GivenUp where the budget does not have it."""
        seen, name, now = self.seen, f"probe-{len(self.seen.asked) + 1}", trio.current_time()
        if len(seen.asked) >= self._budget.requests or self._characters + len(text) > self._budget.characters:
            raise GivenUp(f"{len(seen.asked)} requests with {self._characters} characters are enough")
        asked = Asked(id=name, characters=len(text), rate=RATE, at=now, heard_at=now)
        seen.asked.append(asked)
        self._characters += len(text)
        settings = self._settings
        question = Question(
            id=name,
            text=text,
            rate=RATE,
            voice=settings.voice,
            language=settings.language,
            speed=settings.speed,
            backoff=backoff,
            context=name if context else "",
        )
        line.ask(question, asked)
        return asked

    async def wait_answered(self, line: Line, asked: Asked) -> None:
        """Wait for its first sound or its refusal. Raises GivenUp where neither comes."""
        if not await line.wait(lambda: asked.answered, within=_ANSWER_WITHIN):
            raise GivenUp(f"a request was not answered within {_ANSWER_WITHIN:g} s")

    async def wait_end(self, line: Line, asked: Asked) -> None:
        """Wait for its `complete`, or until it is clear that there will be none."""
        latest = trio.current_time() + _END_WITHIN
        while not asked.over and (now := trio.current_time()) < min(latest, asked.heard_at + _QUIET):
            await line.wait(lambda: asked.over, within=min(latest, asked.heard_at + _QUIET) - now)

    async def begin_alone(self, lines: list[Line], text: str) -> tuple[Line, Asked]:
        """Ask for a text while nothing of ours is in flight, again and again with growing pauses where that is refused.

        Returns when it sounds. Raises GivenUp, and ProviderFault for what will never be served.
        """
        await self.wait_settled()
        for pause in (*PAUSES, None):
            begun = await self._begin(lines, text)
            if not isinstance(begun, ProviderFault):
                return begun
            fault = begun
            if fault.kind in _FATAL:
                raise fault
            self.seen.refused_alone += 1
            if pause is None:
                break
            self.tell(f"refused although nothing of ours is in flight: {fault.message}; again in {pause:g} s")
            await trio.sleep(max(pause, min(fault.retry_after or 0.0, _LONGEST_PAUSE)))
        raise GivenUp(f"refused {len(PAUSES) + 1} times with nothing of ours in flight: {fault.message}", fault.kind)

    async def _begin(self, lines: list[Line], text: str) -> tuple[Line, Asked] | ProviderFault:
        """Ask for a text over a new WebSocket; return why it is not served."""
        mine: list[Line] = []
        try:
            line = await try_open(self, mine)
        finally:
            lines += mine
        if isinstance(line, ProviderFault):
            return line
        asked = self.ask(line, text)
        await self.wait_answered(line, asked)
        if asked.served:
            return line, asked
        await self.close(mine)
        return asked.fault or ProviderFault(FaultKind.RETRY, "`complete` came without any sound")

    async def speak_alone(self, characters: int = SHORT) -> Asked:
        """Ask for a text of about so many characters as `begin_alone` does, to its end; it counts for the speed."""
        async with self.lines() as lines:
            line, asked = await self.begin_alone(lines, self.text(characters))
            await self.wait_end(line, asked)
            self.seen.alone.append(asked)
            if asked.complete_at is not None and len(self.seen.after_complete) < 2:
                await line.wait(lambda: line.state is not LineState.OPEN, within=1.0)
                self.seen.after_complete.append(str(line.fault or ""))
        return asked

    # --- settling ---

    def note_cut(self) -> None:
        """Note that WebSockets were closed in the middle of requests: their slots are not free at once."""
        self._cut_at = trio.current_time()

    async def wait_settled(self) -> None:
        """Wait until what was cut counts no more, as far as is known."""
        served = [each.after for one in self.seen.rounds for each in one.tries if each.served]
        await trio.sleep_until(self._cut_at + (max(served) if served else _UNSETTLED) + 0.1)


async def try_open(account: Account, lines: list[Line]) -> Line | ProviderFault:
    """Open a WebSocket and put it on the list; return the fault where no more are allowed, raise every other."""
    try:
        return await account.open(lines)
    except ProviderFault as fault:
        if fault.kind is not FaultKind.LINKS:
            raise
        return fault

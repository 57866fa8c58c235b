"""Keeps a number of telephone lines busy: one simulated caller after another, recorded and written down."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count

import trio
from attrs import Factory, define, field

from orchestrator.adapters.telephony.loopback import LegStatistics, LoopbackLeg, Phone, open_loopback
from orchestrator.app import Orchestrator
from orchestrator.dialogue.bot_loading import LoadedBot
from orchestrator.dialogue.transcript import Transcript
from orchestrator.dialogue.transcript_files import CallHeader
from orchestrator.ports import CallFacts, Now
from orchestrator.recording import BLOCK_SECONDS, Recording
from simulations.demo.callers import Caller, caller, run_caller
from simulations.demo.files import RunFiles
from simulations.voices import Voice

RATE = 16000
"""PCM rate of the lines, in samples a second: wide-band telephony, and one of the rates the provider speaks at."""
_STAGGER = 1.2
"""Seconds between the first calls of the lines."""
_BETWEEN_CALLS = (1.0, 2.5)
_AFTER_A_REFUSAL = (6.0, 12.0)
"""Seconds until a caller who found no place calls again."""


@define(kw_only=True)
class Lines:
    """The demo's lines. Calls are numbered from 0 over the run, in the order in which they are dialled."""

    talkers: Orchestrator
    bots: Sequence[LoadedBot]
    files: RunFiles
    voice: Voice
    now: Now
    seed: int
    frames: LegStatistics = Factory(LegStatistics)
    _numbers: count[int] = field(factory=count, init=False)

    async def keep(self, lines: int) -> None:
        """Keep that many lines busy until cancelled."""
        async with trio.open_nursery() as nursery:
            for line in range(lines):
                nursery.start_soon(self._keep_line, line)

    async def _keep_line(self, line: int) -> None:
        rng = random.Random(f"{self.seed}:line {line}")
        await trio.sleep(_STAGGER * line)
        while True:
            refused = await self._call(next(self._numbers), self.bots[line % len(self.bots)])
            await trio.sleep(rng.uniform(*(_AFTER_A_REFUSAL if refused else _BETWEEN_CALLS)))

    async def _call(self, number: int, bot: LoadedBot) -> bool:
        """Make a call, and return whether it was refused."""
        who = caller(seed=self.seed, call=number, bot=bot.name)
        facts = CallFacts(id=str(number + 1), caller=who.name, leg="loopback")
        name, began, stamp = f"call-{facts.id}", self.now(), datetime.now(UTC).isoformat(timespec="milliseconds")
        recording = Recording(self.files.folder / f"{name}.wav", rate=RATE, started_at=began)
        transcript = Transcript()
        try:
            async with (
                open_loopback(facts, rate=RATE, now=self.now, tap=recording) as (leg, phone),
                trio.open_nursery() as nursery,
            ):
                nursery.start_soon(self._dial, phone, who)
                nursery.start_soon(self._advance, recording)
                try:
                    record = await self.talkers.serve_leg(leg, bot, transcript=transcript)
                finally:
                    self._count(leg)
                nursery.cancel_scope.cancel()
            return record.reason == "refused"
        finally:
            now = self.now()
            recording.close(now)
            if recording.failed is not None:
                self.files.fail(recording.failed)
            header = CallHeader(
                call=facts.id, bot=bot.name, started=stamp, seconds=now - began, recording=recording.path.name
            )
            self.files.add_call(name, header=header, transcript=transcript)

    async def _dial(self, phone: Phone, who: Caller) -> None:
        await run_caller(phone, script=who.script, traits=who.traits, rng=who.rng, voice=self.voice)

    async def _advance(self, recording: Recording) -> None:
        while True:
            await trio.sleep(BLOCK_SECONDS)
            recording.advance(self.now())

    def _count(self, leg: LoopbackLeg) -> None:
        self.frames.frames += leg.statistics.frames
        self.frames.late_frames += leg.statistics.late_frames

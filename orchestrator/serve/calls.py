"""Runs the calls that have come in: which bot, under which name, recorded or not; until the line is free again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import trio
from attrs import define, field

from orchestrator.adapters.telephony.wire import plain_nursery
from orchestrator.app import Orchestrator
from orchestrator.dialogue.bot_loading import LoadedBot
from orchestrator.dialogue.transcript import Transcript
from orchestrator.errors import CarrierFault
from orchestrator.port.routes import call_name
from orchestrator.serve.gate import Announced
from orchestrator.serve.recordings import Recordings, TappedLeg


@define(kw_only=True)
class Calls:
    """The calls that go on. `talkers` is None where no line has a bot, `recordings` where nothing is kept."""

    talkers: Orchestrator | None
    recordings: Recordings | None
    _names: set[str] = field(factory=set, init=False)
    _none: trio.Event = field(factory=trio.Event, init=False)

    async def serve(self, leg: TappedLeg, announced: Announced) -> None:
        """Serve a call from its answer to its end, in the calling task; the first sound is still to come.

        Raises CarrierFault where the stream is not of the call that was announced.
        """
        facts = leg.facts
        called = announced.called or facts.called  # what a signed webhook said goes before what the wire says
        bot = announced.line.bot(called=called, call=facts.id)
        if bot is None or self.talkers is None:
            raise ValueError("a leg needs a bot; the echo has none")
        if announced.call not in ("", facts.id):
            raise CarrierFault("its stream names another call than the webhook that announced it")
        with self.here(facts.id) as name:
            leg.facts = attrs.evolve(facts, id=name, caller=announced.caller or facts.caller, called=called)
            if self.recordings is None:
                await self.talkers.serve_leg(leg, bot)
            else:
                await self._recorded(leg, bot, talkers=self.talkers, recordings=self.recordings)

    @contextmanager
    def here(self, call: str) -> Iterator[str]:
        """Count a call while it lasts, under a name that no other one has meanwhile."""
        name = call_name(call, self._names)
        self._names.add(name)
        try:
            yield name
        finally:
            self._names.discard(name)
            if not self._names:
                self._none.set()

    async def wait_none(self) -> None:
        """Wait until no call goes on."""
        while self._names:
            self._none = trio.Event()
            await self._none.wait()
        await trio.lowlevel.checkpoint()

    async def _recorded(self, leg: TappedLeg, bot: LoadedBot, *, talkers: Orchestrator, recordings: Recordings) -> None:
        transcript = Transcript()
        kept = recordings.begin(leg, bot=bot.name, transcript=transcript)
        try:
            async with plain_nursery() as nursery:
                nursery.start_soon(recordings.write, kept)
                await talkers.serve_leg(leg, bot, transcript=transcript)
                nursery.cancel_scope.cancel()
        finally:
            recordings.end(kept)

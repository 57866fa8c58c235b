"""`talkingstick demo`: simulated callers talk with bots over one slot, in real time; wires the parts and reports.

The calls are calls.py's, what is left in the directory files.py's.
"""

from __future__ import annotations

import json as json_format
import random
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import trio
from attrs import frozen

from orchestrator.adapters.telephony.loopback import LegStatistics
from orchestrator.adapters.voices.local import MachineVoice
from orchestrator.app import Orchestrator, Surroundings, open_orchestrator, run_clock
from orchestrator.dialogue.bot_loading import LoadedBot, load_bot
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.events import Event, RunEnded, RunStarted
from orchestrator.logs import LogSink, configure, logger_in_force
from orchestrator.machine import end, local_voice, phrase_files, prepare
from orchestrator.orders import Log, Orders
from orchestrator.ports import Emit
from orchestrator.settings import Settings
from orchestrator.settings_file import load_settings, read_key
from orchestrator.speech.phrase_files import PhraseFiles
from orchestrator.watchdog import watch
from simulations.demo.calls import RATE, Lines
from simulations.demo.files import RunFiles
from simulations.reports.headline import sentence
from simulations.reports.summary import RunFacts, Summary
from simulations.reports.table import LiveTable, PlainLines, Shown
from simulations.voices import Voice, voice_named
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer, open_waves_server

SHIPPED = ("appointments", "survey", "echo")
"""The bots that take turns at the lines when none is named."""
_READY_WITHIN = 4.0
"""Seconds for the first link: with its start the program is to give up within five."""


@frozen(kw_only=True)
class Plan:
    """What one demo is to do, everything that could be wrong with it checked."""

    calls: int
    seconds: float
    seed: int
    profile: str | None
    settings: Settings
    key: str
    bots: Sequence[LoadedBot]
    voice: Voice
    server: WavesOptions | None
    local: MachineVoice | None
    phrases: PhraseFiles | None
    config: Path | None = None


async def run(
    *,
    calls: int,
    seconds: float,
    seed: int,
    bot: str | None,
    out: Path,
    profile: str,
    voice: str | None,
    close_after_complete: bool,
    config: Path | None,
    json: bool,
    table: bool,
) -> int:
    """Run the demo; return 130 after Ctrl-C, 1 if a call failed, the provider was lost or a file was not written.

    Told to stop by SIGTERM it lets the calls end first, and returns as if its time were over.

    Raises SettingsError, BotLoadError, ProviderFault (the provider cannot be reached, or refuses the key) and OSError.
    """
    settings = load_settings(config) if config else Settings()
    server = WavesOptions.of_profile(profile, seed=seed, close_after_complete=close_after_complete)
    names = [bot] if bot else ([settings.bot.use] if config else list(SHIPPED))
    options = settings.bot.options if config and not bot else {}
    plan = Plan(
        calls=calls,
        seconds=seconds,
        seed=seed,
        profile=None if config else profile,
        settings=settings,
        key=read_key(settings.provider) if config else "demo",
        bots=[load_bot(name, options) for name in names],
        voice=voice_named(voice),
        local=local_voice(settings),
        phrases=phrase_files(settings.cache) if config else None,
        server=None if config else server,
        config=config,
    )
    demo = Demo(plan, files=RunFiles(out), show=_show(plan, table=table))
    summary = await demo.run()
    status = demo.finish(summary, json=json)
    if plan.local is not None:
        await end(plan.local, status)
    return status


def _show(plan: Plan, *, table: bool) -> LiveTable | PlainLines:
    provider = plan.settings.provider
    if table and sys.stderr.isatty():
        return LiveTable(Shown(seconds=plan.seconds, slots=provider.slots, links=provider.links))
    return PlainLines()


def _tell(summary: dict[str, Any], files: RunFiles, *, json: bool) -> None:
    if json:
        print(json_format.dumps(summary))
    else:
        print(sentence(summary))
    print(f"Recordings, transcripts, events and report.html are in {files.folder}/", file=sys.stderr)
    for told in files.failed:
        print(f"talkingstick: could not write {told}", file=sys.stderr)


class Demo:
    """One run: the provider, the orchestrator, the lines, and everybody who listens to the events."""

    def __init__(self, plan: Plan, *, files: RunFiles, show: LiveTable | PlainLines) -> None:
        self.orders = Orders(trio.CancelScope(), config=plan.config, settings=plan.settings)
        self.lost: ProviderFault | None = None
        self._plan = plan
        self._files = files
        self._show = show
        self._now = run_clock()
        self._summary = Summary()
        self._sinks: list[Emit] = [self._summary.add, files.add]
        self._frames = LegStatistics()
        wall = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._started = RunStarted(at=self._now(), wall=wall, seed=plan.seed, calls=plan.calls, profile=plan.profile)

    async def run(self) -> dict[str, Any]:
        """Run to the end, or until told to stop, and return the summary."""
        self._emit(self._started)
        async with _open_provider(self._plan) as (settings, books), trio.open_nursery() as nursery:
            nursery.start_soon(self.orders.run)
            with self.orders.scope:
                await self._talk(settings, nursery)
            self._emit(RunEnded(at=self._now(), reason="interrupted" if self.orders.interrupted else "finished"))
            nursery.cancel_scope.cancel()
        return self._summary.result(run=self._facts(), books=books() if books else None)

    def finish(self, summary: dict[str, Any], *, json: bool) -> int:
        """Write and tell what a run that is over came to, and return its exit status."""
        if not self._files.begun:
            print("talkingstick: interrupted before the first call", file=sys.stderr)
            return 130
        self._files.finish(summary)
        _tell(summary, self._files, json=json)
        if self.lost is not None:
            print(f"talkingstick: the provider was lost: {self.lost}", file=sys.stderr)
        if self.orders.interrupted:
            return 130
        return 1 if summary["calls_failed"] or self._files.failed or self.lost else 0

    async def _talk(self, settings: Settings, nursery: trio.Nursery) -> None:
        plan = self._plan
        surroundings = Surroundings(
            emit=self._emit,
            now=self._now,
            key=plan.key,
            rng=random.Random(plan.seed),
            local=plan.local,
            phrase_store=plan.phrases,
        )
        async with open_orchestrator(settings, surroundings) as talkers:
            await _wait_ready(talkers)
            if plan.server is None and plan.local is not None:  # the demo's own provider does not fail
                await prepare(plan.local)
            self._begin(nursery, talkers)
            lines = Lines(
                talkers=talkers,
                bots=plan.bots,
                files=self._files,
                voice=plan.voice,
                now=self._now,
                seed=plan.seed,
                frames=self._frames,
            )
            blocked_after = settings.log.blocked_after
            async with watch(self._emit, log=logger_in_force(), blocked_after=blocked_after, now=self._now):
                with trio.move_on_after(plan.seconds):
                    await lines.keep(plan.calls)
            self.lost = talkers.fault

    def _begin(self, nursery: trio.Nursery, talkers: Orchestrator) -> None:
        """The provider is there: from here on files are written, the run is shown, and the calls can be drained."""
        stream = self._files.open()
        sink = LogSink(configure(level=self._plan.settings.log.level, stream=stream))
        self._show.add(self._started)
        self._sinks += [sink, self._show.add]
        if isinstance(self._show, LiveTable):
            nursery.start_soon(self._show.run)
        talkers.want_phrases(rate=RATE)
        self.orders.begin(talkers, log=Log(sink=sink, stream=stream))

    def _emit(self, event: Event) -> None:
        for sink in self._sinks:
            sink(event)

    def _facts(self) -> RunFacts:
        plan, provider = self._plan, self.orders.settings.provider
        return RunFacts(
            calls=plan.calls,
            seconds=plan.seconds,
            seed=plan.seed,
            profile=plan.profile,
            slots=provider.slots,
            links=provider.links,
            late_frames=self._frames.late_frames,
            dropped_frames=0,
        )


@asynccontextmanager
async def _open_provider(plan: Plan) -> AsyncIterator[tuple[Settings, Callable[[], dict[str, int | float]] | None]]:
    """Start the simulated provider, if it is to be that one; yield the settings that reach it, and its books."""
    if plan.server is None:
        yield plan.settings, None
        return
    async with open_waves_server(WavesServer(plan.server, plan.voice)) as server:
        provider = attrs.evolve(plan.settings.provider, address=server.address)
        yield attrs.evolve(plan.settings, provider=provider), server.snapshot


async def _wait_ready(talkers: Orchestrator) -> None:
    with trio.move_on_after(_READY_WITHIN) as patience:
        await talkers.wait_ready()
    if patience.cancelled_caught:
        raise ProviderFault(FaultKind.RETRY, f"the provider did not take a WebSocket within {_READY_WITHIN:g} s")

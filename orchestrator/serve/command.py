"""`talkingstick serve`: answers real calls until it is told to stop; wires the parts, and decides the exit status."""

from __future__ import annotations

import ssl
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import attrs
import trio
from attrs import define, field, frozen

from orchestrator import events
from orchestrator.adapters.voices.local import MachineVoice
from orchestrator.app import Orchestrator, Surroundings, open_orchestrator, run_clock
from orchestrator.commands_serve import ServeOptions
from orchestrator.errors import SettingsError
from orchestrator.lanes import ThreadLane
from orchestrator.lipsync_meaning import lipsync_notes
from orchestrator.logs import LogSink, configure, library_logs, logger_in_force
from orchestrator.machine import end, local_voice, phrase_files, prepare, spare_the_collector, wait_quiet
from orchestrator.orders import Log, Orders
from orchestrator.port.guests import Guests
from orchestrator.port.routes import only_echoes
from orchestrator.port.tls import server_context
from orchestrator.ports import Emit, Now
from orchestrator.serve.calls import Calls
from orchestrator.serve.door import Door
from orchestrator.serve.fetching import Fetching
from orchestrator.serve.gate import Gate
from orchestrator.serve.lines import PhoneLine, open_lines
from orchestrator.serve.pages import Pages
from orchestrator.serve.ports import Ports, open_ports
from orchestrator.serve.readiness import Readiness
from orchestrator.serve.recordings import Recordings
from orchestrator.serve.streams import Streams
from orchestrator.serve.webhooks import Webhooks
from orchestrator.serve_meaning import notes, where
from orchestrator.settings import Settings
from orchestrator.settings_file import load_settings, read_key
from orchestrator.settings_reload import reloaded
from orchestrator.speech.phrase_files import PhraseFiles
from orchestrator.video_answers import VideoAccount, VideoAnswers, video_account
from orchestrator.watchdog import watch

_LAST_WORDS = 1.0
"""Seconds that the connections of drained calls have to be closed properly."""


@frozen(kw_only=True)
class Plan:
    """What is to be served, everything that could be wrong with it checked. Without `key` no bot needs a provider."""

    settings: Settings
    lines: Sequence[PhoneLine]
    key: str | None = field(repr=False)
    context: ssl.SSLContext | None
    local: MachineVoice | None
    phrases: PhraseFiles | None
    videos: VideoAccount | None


async def run(*, options: ServeOptions) -> int:
    """Serve; return 0 after SIGTERM, 130 after Ctrl-C.

    Raises SettingsError, OSError for a port that can't be had, and ProviderFault where the provider refuses for good
    at the start.
    """
    plan = plan_of(options)
    orders = Orders(
        trio.CancelScope(), config=options.config, settings=plan.settings, given=partial(overridden, options=options)
    )
    try:
        async with open_ports(plan.settings.serve, options) as ports, trio.open_nursery() as nursery:
            nursery.start_soon(orders.run)
            with library_logs(), orders.scope:
                await Serving(plan, ports=ports, orders=orders).run()
            nursery.cancel_scope.cancel()
    except BaseException:
        if plan.local is not None:  # an interpreter that shuts down while a thread runs native code aborts
            await wait_quiet(plan.local)
        raise
    status = 130 if orders.interrupted else 0
    if plan.local is not None:
        await end(plan.local, status)
    return status


def overridden(settings: Settings, *, options: ServeOptions) -> Settings:
    """Return the settings with what the command line says."""
    serve = settings.serve
    port = serve.port if options.port is None else options.port
    host = serve.host if options.host is None else options.host
    return attrs.evolve(settings, serve=attrs.evolve(serve, port=port, host=host))


def plan_of(options: ServeOptions) -> Plan:
    """Return what the options and the configuration mean. Raises SettingsError with what is wrong."""
    settings = overridden(load_settings(options.config), options=options)
    serve = settings.serve
    if not serve.lines:
        raise SettingsError(f"{options.config}: serve.lines: there is none; expected [[serve.lines]] with a carrier")
    lines = open_lines(settings)
    speaks = not only_echoes(serve.lines, settings.bot)
    return Plan(
        settings=settings,
        lines=lines,
        key=read_key(settings.provider) if speaks else None,
        context=server_context(serve.certificate, serve.certificate_key) if serve.certificate else None,
        local=local_voice(settings) if speaks else None,
        phrases=phrase_files(settings.cache) if speaks else None,
        videos=video_account(settings),
    )


@define(eq=False)
class Talkers:
    """Everybody who has calls, for the orders: the orchestrator's, where there is one, and those that only echo."""

    orchestrator: Orchestrator | None
    calls: Calls
    readiness: Readiness
    settings: Settings
    emit: Emit = field(kw_only=True)
    now: Now = field(kw_only=True)

    async def drain(self) -> None:
        """Take no more calls; returns when all are over, and their connections closed as far as peers allow."""
        self.readiness.draining = True
        echo_until = trio.current_time() + self.settings.admission.drain_within
        if self.orchestrator is not None:
            await self.orchestrator.drain()
            echo_until = max(echo_until, trio.current_time() + _LAST_WORDS)
        with trio.move_on_at(echo_until):
            await self.calls.wait_none()

    def reload(self, wanted: Settings) -> Settings:
        """Take over what may change while calls run, and tell what did and what needs a restart."""
        if self.orchestrator is not None:
            self.settings = self.orchestrator.reload(wanted)
            return self.settings
        reload = reloaded(self.settings, wanted)
        self.settings = reload.settings
        self.emit(reload.told(self.now()))
        return self.settings


@define(eq=False)
class Serving:
    """One run, from the open ports to its end."""

    plan: Plan
    ports: Ports = field(kw_only=True)
    orders: Orders = field(kw_only=True)
    _now: Now = field(factory=run_clock, init=False)
    _videos: VideoAnswers | None = field(default=None, init=False)

    async def run(self) -> None:
        """Serve until cancelled, or until the orders say that the calls are drained. Raises ProviderFault."""
        settings = self.plan.settings
        sink = LogSink(configure(level=settings.log.level, stream=sys.stderr))
        wall = datetime.now(UTC).isoformat(timespec="milliseconds")
        sink(events.RunStarted(at=self._now(), wall=wall, seed=None, calls=0, profile=None))
        if self.plan.videos is not None:
            self._videos = VideoAnswers(account=self.plan.videos, emit=sink, now=self._now)
        try:
            async with self._orchestrator(sink) as orchestrator, trio.open_nursery() as nursery:
                talkers = self._start(nursery, orchestrator, emit=sink)
                self.orders.begin(talkers, log=Log(sink=sink, stream=sys.stderr))
                async with watch(sink, log=logger_in_force(), blocked_after=settings.log.blocked_after, now=self._now):
                    await trio.sleep_forever()
        finally:
            reason = "interrupted" if self.orders.interrupted else "finished"
            sink(events.RunEnded(at=self._now(), reason=reason))

    @asynccontextmanager
    async def _orchestrator(self, emit: Emit) -> AsyncIterator[Orchestrator | None]:
        plan = self.plan
        if plan.key is None:
            yield None
            return
        surroundings = Surroundings(
            emit=emit,
            now=self._now,
            key=plan.key,
            local=plan.local,
            phrase_store=plan.phrases,
            videos=None if self._videos is None else self._videos.means(),
        )
        async with open_orchestrator(plan.settings, surroundings) as orchestrator:
            for rate in sorted({line.settings.rate for line in plan.lines}):
                orchestrator.want_phrases(rate=rate)
            yield orchestrator

    def _start(self, nursery: trio.Nursery, orchestrator: Orchestrator | None, *, emit: Emit) -> Talkers:
        """Start all tasks of the run."""
        settings, now = self.plan.settings, self._now
        guests = Guests(most=settings.serve.most_connections, per_address=settings.serve.connections_per_address)
        readiness = Readiness(guests=guests, talkers=orchestrator, emit=emit, now=now)
        recordings = None
        if settings.serve.recording.on:
            recordings = Recordings(settings=settings.serve.recording, emit=emit, now=now, lane=ThreadLane(1))
            recordings.prepare()
            nursery.start_soon(recordings.delete_old)
        calls = Calls(talkers=orchestrator, recordings=recordings)
        nursery.start_soon(readiness.reach_provider)
        nursery.start_soon(readiness.tell)
        if self.plan.local is not None:
            nursery.start_soon(prepare, self.plan.local)
        if self._videos is not None:
            nursery.start_soon(self._videos.run)
        self._open(nursery, calls=calls, guests=guests, readiness=readiness, emit=emit)
        return Talkers(orchestrator, calls, readiness, settings, emit=emit, now=now)

    def _open(self, nursery: trio.Nursery, *, calls: Calls, guests: Guests, readiness: Readiness, emit: Emit) -> None:
        """Let connections in."""
        plan, ports, now = self.plan, self.ports, self._now
        number = None if ports.audiosocket is None else ports.audiosocket.number
        serve = attrs.evolve(
            plan.settings.serve, port=ports.one.number, audiosocket_port=-1 if number is None else number
        )
        gate = Gate(now=now, wall=lambda: datetime.now(UTC).timestamp())
        streams = Streams(
            settings=serve,
            lines=plan.lines,
            gate=gate,
            guests=guests,
            readiness=readiness,
            calls=calls,
            emit=emit,
            now=now,
        )
        fetching = Fetching(streams=streams)
        nursery.start_soon(fetching.run)
        pages = Pages(
            settings=serve,
            lines=plan.lines,
            gate=gate,
            webhooks=Webhooks(settings=serve, gate=gate),
            fetching=fetching,
            readiness=readiness,
            emit=emit,
            now=now,
            sync_hook=None if self._videos is None else self._videos.hook(),
        )
        door = Door(settings=serve, guests=guests, context=plan.context, emit=emit, now=now)
        nursery.start_soon(ports.one.serve, partial(door.serve, app=pages.app(), upgrade=streams.take))
        if ports.audiosocket is not None:
            nursery.start_soon(ports.audiosocket.serve, partial(door.serve_call, call=streams.take_audiosocket))
        spare_the_collector()
        emit(events.PortsOpened(at=now(), port=ports.one.number, audiosocket=number, lines=len(plan.lines)))
        settings = attrs.evolve(plan.settings, serve=serve)
        for told in (*where(serve), *notes(settings), *lipsync_notes(settings)):
            print(told, flush=True)

"""Serves calls whose bot talks all the time, in a process of its own: whole calls of the product over its own Twilio
legs, with a voice that answers at once. It notes how long a caller's first words take to become a clear on the wire."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection

import trio
from attrs import define, field, frozen

from orchestrator import Bot, Talk, Turn
from orchestrator.adapters.telephony.carrier_leg import Means, open_leg
from orchestrator.adapters.telephony.codecs.twilio import TwilioCodec
from orchestrator.adapters.telephony.options import LegOptions
from orchestrator.adapters.telephony.remote_buffer import RemoteBufferLeg
from orchestrator.adapters.telephony.socket import CarrierSocket
from orchestrator.adapters.telephony.wire import WireLimits, kept_open
from orchestrator.app import Orchestrator, Surroundings, open_orchestrator, run_clock
from orchestrator.errors import CarrierFault, LegClosed
from orchestrator.lanes import InlineLane
from orchestrator.logs import LogSink, configure
from orchestrator.machine import spare_the_collector
from orchestrator.ports import LegEvent, SpeechStarted, UserTurn, WireMessage
from orchestrator.settings import AdmissionSettings, ProviderSettings, Settings
from orchestrator.testing import instant_voice
from simulations.bench.apart import answer, heard, process_apart

_CLEAR = '{"event":"clear"'
_SENTENCE = "There is a great deal more to be said about that, and all of it in good time. "
_SENTENCES = 6
"""Of a reply: half a minute, where callers cut in after a few seconds."""


@frozen(kw_only=True)
class CutTimes:
    """Seconds from each SpeechStarted to the clear that it led to, and how many led to none: nothing was being said."""

    seconds: Sequence[float]
    uncut: int


@frozen
class CutServer:
    """Calls at `port` of this machine."""

    port: int
    _pipe: Connection

    def times(self) -> CutTimes:
        """Ask the process what it noted. Raises RuntimeError if it is gone."""
        self._pipe.send(None)
        times = heard(self._pipe)
        assert isinstance(times, CutTimes)
        return times


@contextmanager
def cut_server(*, legs: int) -> Iterator[CutServer]:
    """Yield a server for so many calls at a time; leaving ends it."""
    with process_apart(_serve, legs=legs) as pipe:
        port = heard(pipe)
        assert isinstance(port, int)
        yield CutServer(port, pipe)


# --- the calls' process ---


@define
class _Noted:
    """What was noted of all calls."""

    seconds: list[float] = field(factory=list)
    uncut: int = 0

    def times(self) -> CutTimes:
        return CutTimes(seconds=tuple(self.seconds), uncut=self.uncut)


class _TimedSocket(CarrierSocket):
    """Notes when a clear has gone out after the caller began to speak."""

    def __init__(self, stream: trio.abc.Stream, noted: _Noted) -> None:
        super().__init__(stream, subprotocols=(), limits=WireLimits())
        self._noted = noted
        self._began: float | None = None
        self._clears = False

    def caller_began(self) -> None:
        """The caller speaks, as the leg tells it in this very moment."""
        self._began = time.perf_counter()

    def caller_ended(self) -> None:
        """A clear that comes now is of something else."""
        if self._began is not None:
            self._noted.uncut += 1
            self._began = None

    def encode(self, messages: Sequence[WireMessage]) -> bytes:
        """Look for a clear."""
        self._clears = any(isinstance(each, str) and each.startswith(_CLEAR) for each in messages)
        return super().encode(messages)

    async def flush(self) -> None:
        """Send, and take the time when the machine has all of it."""
        await super().flush()
        if self._clears and self._began is not None:
            self._noted.seconds.append(time.perf_counter() - self._began)
            self._began = None


class _TimedLeg(RemoteBufferLeg):
    """Tells a timed socket what the caller does."""

    def _tell(self, event: LegEvent) -> None:
        assert isinstance(self._wire, _TimedSocket)
        if isinstance(event, SpeechStarted):
            self._wire.caller_began()
        elif isinstance(event, UserTurn):
            self._wire.caller_ended()
        super()._tell(event)


class _Talker(Bot):
    """Says more than anybody hears out."""

    async def opening(self, talk: Talk) -> AsyncIterator[str]:
        """Talk."""
        for _ in range(_SENTENCES):
            yield _SENTENCE

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
        """Talk on."""
        for _ in range(_SENTENCES):
            yield _SENTENCE


async def _serve(pipe: Connection, *, legs: int) -> None:
    noted = _Noted()
    settings = Settings(provider=ProviderSettings(slots=legs, links=2 * legs), admission=AdmissionSettings(on=False))
    with open(os.devnull, "w", encoding="utf-8") as log:  # noqa: ASYNC230 (nothing is waited for there)
        emit = LogSink(configure(level="info", stream=log))
        surroundings = Surroundings(emit=emit, now=run_clock(), dial=instant_voice, lane=InlineLane())
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        async with open_orchestrator(settings, surroundings) as talkers, trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, partial(_call, talkers=talkers, noted=noted), [listener])
            spare_the_collector()  # as `serve` does
            pipe.send(listener.socket.getsockname()[1])
            await answer(pipe, noted.times)
            nursery.cancel_scope.cancel()


async def _call(stream: trio.SocketStream, *, talkers: Orchestrator, noted: _Noted) -> None:
    socket, codec = _TimedSocket(stream, noted), TwilioCodec()
    try:
        await socket.accept()
        async with kept_open(socket):
            means = Means(wire=socket, codec=codec, options=LegOptions(), now=talkers.now)
            async with open_leg(_TimedLeg, means) as leg:
                await talkers.serve_leg(leg, _Talker)
    except (CarrierFault, LegClosed):
        pass  # the caller left before the call began

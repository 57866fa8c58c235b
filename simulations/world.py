"""Runs a scenario in virtual time: the real program, its provider and its callers on one clock, all of it repeatable.

Same scenario, same seed: the same events, byte for byte. What callers do is callers.py's, what must hold in every run
invariants.py's.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import attrs
import trio
from attrs import define, field, frozen
from trio._core import _run as trio_internals  # the one place that touches them: see _order_of_tasks

from orchestrator.adapters.voices.waves import WavesCodec
from orchestrator.app import Surroundings, open_orchestrator
from orchestrator.events import Event, RunEnded, RunStarted
from orchestrator.lanes import InlineLane
from orchestrator.ports import Dial, Emit, Now, VoiceCodec
from orchestrator.settings import Settings
from simulations.callers import Ears
from simulations.calls import run_calls
from simulations.line import RATE
from simulations.plain_voice import SimulatedLocalVoice, lifelike_voice, plain_voice
from simulations.policies import policy_named
from simulations.scenario import Scenario
from simulations.virtual_clock import VirtualClock
from simulations.waves.direct import DirectCodec, direct_dial
from simulations.waves.faults.engine import striking
from simulations.waves.memory_dial import memory_dial
from simulations.waves.server import WavesServer
from simulations.world_events import FaultStruck, WorldClosed
from simulations.world_parts import has_local_voice, needs_phrases, program_settings, server_options, voices

T = TypeVar("T")
_ANY_KEY = "simulated"
_TICK = 60.0
_CLOSED_WITHIN = 15.0
"""Seconds that the provider gets to notice that everybody has left: it drops a client that takes no frame in ten."""
_LOOK_AGAIN = 0.05
_PHRASES_WITHIN = 10.0
"""Seconds that the program gets before the first call to have its phrases ready, as one that was just started has."""


@frozen(kw_only=True)
class Ended:
    """How a run came to its end: the provider's books, how long it lasted (run clock), and if `tick` ended it."""

    books: dict[str, int | float]
    seconds: float
    stopped: bool
    faults: dict[str, int]
    """How often each fault that was ordered struck."""
    uses: tuple[tuple[float, float], ...] = ()
    """By the books: from when to when a slot was used, settling included; the latest of a long run."""


def run_world(
    scenario: Scenario, *, seed: int, sinks: Sequence[Emit] = (), tick: Callable[[float], bool] | None = None
) -> Ended:
    """Run `scenario` to its end in virtual time; every event goes to every one of `sinks`, in order.

    `tick` is called with the time of the run each virtual minute, and ends the run when it returns True. Not to be
    called inside Trio. Raises RuntimeError if this Trio cannot be made to repeat a run, and what `run_calls` raises.
    """
    world = _World(scenario=scenario, seed=seed, sinks=sinks, tick=tick)
    return run_virtually(world.run, seed=seed, clock=world.clock)


def run_virtually(main: Callable[[], Awaitable[T]], *, seed: int, clock: VirtualClock) -> T:
    """Run `main` in virtual time, its tasks in an order that the seed decides, and return what it returns.

    Not to be called inside Trio. Raises RuntimeError if this Trio cannot be made to repeat a run, and what `main`
    raises, out of the groups that nurseries made of a single error.
    """
    try:
        with _order_of_tasks(random.Random(f"{seed}:tasks")):
            # A Ctrl-C in the middle of others' code would leave a lock held, and a message about it.
            return trio.run(main, clock=clock, restrict_keyboard_interrupt_to_checkpoints=True)
    except BaseExceptionGroup as group:
        error = _what_failed(group)
        raise error from error.__cause__


def run(scenario: Scenario, seed: int) -> list[Event]:
    """Run `scenario` and return all its events."""
    events: list[Event] = []
    run_world(scenario, seed=seed, sinks=[events.append])
    return events


@define(kw_only=True)
class _World:
    """One run."""

    scenario: Scenario
    seed: int
    sinks: Sequence[Emit]
    tick: Callable[[float], bool] | None
    clock: VirtualClock = field(factory=VirtualClock, init=False)
    stopped: bool = field(default=False, init=False)
    _ears: Ears = field(factory=Ears, init=False)

    async def run(self) -> Ended:
        """Run from the first event to the last."""
        tasks, now = _tasks(), self.clock.current_time
        server = self._make_server()
        faults = server.provider.faults
        faults.noted = lambda name: self._emit(FaultStruck(at=now(), fault=name))
        self._emit(self._started(now()))
        async with trio.open_nursery() as provider:
            async with striking(server.provider, self.scenario.faults):
                await self._talk(server, provider, now=now)
            ended = now()
            self._emit(RunEnded(at=ended, reason="interrupted" if self.stopped else "finished"))
            closed = await self._wait_closed(server, tasks=tasks, now=now)
            provider.cancel_scope.cancel()
        self._emit(closed)
        struck = {fault.name: 0 for fault in self.scenario.faults} | faults.snapshot()
        return Ended(
            books=server.snapshot(), seconds=ended, stopped=self.stopped, faults=struck, uses=tuple(server.books.uses)
        )

    async def _talk(self, server: WavesServer, provider: trio.Nursery, *, now: Now) -> None:
        """Let the calls have their time; returns when all they used is closed. `provider` is where the server runs."""
        settings = program_settings(self.scenario)
        surroundings = self._surroundings(settings, server, provider=provider, now=now)
        async with open_orchestrator(settings, surroundings) as talkers:
            if needs_phrases(settings):
                for voice in voices(self.scenario):
                    talkers.want_phrases(rate=RATE, voice=voice)
                await talkers.wait_phrases(within=_PHRASES_WITHIN)
            calls = partial(run_calls, self.scenario, seed=self.seed, talkers=talkers, emit=self._emit, now=now)
            with trio.move_on_after(self.scenario.hours * 3600) as time:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._keep_ticking, now, time)
                    nursery.start_soon(partial(calls, ears=self._ears))

    def _surroundings(
        self, settings: Settings, server: WavesServer, *, provider: trio.Nursery, now: Now
    ) -> Surroundings:
        dial: Dial
        codec: VoiceCodec
        if self.scenario.wire:
            dial = memory_dial(server, provider)
            codec = WavesCodec(settings.provider, server.options.api_key or _ANY_KEY)
        else:
            dial = direct_dial(server, word_timestamps=settings.provider.word_timestamps)
            codec = DirectCodec()
        return Surroundings(
            emit=self._emit,
            now=now,
            codec=codec,
            dial=dial,
            lane=InlineLane(),
            rng=self._random("jitter"),
            policy=policy_named(self.scenario.policy, rng=self._random("policy")),
            local=SimulatedLocalVoice() if has_local_voice(settings) else None,
        )

    async def _keep_ticking(self, now: Now, time: trio.CancelScope) -> None:
        while True:
            await trio.sleep(_TICK)
            if self.tick is not None and self.tick(now()):
                self.stopped = True
                time.cancel()

    async def _wait_closed(self, server: WavesServer, *, tasks: int, now: Now) -> WorldClosed:
        """Give the provider its time to notice; return what the books say then, and what is left all the same."""

        def is_left() -> bool:
            return _tasks() > tasks or server.books.sockets > 0 or server.books.in_flight(trio.current_time()) > 0

        with trio.move_on_after(_CLOSED_WITHIN):
            while is_left():  # noqa: ASYNC110 (neither books nor tasks have an event to wait for)
                await trio.sleep(_LOOK_AGAIN)
        books = server.snapshot()
        counts = {
            name.name: int(books[name.name]) for name in attrs.fields(WorldClosed) if name.name not in ("at", "tasks")
        }
        return WorldClosed(at=now(), tasks=_tasks() - tasks, **counts)

    def _make_server(self) -> WavesServer:
        voice = lifelike_voice(self._random("voice")) if self.scenario.lifelike else plain_voice()
        return WavesServer(server_options(self.scenario, seed=self.seed), voice)

    def _started(self, at: float) -> RunStarted:
        scenario = self.scenario
        return RunStarted(at=at, wall="virtual", seed=self.seed, calls=scenario.calls, profile=scenario.profile)

    def _emit(self, event: Event) -> None:
        for sink in self.sinks:
            sink(event)
        self._ears.hear(event)

    def _random(self, use: str) -> random.Random:
        return random.Random(f"{self.seed}:{use}")


def _what_failed(error: BaseException) -> BaseException:
    """Unwrap what the nurseries around a failing task have wrapped; a Ctrl-C goes before all else."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, BaseExceptionGroup) and error.subgroup(KeyboardInterrupt) is not None:
        return KeyboardInterrupt()
    return error


def _tasks() -> int:
    """How many Trio tasks there are."""
    return trio.lowlevel.current_statistics().tasks_living


@contextmanager
def _order_of_tasks(rng: random.Random) -> Iterator[None]:
    """Have `rng` decide in what order Trio runs the tasks that could run, not Trio's own dice.

    Raises RuntimeError where Trio has no such names (any more).
    """
    fixed = {"_ALLOW_DETERMINISTIC_SCHEDULING": True, "_r": rng}
    missing = [name for name in fixed if not hasattr(trio_internals, name)]
    if missing:
        raise RuntimeError(
            f"Trio {trio.__version__} has no {' and no '.join(missing)} in trio._core._run: "
            "without them no run can be repeated; install a Trio that simulations/world.py knows"
        )
    usual = {name: getattr(trio_internals, name) for name in fixed}
    try:
        for name, value in fixed.items():
            setattr(trio_internals, name, value)
        yield
    finally:
        for name, value in usual.items():
            setattr(trio_internals, name, value)

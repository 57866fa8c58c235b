"""A small world for tests: the lab's calls on the real orchestrator, in virtual time; the provider answers at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import TypeVar

import trio
from trio.testing import MockClock

from orchestrator.app import DEADLINE, Policy, Surroundings, open_orchestrator, run_clock
from orchestrator.events import Event
from orchestrator.lanes import InlineLane
from orchestrator.ports import Complete, Connection, Sound, SpeechRequest, VoiceFrame
from orchestrator.settings import Settings
from simulations.callers import Ears
from simulations.calls import run_calls
from simulations.plain_voice import plain_voice
from simulations.scenario import Group, Scenario, simulated_settings
from simulations.voices import Wanted
from simulations.waves.direct import DirectCodec

E = TypeVar("E", bound=Event)


class _Link:
    """Implements ports.Connection: the ideal voice, at once."""

    def __init__(self) -> None:
        self._speak = plain_voice()
        self._sender, self._frames = trio.open_memory_channel[VoiceFrame](2)  # a request's sound and its end

    async def send(self, request: SpeechRequest) -> None:
        spoken = await self._speak(
            Wanted(text=request.text, voice=request.voice, rate=request.rate, request=request.id)
        )
        await self._sender.send(Sound(request.id, spoken.pcm))
        await self._sender.send(Complete(request.id))

    async def receive(self) -> VoiceFrame:
        return await self._frames.receive()


@asynccontextmanager
async def _dial(address: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
    await trio.lowlevel.checkpoint()
    yield _Link()


def lived(
    *groups: Group, seconds: float, seed: int = 1, settings: Settings | None = None, policy: Policy = DEADLINE
) -> list[Event]:
    """Return what happened to these groups' calls in so many seconds."""
    scenario = Scenario(name="test", groups=groups, settings=settings or simulated_settings())
    found: list[Event] = []
    live = partial(_live, scenario, found, seconds=seconds, seed=seed, policy=policy)
    trio.run(live, clock=MockClock(autojump_threshold=0))
    return found


async def _live(scenario: Scenario, found: list[Event], *, seconds: float, seed: int, policy: Policy) -> None:
    now, ears = run_clock(), Ears()

    def emit(event: Event) -> None:
        found.append(event)
        ears.hear(event)

    surroundings = Surroundings(
        emit=emit, now=now, codec=DirectCodec(), dial=_dial, lane=InlineLane(), rng=Random(seed), policy=policy
    )
    async with open_orchestrator(scenario.settings, surroundings) as talkers:
        with trio.move_on_after(seconds):
            await run_calls(scenario, seed=seed, talkers=talkers, emit=emit, now=now, ears=ears)


def of(kind: type[E], events: Sequence[Event], *, call: str | None = None) -> list[E]:
    """Return the events of one kind, of one call if it is named."""
    return [event for event in events if isinstance(event, kind) and call in (None, getattr(event, "call", None))]
